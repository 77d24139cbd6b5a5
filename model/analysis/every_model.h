// One problem put to every model that can answer it: the project's own three and the published
// ones.
//
// Rates in user bytes a second of the offered load, all of it at most. The published models need
// amplifications that only a run or another model knows: the ledger's are used. Pure; thread rules:
// functions may run in parallel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/published/inputs.h"
#include "model/simulator/problem.h"

namespace lsmtuned::model {

// What the published models take from a problem alone.
published::PublishedInputs published_inputs_of(const Problem& problem);

struct ModelRate {
  std::string model;  // id, as `lsmtunectl models` lists it
  double put_bytes_per_s = 0;
};
// Over the problem's horizon from its tree. Models that refuse, or answer nothing above 0, are left
// out.
std::vector<ModelRate> rates_by_every_model(const Problem& problem, std::uint32_t members);

}  // namespace lsmtuned::model
