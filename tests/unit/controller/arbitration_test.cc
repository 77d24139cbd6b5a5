// Several databases share memory and take turns; several families share one database's trials.
#include "controller/arbitration.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include "model/units.h"

#include <memory>

#include "controller/search_space.h"
#include "driver.h"
#include "model/invariants.h"

namespace lsmtuned::controller {
namespace {

using model::Knob;
using testing::Driver;

using model::kMiB;

Contender database(const std::string& name, double stall_share, double memory_mib = 100) {
  Contender contender;
  contender.name = name;
  contender.tunes = true;
  contender.ready = true;
  contender.stall_share = stall_share;
  contender.put_bytes_per_s = 10 * kMiB;
  contender.memory_bytes = memory_mib * kMiB;
  return contender;
}

std::string holder(const Arbitration& result) {
  std::string name;
  for (const auto& [who, turn] : result.turns) {
    if (!turn.may_change) continue;
    EXPECT_TRUE(name.empty()) << "two turns: " << name << " and " << who;
    name = who;
  }
  return name;
}

TEST(Arbitration, OneDatabaseWithoutASharedBudgetIsFree) {
  const std::vector<Contender> one = {database("a", 0.5)};
  EXPECT_TRUE(arbitrate({}, one, {}, 0).turns.empty());
  ArbitrationPolicy shared;
  shared.memory_budget_bytes = 300 * kMiB;
  const auto turns = arbitrate({}, one, shared, 0).turns;
  ASSERT_EQ(turns.size(), 1u);
  EXPECT_TRUE(turns.at("a").may_change);
  EXPECT_EQ(turns.at("a").memory_budget_bytes, 300 * kMiB);
}

TEST(Arbitration, TheWorstComesFirst) {
  const std::vector<Contender> three = {database("a", 0.1), database("b", 0.4), database("c", 0)};
  const auto result = arbitrate({}, three, {}, 0);
  EXPECT_EQ(holder(result), "b");
  EXPECT_EQ(result.turns.at("a").waits_for, "it is the turn of b");
}

TEST(Arbitration, ATurnThatFindsNothingGoesOn) {
  const std::vector<Contender> two = {database("a", 0.4), database("b", 0.1)};
  ArbiterMemory memory;
  std::vector<std::string> order;
  for (double now = 0; now < 300; ++now) {
    auto result = arbitrate(memory, two, {}, now);
    memory = result.memory;
    const std::string name = holder(result);
    if (order.empty() || order.back() != name) order.push_back(name);
  }
  // 60 s each; the one that had its turn lets the other go first, however much it stalls.
  EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "a", "b", "a"}));
}

TEST(Arbitration, ASearchKeepsItsTurn) {
  std::vector<Contender> two = {database("a", 0.4), database("b", 0.1)};
  ArbiterMemory memory = arbitrate({}, two, {}, 0).memory;
  two[0].working = true;
  EXPECT_EQ(holder(arbitrate(memory, two, {}, 500)), "a");
  two[0].working = false;
  EXPECT_EQ(holder(arbitrate(memory, two, {}, 501)), "b");
}

TEST(Arbitration, OneChangeAtATimeAndAStaggerAfterIt) {
  std::vector<Contender> two = {database("a", 0.4), database("b", 0.3)};
  ArbiterMemory memory = arbitrate({}, two, {}, 0).memory;
  two[0].ready = false;
  two[0].changing = true;
  auto during = arbitrate(memory, two, {}, 1000);
  EXPECT_EQ(holder(during), "a");
  EXPECT_EQ(during.turns.at("b").waits_for, "a is being changed");
  two[0].changing = false;  // ended: in its cooldown
  auto after = arbitrate(during.memory, two, {}, 1001);
  EXPECT_EQ(holder(after), "");
  EXPECT_EQ(after.turns.at("b").waits_for, "a was changed less than 1 min ago");
  EXPECT_EQ(holder(arbitrate(after.memory, two, {}, 1059)), "");
  EXPECT_EQ(holder(arbitrate(after.memory, two, {}, 1060)), "b");
}

