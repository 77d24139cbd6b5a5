#include "model/analysis/every_model.h"

#include <algorithm>
#include <cmath>

#include "model/analysis/ledger_case.h"
#include "model/analysis/s_max.h"
#include "model/published/from_problem.h"
#include "model/published/registry.h"

namespace lsmtuned::model {

published::PublishedInputs published_inputs_of(const Problem& problem) {
  published::RunFacts facts;
  if (const auto prediction = ledger_prediction(problem)) {
    facts.written_per_user_byte = prediction->write_amplification;
    facts.read_per_user_byte = prediction->read_amplification;
  }
  facts.bandwidth_source = "the problem's device section";
  return published::published_inputs(problem, facts);
}

std::vector<ModelRate> rates_by_every_model(const Problem& problem, std::uint32_t members) {
  std::vector<ModelRate> rates;
  const double offered = problem.workload.offered_bytes_per_s;
  const auto add = [&](std::string model, double put_bytes_per_s) {
    if (offered > 0) put_bytes_per_s = std::min(put_bytes_per_s, offered);
    if (std::isfinite(put_bytes_per_s) && put_bytes_per_s > 0)
      rates.push_back({std::move(model), put_bytes_per_s});
  };
  for (const OwnModel own : {OwnModel::files, OwnModel::totals, OwnModel::ledger}) {
    const ModelChoice choice{own, members, 1};
    // Over a horizon the ledger knows the present tree; it has no offered load.
    const auto found = own == OwnModel::ledger ? predict_s_max(problem, choice)
                                               : predict_of_load(problem, choice, 0);
    if (found) add(to_text(own), found->put_bytes_per_s);
  }
  const published::PublishedInputs inputs = published_inputs_of(problem);
  const double record = problem.workload.key_bytes + problem.workload.value_bytes;
  for (const published::ModelInfo& about : published::models())
    if (const auto found = published::predict(about.id, inputs))
      add(about.id, found->ops_per_s * record);
  return rates;
}

}  // namespace lsmtuned::model
