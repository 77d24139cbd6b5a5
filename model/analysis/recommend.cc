#include "model/analysis/recommend.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "model/analysis/level_load.h"
#include "model/analysis/plan.h"
#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kDoubled = 2;
constexpr double kStalls = 0.02;          // share of time: below it nothing holds writers up
constexpr double kOneRecordAWrite = 1.5;  // records by write
constexpr double kBatch = 16;             // records: what remains of a header is lost in the record
constexpr double kBatchHeaderBytes = 12;  // of a write batch
constexpr double kLogHeaderBytes = 7;     // of a log record
constexpr double kTagAndLengthBytes = 4;  // of a record within a batch, at the least
constexpr double kSmallRecord = 256;      // bytes
constexpr double kTableBytesOfRecord = 12;  // of a record in a table
constexpr double kMemtableBytesOfRecord = 40;
constexpr double kWalShare = 0.05;  // of the bytes written
constexpr double kMissShare = 0.2;
constexpr double kReadShare = 0.05;

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

class Advisor {
 public:
  Advisor(const Problem& problem, const ModelChoice& choice, const SMax& present)
      : problem_(problem), choice_(choice), present_(present) {}

  std::vector<Recommendation> take() && { return std::move(list_); }

  void settings() {
    if (choice_.model == OwnModel::ledger) return;
    const auto level = level_bottleneck(problem_, choice_);
    if (!level || level->actions.empty()) return;
    const LevelAction& best = level->actions.front();
    const LevelLoad& load = level->levels[level->bottleneck];
    add(RecommendationKind::parameter, RecommendationTerm::immediate,
        describe({{"", best.knob, best.from, best.to}}),
        "compaction into L" + std::to_string(load.level) + " takes " +
            format_percent(load.device_share) + " of the device and writes " +
            short_number(load.write_amplification) + " bytes by user byte",
        PredictedGain{best.gain_share, best.low_share, best.high_share});
  }

  void machine() {
    const DeviceSpec& device = problem_.device;
    Problem faster = problem_;
    faster.device.write_bytes_per_s *= kDoubled;
    faster.device.read_bytes_per_s *= kDoubled;
    long_term("a device that writes and reads twice as fast",
              "it writes " + format_rate(device.write_bytes_per_s) + "; the ledger's bound is " +
                  to_text(present_.bound),
              faster);
    Problem cores = problem_;
    cores.constants.cores *= kDoubled;
    long_term("twice the cores for background work",
              short_number(problem_.constants.cores) + " are left to it", cores);
    Problem memory = problem_;
    for (const Knob knob : {Knob::write_buffer_size, Knob::max_bytes_for_level_base})
      memory.settings.set(knob,
                          kDoubled * problem_.settings.get_or(knob, info(knob).rocksdb_default));
    const double buffer = problem_.settings.get_or(Knob::write_buffer_size,
                                                   info(Knob::write_buffer_size).rocksdb_default);
    const double buffers = problem_.settings.get_or(
        Knob::max_write_buffer_number, info(Knob::max_write_buffer_number).rocksdb_default);
    long_term("twice the memory for memtables (write_buffer_size, with the base level)",
              "memtables take up to " + format_bytes(buffer * buffers), memory);
    if (problem_.constants.wal_bytes_per_user_byte > 0 && !(device.wal_write_bytes_per_s > 0)) {
      Problem apart = problem_;
      apart.device.wal_write_bytes_per_s = device.write_bytes_per_s;
      long_term("a device of its own for the WAL",
                "the WAL writes " + short_number(problem_.constants.wal_bytes_per_user_byte) +
                    " of " + short_number(present_.write_amplification) + " bytes by user byte",
                apart);
    }
  }