TEST(Arbitration, ARevertOutOfTurnHoldsTheOthersUpToo) {
  std::vector<Contender> two = {database("a", 0.4), database("b", 0.3)};
  two[1].changing = true;  // an operator's revert
  two[1].ready = false;
  const auto result = arbitrate({}, two, {}, 0);
  EXPECT_EQ(result.turns.at("a").waits_for, "b is being changed");
}

TEST(Arbitration, NoTurnIsGivenWhileAnotherBelievesToHaveOne) {
  std::vector<Contender> two = {database("a", 0.4), database("b", 0.3)};
  two[1].holds_turn = true;  // it was alone until now, and has not heard of this yet
  const auto first = arbitrate({}, two, {}, 0);
  EXPECT_EQ(holder(first), "");
  two[1].holds_turn = false;
  EXPECT_EQ(holder(arbitrate(first.memory, two, {}, 1)), "a");
}

TEST(Arbitration, ADatabaseThatGoesAwayGivesItsTurnBack) {
  std::vector<Contender> two = {database("a", 0.4), database("b", 0.3)};
  ArbiterMemory memory = arbitrate({}, two, {}, 0).memory;
  two.erase(two.begin());
  two.push_back(database("c", 0));
  EXPECT_EQ(holder(arbitrate(memory, two, {}, 1)), "b");
}

TEST(Arbitration, AdviceIsTakenBetweenTurns) {
  std::vector<Contender> two = {database("a", 0.4), database("b", 0.3)};
  two[0].tunes = two[0].ready = false;
  two[0].advises = true;
  EXPECT_TRUE(arbitrate({}, two, {}, 0).turns.at("a").may_change);
  two[1].changing = true;
  EXPECT_FALSE(arbitrate({}, two, {}, 0).turns.at("a").may_change);
}

// 500 MiB, 100 each taken: the 200 left go 3 : 1 to those that stall.
TEST(Arbitration, SpareMemoryGoesWhereWritesStall) {
  ArbitrationPolicy shared;
  shared.memory_budget_bytes = 500 * kMiB;
  const std::vector<Contender> three = {database("a", 0.3), database("b", 0.1), database("c", 0)};
  const auto turns = arbitrate({}, three, shared, 0).turns;
  EXPECT_NEAR(turns.at("a").memory_budget_bytes, 250 * kMiB, 1);
  EXPECT_NEAR(turns.at("b").memory_budget_bytes, 150 * kMiB, 1);
  EXPECT_NEAR(turns.at("c").memory_budget_bytes, 100 * kMiB, 1);
}

TEST(Arbitration, BeyondTheBudgetNobodyMayGrow) {
  ArbitrationPolicy shared;
  shared.memory_budget_bytes = 150 * kMiB;
  const std::vector<Contender> two = {database("a", 0.3), database("b", 0.1)};
  const auto turns = arbitrate({}, two, shared, 0).turns;
  EXPECT_EQ(turns.at("a").memory_budget_bytes, 75 * kMiB);
  EXPECT_EQ(turns.at("b").memory_budget_bytes, 75 * kMiB);
}

TEST(Arbitration, WaitsUntilTheMemoryOfAllIsKnown) {
  ArbitrationPolicy shared;
  shared.memory_budget_bytes = 500 * kMiB;
  const std::vector<Contender> two = {database("a", 0.3), database("b", 0.1, 0)};
  const auto result = arbitrate({}, two, shared, 0);
  EXPECT_EQ(holder(result), "");
  EXPECT_EQ(result.turns.at("a").waits_for, "the memory of b is not known yet");
}

