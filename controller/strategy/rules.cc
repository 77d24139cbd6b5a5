// The strategy `rules`: the published rules of ADOC (Yu et al., FAST'23) over public RocksDB
// properties, to be compared with.
//
//   gate     fill < 0.5 of its mean, and an immutable memtable waits
//   threads  + 2; a slow flush (fill > 0.5 flush speed, or no fill): half; idle: half;
//            pending >= soft limit or L0 >= slowdown trigger: + 2. The last that holds counts
//   batch    idle: half; fill > 0.5 flush speed or > 1 immutable: + the initial write buffer;
//            pending or L0 as above: the same. The last that holds counts
//   limits   2 to 20 jobs, 64 to 512 MiB
//
// What is different here, and why: docs/control.md, "Strategies".
#include <algorithm>
#include <cmath>

#include "controller/strategy/strategy.h"
#include "model/invariants.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

using model::Knob;

constexpr double kGate = 0.5;       // of the mean fill
constexpr double kSlowFlush = 0.5;  // fill over flush speed
constexpr double kIdlePeriods = 2.15;
constexpr double kHistoryS = 600;
constexpr double kJobsStep = 2;
constexpr double kFewestJobs = 2;
constexpr double kMostJobs = 20;
constexpr double kSmallestBatch = 64 * model::kMiB;
constexpr double kLargestBatch = 512 * model::kMiB;
constexpr double kBatchGrain = 64 * model::kKiB;
constexpr double kFilesPerJob = 25;  // max_compaction_bytes over target_file_size_base at open
// Left free of the memory budget: while a step waits to be sent, table readers grow with the tree,
// and one sized to the last byte would never pass the guard.
constexpr double kBudgetMargin = 0.02;

RulesMark mark_from(const model::Snapshot& snapshot) {
  RulesMark mark;
  mark.time_s = snapshot.time_s;
  mark.batch_bytes = snapshot.counters.batch_bytes;
  for (const auto& family : snapshot.families) {
    if (family.levels.empty()) continue;
    mark.flush_bytes += family.levels[0].write_bytes;
    mark.flush_seconds += family.levels[0].compaction_seconds;
  }
  return mark;
}

// What the policy, the database and others leave free to move.
class Moves {
 public:
  Moves(const View& view, const model::FamilySnapshot& family) : view_(view), family_(family) {
    wanted_ = view.snapshot().settings;
    inputs_ = model::invariant_inputs(view.snapshot());
    budget_ = view.policy.memory_budget_bytes > 0
                  ? (1 - kBudgetMargin) * view.policy.memory_budget_bytes
                  : model::memory_of(wanted_, inputs_.memory);
  }

  std::optional<double> present(Knob knob) const {
    return view_.snapshot().settings.get(place(knob), knob);
  }
  bool may(Knob knob) const {
    const auto& allowed = view_.policy.knobs;
    const auto& theirs = view_.state.foreign;
    return present(knob) && std::find(allowed.begin(), allowed.end(), knob) != allowed.end() &&
           std::find(theirs.begin(), theirs.end(), std::pair(place(knob), knob)) == theirs.end();
  }
  void set(Knob knob, double value) {
    if (may(knob)) wanted_.set(place(knob), knob, within_bounds(knob, value));
  }
  double within_bounds(Knob knob, double value) const {
    const auto& about = model::info(knob);
    value = std::clamp(value, about.minimum, about.maximum);
    const auto bounds = view_.policy.bounds.find(knob);
    if (bounds == view_.policy.bounds.end()) return value;
    return std::clamp(value, bounds->second.first, bounds->second.second);
  }
  // The largest value of the knob, from `low` to `high`, that keeps within the memory budget; `low`
  // where even that does not.
  double fitting(Knob knob, double low, double high) {
    const auto fits = [&](double value) {
      wanted_.set(place(knob), knob, value);
      return model::memory_of(wanted_, inputs_.memory) <= budget_;
    };
    const double before = wanted_.get(place(knob), knob).value_or(low);
    double best = low;
    if (fits(high)) {
      best = high;
    } else {
      double above = high;
      while (above - best > kBatchGrain) {
        const double middle = std::floor((best + above) / 2 / kBatchGrain) * kBatchGrain;
        if (middle <= best) break;
        (fits(middle) ? best : above) = middle;
      }
    }
    wanted_.set(place(knob), knob, before);
    return best;
  }
  bool within_budget() const { return model::memory_of(wanted_, inputs_.memory) <= budget_; }
  double value(Knob knob) const { return wanted_.get(place(knob), knob).value_or(0); }
  model::ChangeSet changes() const { return model::difference(view_.snapshot().settings, wanted_); }