  void workload(const WorkloadEvidence& seen) {
    pace(seen);
    batch(seen);
    small_records(seen);
    if (seen.range_deletions > 0)
      uncovered(
          RecommendationKind::workload, RecommendationTerm::long_term,
          "drop whole ranges by a column family of their own, or DeleteFilesInRange",
          short_number(seen.range_deletions) + " range tombstones were flushed since the open",
          "no tombstones for compactions and reads to carry; the models do not cover them");
    if (seen.manual_compactions_running > 0)
      uncovered(RecommendationKind::workload, RecommendationTerm::immediate,
                "no CompactRange under load", "a manual compaction is running",
                "its bytes compete with the others; the models do not cover it");
    const double looked_up = seen.cache_hits + seen.cache_misses;
    const double missed = looked_up > 0 ? seen.cache_misses / looked_up : 0;
    const double all = seen.reads + seen.records;
    if (all > 0 && seen.reads / all > kReadShare && missed > kMissShare)
      uncovered(RecommendationKind::system, RecommendationTerm::long_term,
                "a larger block cache, and the memory for it",
                format_percent(seen.reads / all) + " of operations read, and " +
                    format_percent(missed) + " of block look-ups miss the cache",
                "fewer reads of the device; how many fewer is not predicted");
  }

 private:
  std::optional<double> rate_of(const Problem& moved) const {
    if (!moved.check().empty()) return std::nullopt;
    const auto there = predict_s_max(moved, choice_);
    if (!there || !(there->put_bytes_per_s > 0)) return std::nullopt;
    return there->put_bytes_per_s;
  }

  void add(RecommendationKind kind, RecommendationTerm term, std::string what, std::string evidence,
           const PredictedGain& gain) {
    Recommendation one{kind, term, std::move(what), std::move(evidence), "", gain, true};
    one.worth = gain.low_share > 0;
    one.effect = one.worth ? "S_max rises" : "no gain that can be told from nil";
    list_.push_back(std::move(one));
  }

  void uncovered(RecommendationKind kind, RecommendationTerm term, std::string what,
                 std::string evidence, std::string effect) {
    list_.push_back(
        {kind, term, std::move(what), std::move(evidence), std::move(effect), std::nullopt, true});
  }

  void long_term(std::string what, std::string evidence, const Problem& moved) {
    if (const auto rate = rate_of(moved))
      add(RecommendationKind::system, RecommendationTerm::long_term, std::move(what),
          std::move(evidence), predicted_gain(present_.put_bytes_per_s, *rate, choice_.model));
  }

  void pace(const WorkloadEvidence& seen) {
    if (!(seen.stall_share > kStalls)) return;
    PlanGoal goal;
    if (choice_.model != OwnModel::ledger)
      goal.choice = {OwnModel::totals, choice_.members, choice_.seed};
    Problem unloaded = problem_;
    unloaded.workload.offered_bytes_per_s = 0;
    const auto found = plan(unloaded, goal);
    if (!found || !found->highest_rate_bytes_per_s.value) return;
    const PlanAnswer& rate = found->highest_rate_bytes_per_s;
    uncovered(RecommendationKind::workload, RecommendationTerm::immediate,
              "offer at most " + format_rate(*rate.value) + " (80 %: " + format_rate(rate.low) +
                  " to " + format_rate(rate.high) + ")",
              "writers stall " + format_percent(seen.stall_share) + " of the time at " +
                  format_rate(seen.put_bytes_per_s),
              "at most " + format_percent(found->max_stall_share) + " of the time stalled over " +
                  format_duration(found->horizon_s));
  }

  // Records by write call: counted where latencies are, else from the headers of the batches. Those
  // of writers that joined a group have none, so it is an upper limit there.
  static double records_by_write(const WorkloadEvidence& seen) {
    if (seen.write_calls > 0) return seen.records / seen.write_calls;
    const double headers =
        (seen.batch_bytes - seen.user_bytes - kTagAndLengthBytes * seen.records) /
        kBatchHeaderBytes;
    return headers > 0 ? seen.records / headers : 0;
  }

