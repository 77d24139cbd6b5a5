#include "config/problems.h"

#include <algorithm>

namespace lsmtuned::config {

std::vector<Problem> Problems::take() {
  std::stable_sort(list_.begin(), list_.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return std::move(list_);
}

std::string Problem::text() const {
  std::string out = file;
  if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
  if (!key.empty()) out += ": " + key;
  out += ": " + message;
  if (!remedy.empty()) out += "\n  " + remedy;
  return out;
}

}  // namespace lsmtuned::config
