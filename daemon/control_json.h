// What the control socket answers about a target: a raw snapshot, and its status.
//
// Forms of decisions, settings and predictions come from daemon/codec.h. docs/commands.md lists
// the members. Pure.
#pragma once

#include <boost/json.hpp>

#include "daemon/history.h"
#include "daemon/target_runner.h"
#include "model/snapshot.h"

namespace lsmtuned::daemon {

// Everything that was sampled; latency histograms as [bucket, count, bucket, count, ...].
boost::json::object snapshot_json(const model::Snapshot& snapshot);
boost::json::object status_json(const TargetRunner& runner, double now_s);
// One line a target, for `targets`.
boost::json::object summary_json(const TargetRunner& runner);
boost::json::object sample_json(const SampleRow& row);

}  // namespace lsmtuned::daemon
