// Where lsmtunectl's model commands get their problem from: a document, or a live target.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ctl_call.h"
#include "daemon/json_input.h"
#include "model/analysis/s_max.h"
#include "model/published/inputs.h"
#include "model/simulator/problem.h"

namespace lsmtuned::daemon {

// --input and what belongs to it.
struct InputOptions {
  std::string file;      // empty: ask the daemon
  std::string family;    // of a live target; empty: the one that limits writes
  double horizon_s = 0;  // 0: the document's
  void add_to(CLI::App& command);
};

struct ModelDocument {
  std::optional<model::Problem> problem;  // absent in a document that holds published inputs only
  model::published::PublishedInputs published;
  bool v42 = false;  // a document of the V4.2 description
};

// Each: kExitOk, or the exit code of a failure that has been complained about.
int load_document(const Call& call, const InputOptions& options, ModelDocument& document);
int load_problem(const Call& call, const InputOptions& options, model::Problem& problem);

int complain_of_input(const Call& call, const std::string& file, const InputErrors& errors);
int complain_of_model(const Call& call, const Error& error);

// --model, --members and --seed of the project's own models.
struct ModelOptions {
  std::string model;
  std::uint32_t members;
  std::uint64_t seed = 1;
  ModelOptions(const char* usual, std::uint32_t usual_members)
      : model(usual), members(usual_members) {}
  void add_to(CLI::App& command);
  model::ModelChoice choice() const;
};

}  // namespace lsmtuned::daemon
