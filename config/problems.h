// Collects every problem of one file, each with its place.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/parse.h"
#include "config/raw.h"

namespace lsmtuned::config {

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void add(Position at, std::string key, std::string message, std::string remedy = {}) {
    list_.push_back(
        {file_, at.line, at.column, std::move(key), std::move(message), std::move(remedy)});
  }
  // In the order of the file.
  std::vector<Problem> take();

 private:
  std::string file_;
  std::vector<Problem> list_;
};

}  // namespace lsmtuned::config
