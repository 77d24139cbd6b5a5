// What was wrong with a LOG, by kind, with the first places of each. Bounded. Thread rules: one
// thread at a time.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "model/loglines/analysis.h"

namespace lsmtuned::model {

class ProblemList {
 public:
  static constexpr std::size_t kPlaces = 8;

  void at(const std::string& file, std::uint64_t line) {
    file_ = &file;
    line_ = line;
  }
  void add(LogProblemKind kind, std::string_view example);
  std::vector<LogProblem> take();  // in enum order, empty kinds left out

 private:
  const std::string* file_ = nullptr;
  std::uint64_t line_ = 0;
  std::array<LogProblem, kLogProblemKinds> problems_{};
};

}  // namespace lsmtuned::model
