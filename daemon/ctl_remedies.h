// What lifts each bound on the put rate, in words. Pure.
#pragma once

#include "model/ledger/ledger.h"

namespace lsmtuned::daemon {

const char* remedy(model::Bound bound);

}  // namespace lsmtuned::daemon
