// What makes RocksDB forget how far it has lowered the rate of delayed writers.
//
// RocksDB 7.8 keeps the lowered rate under whatever settings follow, and takes delayed_write_rate
// anew only in a call that changes database options (docs/rocksdb-surprises.md). Pure.
#pragma once

#include <optional>

#include "model/settings.h"

namespace lsmtuned::model {

// To be sent with `changes`: the rate as it is, its old value as new. Empty where nothing goes
// back, where a call for the database is among them anyway, or where the rate is not known.
std::optional<KnobChange> delayed_rate_again(const Settings& present, const ChangeSet& changes);

}  // namespace lsmtuned::model
