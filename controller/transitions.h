// The one transition table of the controller: which phase may follow which, and why.
//
// step() moves between phases only through allowed(); tests enumerate the table; the documentation
// page prints it.
#pragma once

#include <span>
#include <string>

#include "controller/state.h"

namespace lsmtuned::controller {

struct Transition {
  Phase from;
  Phase to;
  const char* why;  // the condition, in words
};
std::span<const Transition> transitions();
bool allowed(Phase from, Phase to);  // staying is always allowed
std::string transitions_markdown();

}  // namespace lsmtuned::controller