TEST(Arbitration, TheHoldersShareStaysWhileItsTurnLasts) {
  ArbitrationPolicy shared;
  shared.memory_budget_bytes = 500 * kMiB;
  std::vector<Contender> two = {database("a", 0.3), database("b", 0.1)};
  const auto first = arbitrate({}, two, shared, 0);
  const double share = first.turns.at("a").memory_budget_bytes;
  two[0].stall_share = 0.05;
  two[1].stall_share = 0.6;
  EXPECT_EQ(arbitrate(first.memory, two, shared, 1).turns.at("a").memory_budget_bytes, share);
  two.push_back(database("c", 0, 250));  // a third one leaves less
  const auto turns = arbitrate(first.memory, two, shared, 2).turns;
  EXPECT_EQ(turns.at("a").memory_budget_bytes, 150 * kMiB);
}

TEST(Arbitration, OnlyNewsIsTold) {
  const Turn waits{false, 100 * kMiB, "it is the turn of a"};
  EXPECT_TRUE(worth_telling({}, waits));
  EXPECT_FALSE(worth_telling(waits, waits));
  Turn drifted = waits;
  drifted.memory_budget_bytes = 105 * kMiB;
  EXPECT_FALSE(worth_telling(waits, drifted));
  drifted.may_change = true;
  EXPECT_TRUE(worth_telling(waits, drifted));
  Turn larger = drifted;
  larger.memory_budget_bytes += 1;
  EXPECT_TRUE(worth_telling(drifted, larger));
}

RC_GTEST_PROP(ArbitrationProperty, OneTurnAndTheBudgetWhateverHappens, (std::uint32_t seed)) {
  std::uint32_t state = seed | 1;
  const auto below = [&](std::uint32_t limit) {
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return state % limit;
  };
  ArbitrationPolicy shared;
  shared.memory_budget_bytes = below(2) == 0 ? 0 : 64.0 * kMiB * (1 + below(20));
  ArbiterMemory memory;
  std::vector<Contender> all;
  double now = 0;
  for (int round = 0; round < 60; ++round) {
    if (all.size() < 5 && below(4) == 0) all.push_back(database("db" + std::to_string(round), 0));
    if (!all.empty() && below(20) == 0) all.erase(all.begin() + below(std::uint32_t(all.size())));
    for (Contender& one : all) {
      one.stall_share = below(3) == 0 ? 0 : 0.01 * below(100);
      one.memory_bytes = 1e6 * below(200);
      one.tunes = below(8) != 0;
      one.ready = one.tunes && below(3) != 0;
      one.changing = one.tunes && one.holds_turn && below(2) == 0;
      one.working = below(3) == 0;
    }
    now += 0.5 * below(100);
    auto result = arbitrate(memory, all, shared, now);
    memory = std::move(result.memory);
    int granted = 0;
    double sum = 0;
    double taken = 0;
    for (Contender& one : all) {
      const auto turn = result.turns.find(one.name);
      if (turn == result.turns.end()) continue;
      if (one.tunes) one.holds_turn = turn->second.may_change;
      granted += one.tunes && turn->second.may_change;
      sum += turn->second.memory_budget_bytes;
      taken += one.memory_bytes;
      RC_ASSERT(turn->second.may_change == turn->second.waits_for.empty());
    }
    RC_ASSERT(granted <= 1);
    if (shared.memory_budget_bytes > 0) RC_ASSERT(sum <= shared.memory_budget_bytes);
  }
}

// ---- with controllers ---------------------------------------------------------------------------

double most_memory(const Driver& driver) {
  const auto inputs = model::invariant_inputs(driver.snapshot()).memory;
  return std::max(model::memory_of(driver.settings, inputs),
                  model::memory_of(driver.baseline, inputs));
}

