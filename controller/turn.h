// A turn: what the arbiter of several databases grants one of them. See controller/arbitration.h.
#pragma once

#include <string>

namespace lsmtuned::controller {

struct Turn {
  bool may_change = false;         // begin a change; reverts wait for no turn
  double memory_budget_bytes = 0;  // its share of what all may take; 0: no shared budget
  std::string waits_for;           // why not, in words; empty when it may
  bool operator==(const Turn&) const = default;
};

}  // namespace lsmtuned::controller
