#include "model/simulator/plant.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/knobs.h"
#include "model/simulator/engine.h"
#include "model/simulator/files_tree.h"
#include "model/simulator/meter.h"
#include "model/simulator/totals_tree.h"
#include "model/tree.h"

namespace lsmtuned::model::simulator {

// Either layer's engine beside the parameters it refers to.
class PlantEngine {
 public:
  explicit PlantEngine(const Parameters& made) : parameters(made) {}
  PlantEngine(const PlantEngine&) = delete;
  PlantEngine& operator=(const PlantEngine&) = delete;
  virtual ~PlantEngine() = default;

  virtual Result<void> run_to(double now_s) = 0;
  virtual void settings_changed(bool family, bool database) = 0;
  virtual void machine_changed() = 0;
  virtual TreeShape shape() const = 0;
  virtual double files(std::size_t level) const = 0;
  virtual const Meter& meter() const = 0;
  virtual const WriteController& controller() const = 0;
  virtual const Memtables& memtables() const = 0;
  virtual const Levels& levels() const = 0;
  virtual const std::vector<Job>& flushes() const = 0;
  virtual const std::vector<Job>& compactions() const = 0;
  virtual double now_s() const = 0;

  Parameters parameters;
};

namespace {

template <class Tree>
class EngineOf final : public PlantEngine {
 public:
  EngineOf(const Parameters& made, const Plant::Options& options)
      : PlantEngine(made),
        engine_(parameters, options.problem.tree, options.seed, Meter(parameters)) {}

  Result<void> run_to(double now_s) override {
    engine_.watcher().set_end(now_s);
    return engine_.run();
  }
  void settings_changed(bool family, bool database) override {
    engine_.settings_changed(family, database);
  }
  void machine_changed() override { engine_.machine_changed(); }
  TreeShape shape() const override { return engine_.shape(); }
  double files(std::size_t level) const override { return engine_.files(level); }
  const Meter& meter() const override { return engine_.watcher(); }
  const WriteController& controller() const override { return engine_.controller(); }
  const Memtables& memtables() const override { return engine_.memtables(); }
  const Levels& levels() const override { return engine_.levels(); }
  const std::vector<Job>& flushes() const override { return engine_.flushes(); }
  const std::vector<Job>& compactions() const override { return engine_.compactions(); }
  double now_s() const override { return engine_.now_s(); }

