// Text scenarios: one command a line, '#' starts a comment, `expect ...` checks.
//
//   policy KEY=VALUE...        mode, cooldown_s, trust_gate_error, reverts_per_hour_limit,
//                              strategy=model|rules|probe, verify=yes|no, ...
//   plant KEY=VALUE...         rate (MiB/s), stall, cycle, put, pending, l0, job_age, delayed, ...
//   tuned KEY=VALUE...         the same, while the settings differ from the baseline
//   candidate KNOB VALUE [gain=G] [probability=P]   what searches find; `candidate none`
//   attach | lose | poll N | wait SECONDS | until PHASE WITHIN | bad_polls N
//   suspend SECONDS            the machine stands still: neither ticks nor writes
//   answer ok|failed|partial|not_sent|pending|ineffective      to the next call
//   late ok|failed|lands       the pending call returns; lands: after target or daemon went
//   records_fail N             the next N records cannot be written
//   foreign KNOB VALUE         someone else changes a knob
//   command freeze|thaw|revert|clear_safe|apply|mode MODE|try KNOB VALUE
//   minute M                   local minute of the day
//   restart database [persisted] | restart daemon [lease_ran_out]   persisted: opened with the
//                              latest OPTIONS file
//   shutdown
//   expect phase P | status KIND STATUS | none KIND | evidence KIND WORDS | setting KNOB VALUE
//          | noop REASON | noted REASON (ever) | alert CODE | refused | kept N | sent N | reverts N
//          | waiting yes|no [WORDS]   a candidate does, for what has these words
#pragma once

#include <string>

namespace lsmtuned::controller::testing {

// Runs one file. Empty on success, else "file:line: what was expected and what was found".
std::string run_script(const std::string& path);

}  // namespace lsmtuned::controller::testing
