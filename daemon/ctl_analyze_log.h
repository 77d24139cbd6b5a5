// lsmtunectl analyze-log: LOG files, or a live target's counters, to tables, ledger and model
// parameters (docs/log-analysis.md).
#pragma once

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "model/loglines/analysis.h"
#include "model/result.h"

namespace lsmtuned::daemon {

struct AnalyzeLogContext {
  std::ostream& out;
  std::ostream& err;
  const bool& as_json;
  const std::string& target;
  int& exit_code;
  // The daemon's answer to `snapshot` for `target`.
  std::function<Result<boost::json::object>()> snapshot;
};

// Exit codes: 0 analysed, 1 analysed and the byte ledger stays open, 4 input that cannot be used.
void add_analyze_log(CLI::App& cli, AnalyzeLogContext context);

// Reads in chunks; memory does not grow with the files. Errors: a file that is missing, not
// readable, empty, or not a RocksDB LOG, each with its name.
Result<model::LogAnalysis> analyze_log_files(const std::vector<std::string>& files);

}  // namespace lsmtuned::daemon