 private:
  Engine<Tree, Meter> engine_;
};

constexpr double kTableReaderShare = 0.002;  // of a table's bytes, as the fluid plant has it

}  // namespace

Plant::Plant(Options options) : options_(std::move(options)) {
  Problem& problem = options_.problem;
  for (const KnobInfo& about : all_knobs()) {
    auto value = problem.settings.get(about.knob);
    if (!value && about.knob == Knob::max_compaction_bytes)
      value = 25 * problem.settings.get_or(Knob::target_file_size_base,
                                           info(Knob::target_file_size_base).rocksdb_default);
    if (!value && about.scope == KnobScope::limiter) continue;
    settings_.set(options_.family, about.knob, value.value_or(about.rocksdb_default));
  }
  if (!(problem.facts.arena_block_bytes > 0)) {  // fixed at open
    problem.facts.arena_block_bytes = std::min(
        1024.0 * 1024, settings_.get(options_.family, Knob::write_buffer_size).value_or(0) / 8);
  }
  const Parameters parameters = make_parameters(problem);
  if (options_.layer == SimulationLayer::totals) {
    engine_ = std::make_unique<EngineOf<TotalsTree>>(parameters, options_);
  } else {
    engine_ = std::make_unique<EngineOf<FilesTree>>(parameters, options_);
  }
}

Plant::Plant(Plant&&) noexcept = default;
Plant& Plant::operator=(Plant&&) noexcept = default;
Plant::~Plant() = default;

Result<Plant> Plant::open(Options options) {
  if (const auto faults = options.problem.check(); !faults.empty())
    return Error{faults.front(), "correct the problem"};
  if (options.problem.facts.dynamic_level_bytes)
    return Error{"facts.level_compaction_dynamic_level_bytes: the plant has static levels only",
                 "use static level targets"};
  return Plant(std::move(options));
}

Result<void> Plant::advance(double seconds) {
  return engine_->run_to(engine_->now_s() + seconds);
}

void Plant::apply_problem() {
  Problem& problem = options_.problem;
  for (const KnobInfo& about : all_knobs())
    if (const auto value = settings_.get(options_.family, about.knob))
      problem.settings.set(about.knob, *value);
  engine_->parameters = make_parameters(problem);
  if (idle_) engine_->parameters.writer_bytes_per_s = 0;
}

void Plant::change(const ChangeSet& changes) {
  bool family = false;
  bool database = false;
  for (const KnobChange& change : changes) {
    const KnobScope scope = info(change.knob).scope;
    family = family || scope == KnobScope::family;
    const bool again = change.old_value == change.new_value;  // set again, which RocksDB obeys
    database = database || (scope == KnobScope::database &&
                            (again || settings_.get("", change.knob) != change.new_value));
  }
  settings_ = with_changes(settings_, changes);
  apply_problem();
  engine_->settings_changed(family, database);
}

void Plant::set_offered(double user_bytes_per_s) {
  idle_ = !(user_bytes_per_s > 0);
  options_.problem.workload.offered_bytes_per_s =
      std::isfinite(user_bytes_per_s) ? user_bytes_per_s : 0;
  apply_problem();
  engine_->machine_changed();
}

void Plant::set_device(double write_bytes_per_s, double read_bytes_per_s) {
  options_.problem.device.write_bytes_per_s = write_bytes_per_s;
  options_.problem.device.read_bytes_per_s = read_bytes_per_s;
  apply_problem();
  engine_->machine_changed();
}

bool Plant::write_stopped() const {
  return engine_->controller().stopped();
}
StallCondition Plant::stall_condition() const {
  return engine_->controller().verdict().condition;
}
double Plant::user_bytes() const {
  return engine_->meter().counters().user_bytes;
}
double Plant::now_s() const {
  return engine_->now_s();
}
const Settings& Plant::settings() const {
  return settings_;
}
TreeShape Plant::tree() const {
  return engine_->shape();
}

Snapshot Plant::snapshot() const {
  const Parameters& p = engine_->parameters;
  const Meter& meter = engine_->meter();
  const WriteController& controller = engine_->controller();
  const Memtables& memtables = engine_->memtables();
  const Levels& levels = engine_->levels();
  Snapshot snapshot;
  snapshot.database_uptime_s = engine_->now_s();
  snapshot.settings = settings_;
  FamilySnapshot family;
  family.name = options_.family;
  family.facts = options_.problem.facts;
  family.levels = meter.levels();
  for (std::size_t l = 0; l < p.levels; ++l) {
    LevelStats& out = family.levels[l];
    out.size_bytes = levels.bytes(l);
    out.files = engine_->files(l);
    out.score = l == 0 ? levels.l0_files() / p.l0_trigger : levels.bytes(l) / levels.target(l);
    family.sst_bytes += out.size_bytes;
  }
  family.base_level = static_cast<double>(p.base_level);
  family.immutable_memtables = memtables.immutable();
  family.active_memtable_bytes = memtables.active_records() * p.memtable_bytes_per_record;
  family.all_memtables_bytes = family.active_memtable_bytes + memtables.immutable() *
                                                                  p.memtable_records *
                                                                  p.memtable_bytes_per_record;
  family.pending_compaction_bytes = levels.pending_bytes();
  family.live_data_bytes = family.levels[p.levels - 1].size_bytes > 0
                               ? family.levels[p.levels - 1].size_bytes
                               : family.sst_bytes;
  family.table_reader_bytes = kTableReaderShare * family.sst_bytes;
  family.flush_pending = memtables.flush_due();
  family.compaction_pending =
      levels.l0_files() >= p.l0_trigger || family.pending_compaction_bytes > 0;
  family.stalls = meter.causes();
  snapshot.families.push_back(std::move(family));

  snapshot.counters = meter.counters();
  DatabaseState& state = snapshot.state;
  state.running_flushes = static_cast<double>(engine_->flushes().size());
  state.running_compactions = static_cast<double>(engine_->compactions().size());
  for (const auto* jobs : {&engine_->flushes(), &engine_->compactions()})
    for (const Job& job : *jobs)
      state.oldest_running_job_s =
          std::max(state.oldest_running_job_s, engine_->now_s() - job.start_s);
  state.write_stopped = controller.stopped();
  state.delayed_write_rate = controller.delayed() ? controller.delayed_rate() : 0;
  state.flushes_completed = meter.flushes();
  state.compactions_completed = meter.compactions();
  state.l0_compactions_completed = meter.l0_compactions();

  DeviceSample device = meter.device();
  device.process_write_bytes = device.write_bytes;
  device.process_read_bytes = device.read_bytes;
  device.in_flight = state.running_flushes + state.running_compactions;
  snapshot.device = std::move(device);
  return snapshot;
}

}  // namespace lsmtuned::model::simulator