// Two databases that both want four times their write buffers, in a budget that holds both as they
// are and one and a half of the wishes.
TEST(ArbitrationOfControllers, TrialsNeverOverlapAndMemoryStaysWithinTheBudget) {
  std::map<std::string, std::unique_ptr<Driver>> databases;
  for (const std::string name : {"calm", "worst"}) {
    auto driver = std::make_unique<Driver>();
    driver->state.target = name;
    driver->plant.stall = name == "worst" ? 0.5 : 0.2;
    driver->tuned_plant.stall = 0.1;
    driver->candidate(Knob::write_buffer_size, 16 * kMiB);
    driver->attach();
    databases[name] = std::move(driver);
  }
  ArbitrationPolicy shared;
  const auto inputs = model::invariant_inputs(databases["calm"]->snapshot()).memory;
  const double wish =
      12 * kMiB *
      databases["calm"]->settings.get("default", Knob::max_write_buffer_number).value_or(2);
  shared.memory_budget_bytes = 2 * model::memory_of(Driver::base_settings(), inputs) + 1.7 * wish;
  shared.stagger_s = 30;
  ArbiterMemory memory;
  std::map<std::string, std::optional<Turn>> said;
  std::vector<std::pair<std::string, double>> begun;
  std::map<std::string, double> last_seen_changing;
  std::map<std::string, bool> was_changing;
  for (int second = 0; second < 900; ++second) {
    std::vector<Contender> contenders;
    for (const auto& [name, driver] : databases) contenders.push_back(contender_of(driver->state));
    const double now = databases["calm"]->now;
    auto result = arbitrate(std::move(memory), contenders, shared, now);
    memory = std::move(result.memory);
    double share = 0;
    for (const auto& [name, driver] : databases) {
      const Turn& turn = result.turns.at(name);
      share += turn.memory_budget_bytes;
      if (worth_telling(said[name], turn)) driver->feed(TurnGiven{turn});
      said[name] = turn;
    }
    EXPECT_LE(share, shared.memory_budget_bytes);
    double taken = 0;
    int changing = 0;
    for (const auto& [name, driver] : databases) {
      driver->poll();
      taken += most_memory(*driver);
      const bool is = contender_of(driver->state).changing;
      changing += is;
      if (is && !was_changing[name]) begun.emplace_back(name, driver->now);
      if (is) last_seen_changing[name] = driver->now;
      was_changing[name] = is;
      if (begun.empty() || begun.back() != std::pair(name, driver->now)) continue;
      for (const auto& [other, when] : last_seen_changing) {
        if (other != name) {
          EXPECT_GE(driver->now - when, shared.stagger_s) << name << " after " << other;
        }
      }
    }
    EXPECT_LE(changing, 1);
    EXPECT_LE(taken, shared.memory_budget_bytes);
  }
  ASSERT_FALSE(begun.empty());
  EXPECT_EQ(begun.front().first, "worst");
  EXPECT_EQ(databases["worst"]->settings.get("default", Knob::write_buffer_size), 16 * kMiB);
  // What is left does not hold the other's wish: it is refused, and nothing was sent.
  EXPECT_EQ(databases["calm"]->settings.get("default", Knob::write_buffer_size), 4 * kMiB);
  for (const auto& [name, driver] : databases) EXPECT_TRUE(driver->broken.empty()) << name;
}

// ---- families -----------------------------------------------------------------------------------

// "hot" takes nine tenths of the writes; "slow" stands nearer to its slowdown trigger; "idle" is
// not written to and stands nearest.
State three_families(double hot_files = 4, double slow_files = 12, double idle_files = 19) {
  Driver driver;
  State state;
  for (int i = 0; i < 3; ++i) {
    model::Snapshot snapshot = driver.snapshot();
    snapshot.time_s = 100 + i;
    const model::FamilySnapshot family = snapshot.families.front();
    snapshot.families.clear();
    for (const auto& [name, files, flushed] :
         {std::tuple{"hot", hot_files, 9e6}, std::tuple{"slow", slow_files, 1e6},
          std::tuple{"idle", idle_files, 0.0}}) {
      model::FamilySnapshot one = family;
      one.name = name;
      one.levels[0].files = files;
      one.levels[0].write_bytes = 1e9 + flushed * i;
      one.pending_compaction_bytes = 0;
      snapshot.families.push_back(one);
      snapshot.settings.families[name] = Driver::base_settings().families.at("default");
    }
    snapshot.settings.families.erase("default");
    state.recent.push_back(snapshot);
    state.last = snapshot;
  }
  return state;
}