 private:
  std::string place(Knob knob) const {
    return model::info(knob).scope == model::KnobScope::family ? family_.name : std::string();
  }

  const View& view_;
  const model::FamilySnapshot& family_;
  model::Settings wanted_;
  model::InvariantInputs inputs_;
  double budget_ = 0;
};

// With `rest_stays`, no more than the memory budget leaves room for beside all else.
void set_jobs(Moves& moves, double wanted, double cpu_cores, bool rest_stays) {
  const double most = std::max(kFewestJobs, std::min(kMostJobs, 4 * std::max(1.0, cpu_cores)));
  const double present = moves.present(Knob::max_background_jobs).value_or(kFewestJobs);
  double jobs = std::clamp(std::floor(wanted), kFewestJobs, most);
  moves.set(Knob::max_background_jobs, jobs);
  while (rest_stays && jobs > present && !moves.within_budget())
    moves.set(Knob::max_background_jobs, --jobs);
}

// The write buffer takes what the budget leaves beside compaction files of the baseline's size;
// those then grow towards it as far as the budget goes.
void set_batch(Moves& moves, double wanted, double initial_file,
               const model::FamilySnapshot& family) {
  const double file_now = moves.present(Knob::target_file_size_base).value_or(0);
  const double buffer_now = moves.present(Knob::write_buffer_size).value_or(0);
  moves.set(Knob::target_file_size_base, std::min({initial_file, file_now, wanted}));
  const double least = model::info(Knob::write_buffer_size).minimum;
  const double most = moves.fitting(Knob::write_buffer_size, least, kLargestBatch);
  const double batch =
      std::floor(std::clamp(wanted, std::min(kSmallestBatch, most), most) / kBatchGrain) *
      kBatchGrain;
  moves.set(Knob::write_buffer_size, std::max(batch, least));
  const double buffer = moves.value(Knob::write_buffer_size);
  if (buffer == buffer_now) {
    moves.set(Knob::target_file_size_base, file_now);
    return;
  }
  const double file =
      moves.fitting(Knob::target_file_size_base, moves.value(Knob::target_file_size_base), buffer);
  moves.set(Knob::max_compaction_bytes,
            std::max(moves.value(Knob::max_compaction_bytes), kFilesPerJob * file));
  if (moves.present(Knob::max_compaction_bytes))
    moves.set(Knob::target_file_size_base, std::min(file, moves.value(Knob::max_compaction_bytes)));
  const double trigger = moves.present(Knob::level0_file_num_compaction_trigger).value_or(4);
  moves.set(Knob::max_bytes_for_level_base,
            trigger * std::max(1.0, family.facts.min_write_buffer_number_to_merge) * buffer);
}

class RulesStrategy final : public Strategy {
 public:
  double pause_s(const config::Policy&) const override { return 0; }

  void observe(State& state, const config::Policy& policy) const override {
    const model::Snapshot& snapshot = *state.last;
    RulesMemory& memory = state.rules;
    memory.reading.reset();  // it lasts for one poll: steps come once a period
    const auto* family = model::worst_family(snapshot);
    if (family == nullptr) return;
    const RulesMark mark = mark_from(snapshot);
    if (!memory.from) {
      memory.from = mark;
      return;
    }
    // Polls come a little early and a little late.
    const double seconds = mark.time_s - memory.from->time_s;
    if (seconds <= 0 || seconds < policy.rules_period_s - 0.5 * policy.poll_interval_s) return;
    const double flush_seconds = mark.flush_seconds - memory.from->flush_seconds;
    const double flush_bytes = mark.flush_bytes - memory.from->flush_bytes;
    if (flush_seconds > 0 && flush_bytes > 0)
      memory.flush_bytes_per_s = flush_bytes / flush_seconds;
    const bool idle = snapshot.state.running_flushes + snapshot.state.running_compactions == 0;
    memory.idle_periods = idle ? memory.idle_periods + 1 : 0;

    RulesReading reading;
    reading.fill_bytes_per_s = std::max(0.0, mark.batch_bytes - memory.from->batch_bytes) / seconds;
    memory.fills_bytes_per_s.push_back(reading.fill_bytes_per_s);
    const double most = std::max(2.0, kHistoryS / policy.rules_period_s);
    while (static_cast<double>(memory.fills_bytes_per_s.size()) > most)
      memory.fills_bytes_per_s.pop_front();
    double sum = 0;
    for (const double fill : memory.fills_bytes_per_s) sum += fill;
    reading.mean_fill_bytes_per_s = sum / static_cast<double>(memory.fills_bytes_per_s.size());
    reading.flush_bytes_per_s = memory.flush_bytes_per_s;
    reading.immutable_memtables = family->immutable_memtables;
    const auto limit = [&](Knob knob) {
      return snapshot.settings.get(family->name, knob).value_or(0);
    };
    if (const double soft = limit(Knob::soft_pending_compaction_bytes_limit); soft > 0)
      reading.pending_ratio = family->pending_compaction_bytes / soft;
    if (const double slowdown = limit(Knob::level0_slowdown_writes_trigger);
        slowdown > 0 && !family->levels.empty())
      reading.l0_ratio = family->levels[0].files / slowdown;
    reading.idle_periods = memory.idle_periods;
    memory.reading = reading;
    memory.from = mark;
  }

