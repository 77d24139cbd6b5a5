// The real LOG that the tests read, and short ways to analyse text.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "model/loglines/analyzer.h"

namespace lsmtuned::model::testing {

inline const std::string& real_log() {
  static const std::string text = [] {
    std::ifstream file(LOGLINES_TEST_DATA "/overwrite.log", std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(file)), {});
  }();
  return text;
}

inline LogAnalysis analyse(std::string_view text, std::size_t chunk = std::string_view::npos) {
  LogAnalyzer analyzer;
  analyzer.begin_file("LOG");
  for (std::size_t at = 0; at < text.size(); at += std::min(chunk, text.size() - at))
    analyzer.feed(text.substr(at, chunk));
  return analyzer.finish();
}

inline const LogProblem* problem_of(const LogAnalysis& analysis, LogProblemKind kind) {
  for (const LogProblem& problem : analysis.problems)
    if (problem.kind == kind) return &problem;
  return nullptr;
}

// A message as RocksDB prints it: seconds after noon, one thread unless named.
inline std::string message(double second, const std::string& text, int thread = 7) {
  char head[64];
  const int whole = static_cast<int>(second);
  std::snprintf(head, sizeof head, "2026/11/21-12:%02d:%02d.%06d %d ", whole / 60, whole % 60,
                static_cast<int>((second - whole) * 1e6 + 0.5), thread);
  return head + text + "\n";
}

}  // namespace lsmtuned::model::testing