TEST(Families, NeedIsPressureAndShareOfTheWrites) {
  const auto needs = family_needs(three_families().recent);
  ASSERT_EQ(needs.size(), 3u);
  EXPECT_EQ(needs[0].name, "idle");
  EXPECT_EQ(needs[1].name, "slow");
  EXPECT_DOUBLE_EQ(needs[1].pressure, 12.0 / 20);
  EXPECT_DOUBLE_EQ(needs[1].write_share, 0.1);
  EXPECT_DOUBLE_EQ(needs[2].write_share, 0.9);
}

TEST(Families, TheWorstThatIsWrittenToComesFirst) {
  State state = three_families();
  FamilyChoice choice = choose_family(state, 0);
  EXPECT_EQ(choice.family, "slow");
  EXPECT_FALSE(choice.database_knobs);  // most writes are hot's
  state.family_rests.push_back({"slow", 50});
  choice = choose_family(state, 0);
  EXPECT_EQ(choice.family, "hot");
  EXPECT_TRUE(choice.database_knobs);
  EXPECT_EQ(choose_family(state, 50).family, "slow");  // rested
  state.family_rests.push_back({"hot", 60});
  EXPECT_EQ(choose_family(state, 0).family, "slow");  // all rest: the worst
}

TEST(Families, ASearchMovesKnobsOfItsFamilyOnly) {
  const State state = three_families();
  SearchRequest request;
  request.snapshot = *state.last;
  request.policy = Driver::base_policy();
  request.cpu_cores = 2;
  request.family = "slow";
  request.database_knobs = false;
  const SearchSpace own(request);
  ASSERT_FALSE(own.axes().empty());
  for (const auto& axis : own.axes())
    EXPECT_EQ(axis.family, "slow") << model::info(axis.knob).option;
  request.database_knobs = true;
  const SearchSpace all(request);
  EXPECT_GT(all.axes().size(), own.axes().size());
}

// The controller asks about the worst first, goes on where nothing is found, and tries one change.
TEST(Families, ControllersSearchTheWorstFirstAndThenTheOther) {
  Driver driver;
  driver.plant.second_family = "second";
  driver.plant.second_l0_files = 15;  // of 20; default: 10
  std::vector<std::pair<std::string, bool>> asked;
  driver.on_step = [&](const State&, const Event&, const StepResult& result) {
    for (const auto& effect : result.effects)
      if (const auto* search = std::get_if<RequestSearch>(&effect))
        asked.emplace_back(search->request.family, search->request.database_knobs);
  };
  driver.attach();
  driver.poll(90);
  ASSERT_GE(asked.size(), 2u);
  EXPECT_EQ(asked[0], std::pair(std::string("second"), false));
  EXPECT_EQ(asked[1], std::pair(std::string("default"), true));
  EXPECT_EQ(driver.sent(false), 0);
  EXPECT_TRUE(driver.broken.empty());
}

// Memory counts over all families: what one takes, another cannot.
TEST(Families, ShareOneMemoryBudget) {
  const State state = three_families();
  auto inputs = model::invariant_inputs(*state.last);
  model::Settings settings = state.last->settings;
  const double before = model::memory_of(settings, inputs.memory);
  inputs.memory_budget_bytes = before + 10 * kMiB;
  const model::ChangeSet first = {{"slow", Knob::write_buffer_size, 4 * kMiB, 8 * kMiB}};
  settings = model::with_changes(settings, first);
  EXPECT_TRUE(model::violations(settings, first, inputs).empty());
  const model::ChangeSet second = {{"hot", Knob::write_buffer_size, 4 * kMiB, 8 * kMiB}};
  settings = model::with_changes(settings, second);
  EXPECT_FALSE(model::violations(settings, second, inputs).empty());
}

}  // namespace
}  // namespace lsmtuned::controller
