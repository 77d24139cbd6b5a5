// What binds a knob to others, and which models see it: the rest of its registration in knobs.cc.
//
// Thread rules: constant data.
#pragma once

#include <span>

#include "model/knobs.h"

namespace lsmtuned::model {

struct KnobCoupling {
  std::span<const Knob> with;  // must be looked at when this one moves
  const char* rule;            // how they are bound, for the reference page
  // The byte ledger's prediction depends on it. The tree simulator sees every knob; where it does
  // not serve a target, what the ledger does not see is not proposed.
  bool in_ledger = false;
};

const KnobCoupling& coupling(Knob knob);

}  // namespace lsmtuned::model