  Suggestion suggest(const View& view) const override {
    const auto& reading = view.state.rules.reading;
    const auto* family = model::worst_family(view.snapshot());
    if (view.state.rules.fills_bytes_per_s.empty() || family == nullptr)
      return Nothing{"measuring", "the rules have not seen a whole period yet", {}};
    if (!reading) return Nothing{};  // in the middle of a period
    // A trial has to be judged against something.
    if (!unverified(view.policy))
      if (auto nothing = nothing_to_gain(view); nothing.reason == "measuring") return nothing;
    if (!(reading->fill_bytes_per_s < kGate * reading->mean_fill_bytes_per_s &&
          reading->immutable_memtables >= 1))
      return Nothing{"rules_gate",
                     "memtables are not held up: the rules look for a fill below half of its mean "
                     "while a flush waits",
                     {}};
    const bool slow = reading->fill_bytes_per_s > kSlowFlush * reading->flush_bytes_per_s ||
                      reading->fill_bytes_per_s == 0;
    const bool idle = reading->idle_periods > kIdlePeriods;
    const bool pressure = reading->pending_ratio >= 1 || reading->l0_ratio >= 1;
    Moves moves(view, *family);

    const double jobs = moves.present(Knob::max_background_jobs).value_or(kFewestJobs);
    double wanted_jobs = jobs + kJobsStep;
    if (slow || idle) wanted_jobs = jobs / 2;
    if (pressure) wanted_jobs = jobs + kJobsStep;
    const double buffer = moves.present(Knob::write_buffer_size).value_or(kSmallestBatch);
    const auto initial = [&](Knob knob, double otherwise) {
      return view.state.persistent.baseline.get(family->name, knob).value_or(otherwise);
    };
    double batch = buffer;
    if (idle) batch = buffer / 2;
    const bool full = reading->fill_bytes_per_s > kSlowFlush * reading->flush_bytes_per_s ||
                      reading->immutable_memtables > 1;
    if (full || pressure) batch = buffer + initial(Knob::write_buffer_size, buffer);
    set_jobs(moves, wanted_jobs, view.state.cpu_cores, batch == buffer);
    if (batch != buffer)
      set_batch(moves, batch, initial(Knob::target_file_size_base, kSmallestBatch), *family);

    Proposal proposal;
    proposal.changes = moves.changes();
    if (proposal.changes.empty())
      return Nothing{
          "rules_limit", "the rules' next step is outside their limits or the policy's", {}};
    proposal.reason = "rules";
    proposal.explanation = model::describe(proposal.changes) + ": memtables fill at " +
                           model::format_rate(reading->fill_bytes_per_s) + ", mean " +
                           model::format_rate(reading->mean_fill_bytes_per_s) +
                           ", a flush runs at " + model::format_rate(reading->flush_bytes_per_s) +
                           (slow ? " (slow)" : "") + (idle ? "; background threads are idle" : "") +
                           (pressure ? "; L0 or pending bytes are at their limit" : "");
    return proposal;
  }
};

}  // namespace

const Strategy& rules_strategy() {
  static const RulesStrategy strategy;
  return strategy;
}

}  // namespace lsmtuned::controller
