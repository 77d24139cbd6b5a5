// What would raise the put rate or spare the device, from what was counted and what the models
// predict: settings, the way the application writes, and the machine.
//
// Each recommendation stands on evidence (a counter, a measured share or a prediction) and says
// what it is expected to do: a predicted gain of S_max with an 80 % interval (the errors of both
// predictions taken as independent), or that the models do not cover it. Nothing is recommended
// that no counter shows. Changes of the machine are always answered, also where they are predicted
// to gain nothing. Bytes, bytes/s, shares. Pure; thread rules: functions may run in parallel.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/analysis/s_max.h"
#include "model/result.h"

namespace lsmtuned::model {

// Counted by the database since it was opened; 0: nothing, or not known.
struct WorkloadEvidence {
  double seconds = 0;
  double user_bytes = 0;
  double records = 0;      // written
  double write_calls = 0;  // whole Write calls, where latencies are collected
  double batch_bytes = 0;  // write batches: their headers tell how many writes there were
  double wal_bytes = 0;
  double table_bytes = 0;  // written by flushes and compactions
  double reads = 0;
  double cache_hits = 0;
  double cache_misses = 0;
  double range_deletions = 0;
  double manual_compactions_running = 0;
  double stall_share = 0;      // lately
  double put_bytes_per_s = 0;  // lately
};

enum class RecommendationKind { parameter, workload, system };
enum class RecommendationTerm { immediate, long_term };
const char* to_text(RecommendationKind kind);
const char* to_text(RecommendationTerm term);

struct Recommendation {
  RecommendationKind kind{};
  RecommendationTerm term{};
  std::string what;
  std::string evidence;
  std::string effect;                 // in words
  std::optional<PredictedGain> gain;  // of S_max; absent: not a matter of the put rate, or unknown
  bool worth = true;                  // false: predicted to gain nothing that can be told from nil
};

// Without `evidence` (a document) the workload is not judged. By worth, then gain, falling. Errors:
// as predict_s_max().
Result<std::vector<Recommendation>> recommend(const Problem& problem, const ModelChoice& choice,
                                              const std::optional<WorkloadEvidence>& evidence);

}  // namespace lsmtuned::model