  void batch(const WorkloadEvidence& seen) {
    if (!(seen.records > 0) || !(seen.wal_bytes > 0)) return;
    const double by_write = records_by_write(seen);
    const double wal_share = seen.wal_bytes / (seen.wal_bytes + seen.table_bytes);
    if (!(by_write > 0) || by_write > kOneRecordAWrite || wal_share < kWalShare) return;
    const double record = seen.user_bytes / seen.records;
    const double saved = (kBatchHeaderBytes + kLogHeaderBytes) / record * (1 - by_write / kBatch);
    Problem batched = problem_;
    double& wal = batched.constants.wal_bytes_per_user_byte;
    wal = std::max(0.0, wal - saved);
    const auto rate = rate_of(batched);
    if (!rate) return;
    add(RecommendationKind::workload, RecommendationTerm::long_term,
        "write in batches of " + short_number(kBatch) + " records and more",
        short_number(by_write) + " records a write; the WAL is " + format_percent(wal_share) +
            " of what is written, " + format_percent(saved * seen.user_bytes / seen.wal_bytes) +
            " of it headers. Calls that batches save the foreground are not counted",
        predicted_gain(present_.put_bytes_per_s, *rate, choice_.model));
  }

  void small_records(const WorkloadEvidence& seen) {
    if (!(seen.records > 0)) return;
    const double record = seen.user_bytes / seen.records;
    if (record > kSmallRecord) return;
    Problem joined = problem_;
    Workload& load = joined.workload;
    const double user = load.key_bytes + load.value_bytes;
    TreeConstants& known = joined.constants;
    if (known.file_bytes_per_record > 0)
      known.file_bytes_per_record =
          std::max(user, kDoubled * known.file_bytes_per_record - kTableBytesOfRecord);
    if (known.memtable_bytes_per_record > 0)
      known.memtable_bytes_per_record = std::max(
          kDoubled * user, kDoubled * known.memtable_bytes_per_record - kMemtableBytesOfRecord);
    load.value_bytes = kDoubled * user - load.key_bytes;
    load.distinct_keys /= kDoubled;
    const auto rate = rate_of(joined);
    if (!rate) return;
    add(RecommendationKind::workload, RecommendationTerm::long_term,
        "two records in one, where they are written and read together",
        "a record has " + short_number(record) + " bytes: the " +
            short_number(kMemtableBytesOfRecord) + " that it takes beside them in a memtable, " +
            short_number(kTableBytesOfRecord) +
            " in a table and the CPU of each compaction come once a record",
        predicted_gain(present_.put_bytes_per_s, *rate, choice_.model));
  }

  const Problem& problem_;
  const ModelChoice& choice_;
  const SMax& present_;
  std::vector<Recommendation> list_;
};

double gain_of(const Recommendation& one) {
  return one.gain ? one.gain->share : 0;
}

}  // namespace

const char* to_text(RecommendationKind kind) {
  switch (kind) {
    case RecommendationKind::parameter:
      return "parameter";
    case RecommendationKind::workload:
      return "workload";
    case RecommendationKind::system:
      return "system";
  }
  return "system";
}

const char* to_text(RecommendationTerm term) {
  return term == RecommendationTerm::immediate ? "immediate" : "long_term";
}

Result<std::vector<Recommendation>> recommend(const Problem& problem, const ModelChoice& choice,
                                              const std::optional<WorkloadEvidence>& evidence) {
  const auto present = predict_s_max(problem, choice);
  if (!present) return present.error();
  if (!(present->put_bytes_per_s > 0))
    return Error{"nothing is put at all under these settings, so nothing can be compared",
                 "lsmtunectl simulate shows what stops writes"};
  Advisor advisor(problem, choice, *present);
  advisor.settings();
  advisor.machine();
  if (evidence) advisor.workload(*evidence);
  std::vector<Recommendation> list = std::move(advisor).take();
  std::stable_sort(list.begin(), list.end(), [](const Recommendation& a, const Recommendation& b) {
    return a.worth != b.worth ? a.worth : gain_of(a) > gain_of(b);
  });
  return list;
}

}  // namespace lsmtuned::model
