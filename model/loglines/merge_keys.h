// From dropped records to the number of distinct keys, for uniformly drawn keys.
//
// n draws among K keys hold K(1 - exp(-n/K)) different ones; a merge of runs that hold n_i
// different keys each keeps K(1 - prod(1 - n_i/K)). Both are inverted here. Source:
// model-proposal.md section 6, simulator-notes.md "Calibration". Pure; thread rules: functions may
// run in parallel.
#pragma once

#include <vector>

namespace lsmtuned::model {

// 0 where nothing can be said: no records, none dropped, or more kept than went in.
double keys_from_draws(double draws, double kept);
double keys_from_merge_of(const std::vector<double>& runs, double kept);

}  // namespace lsmtuned::model
