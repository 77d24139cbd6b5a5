// LogAnalyzer: the LOG files of one database, fed as chunks of bytes, to one LogAnalysis.
//
// Reads the text of RocksDB 7.8 (other versions: what is alike, with a problem noted). Memory is
// bounded whatever is fed: one line, the live files, running jobs, fixed-size series. Never fails:
// what cannot be read is a LogProblem with its line. Thread rules: one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "model/loglines/analysis.h"

namespace lsmtuned::model {

class LogAnalyzer {
 public:
  explicit LogAnalyzer(std::size_t most_intervals = 256);
  ~LogAnalyzer();
  LogAnalyzer(const LogAnalyzer&) = delete;
  LogAnalyzer& operator=(const LogAnalyzer&) = delete;

  // Files in order of time: LOG.old.* by their number, then LOG. `name` stands in problems.
  void begin_file(const std::string& name);
  void feed(std::string_view chunk);
  // Ends the last file. Once only.
  LogAnalysis finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lsmtuned::model
