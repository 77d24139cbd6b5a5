#include <algorithm>
#include <cmath>

#include "controller/false_signals.h"
#include "controller/guard.h"
#include "controller/reducer.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {
constexpr double kLookAgainS = 10;       // between looks that ended in a no-op, at most
constexpr double kFamilyRestS = 120;     // of a family in which a search found nothing, at least
constexpr double kReapplyAgainS = 2;     // kept settings that could not be sent: stops are short
constexpr double kSearchTimeoutS = 600;  // a search that never answered is forgotten
constexpr int kMostPauseDoublings = 5;   // of the pause between searches that find nothing
constexpr double kOtherRate = 0.15;      // |ln| of put rates that make it another question
constexpr double kOtherLatest = 0.4;     // the same of the last two cycles

bool rate_moved(double now_bytes_per_s, double then_bytes_per_s, double by) {
  return !(then_bytes_per_s > 0) || !(now_bytes_per_s > 0) ||
         std::abs(std::log(now_bytes_per_s / then_bytes_per_s)) >= by;
}

}  // namespace

void Reducer::start_apply(Decision decision) {
  decision.status = DecisionStatus::intended;
  decision.before = state.last->settings;
  decision.measured_before = state.current_measure;
  judge_kpis(decision);
  Trial trial;
  trial.decision = decision;
  trial.before = trial_baseline(marks_of(state.recent), tree_bytes(*state.last), policy.objective);
  trial.before.foreseen_debt_bytes = decision.predicted_after.pending_bytes;
  trial.candidate = std::exchange(state.candidate, std::nullopt);
  state.trial = std::move(trial);
  state.persistent.open_trial = decision;
  state.outstanding = OutstandingCall{decision.id, false, false, now()};
  state.advice.reset();
  state.last_noop_reason.clear();
  state.fruitless_searches = 0;
  record(decision);
  effects.emplace_back(ApplyChanges{decision.id, decision.changes, policy.apply_deadline_s, false});
  move_to(Phase::applying);
}

void Reducer::rest_family(const std::string& family) {
  if (!state.last || state.last->families.size() < 2) return;
  std::erase_if(state.family_rests, [&](const FamilyRest& rest) {
    return rest.family == family || rest.until_s <= now();
  });
  state.family_rests.push_back({family, now() + std::max(kFamilyRestS, policy.cooldown_s)});
}

void Reducer::consider() {
  if (!state.last || state.outstanding || state.stopping) return;
  // Verified settings come back without a turn, so that many databases need not wait a stagger
  // each; where memory is shared, another may have been given theirs meanwhile.
  const bool shares_memory = state.turn && state.turn->memory_budget_bytes > 0;
  const bool comes_back = !state.persistent.reapply.empty();
  if (comes_back && !shares_memory) return consider_reapply();
  if (waits_for_turn()) return wait_for_turn();
  if (comes_back) return consider_reapply();
  if (state.search_running) {
    if (now() - state.search_started_s < kSearchTimeoutS) return;
    state.search_running = false;
    noop("search", "a search did not answer in time");
  }
  if (state.candidate) return try_candidate();
  forget_fruitless_searches();
  if (rests() || budget_spent()) return;
  if (now() < state.next_search_s) return;
  const Strategy& strategy = strategy_named(policy.strategy);
  state.next_search_s = now() + strategy.pause_s(policy);
  if (const auto why = false_signal(state.recent); !why.empty() && !unverified(policy))
    return noop("false_signal", why);
  std::erase_if(state.failed, [&](const FailedCandidate& f) { return f.until_s <= now(); });
  take(strategy.suggest(view()));
}

View Reducer::view() const {
  return {state, policy, event.now_s, event.wall_s, event.seed, saturated()};
}

void Reducer::ask(SearchRequest request) {
  state.search_running = true;
  state.discard_search = false;
  state.search_started_s = now();
  state.search_family = request.family;
  state.searched = {state.loaded_bytes_per_s, state.latest_bytes_per_s};
  state.next_search_s = now() + search_pause_s() * std::exp2(state.fruitless_searches);
  effects.emplace_back(RequestSearch{std::move(request)});
}

void Reducer::take(Suggestion suggestion) {
  if (auto* nothing = std::get_if<Nothing>(&suggestion)) {
    if (!nothing->explanation.empty())
      noop(nothing->reason, nothing->explanation, std::move(nothing->considered));
    return;
  }
  if (auto* request = std::get_if<SearchRequest>(&suggestion)) return ask(std::move(*request));
  auto& proposal = std::get<Proposal>(suggestion);
  for (const auto& failed : failed_here(state, now()))
    if (tried(proposal.changes, failed.changes))
      return noop("failed_before", "this candidate was tried and reverted",
                  std::move(proposal.considered));
  // One that takes the place of another has no more time than that had.
  const bool second = state.candidate.has_value();
  const double found_at_s = second ? state.candidate->found_at_s : now();
  state.candidate = WaitingCandidate{std::move(proposal), found_at_s, 0, {}, {}, second};
  try_candidate();
}

void Reducer::on(const SearchFinished& finished) {
  if (!state.search_running) return;  // late or doubled
  state.search_running = false;
  if (std::exchange(state.discard_search, false)) return;
  if (state.phase != Phase::steady || !state.last || state.stopping) return;
  if (policy.strategy != config::Strategy::model) return;  // the policy changed while it ran
  SearchResult result = finished.result;
  for (model::Prediction* prediction :
       {&result.current, &result.predicted, &result.predicted_settled})
    *prediction = unbiased(*prediction);
  for (Considered& other : result.considered)
    other.predicted_put_bytes_per_s *= std::exp(state.persistent.prediction_bias);
  Suggestion found = model_strategy().weigh(view(), result);
  if (std::holds_alternative<Nothing>(found)) {
    if (state.candidate) return;  // the one that waits is still the best there is
    rest_family(state.search_family);
    found_nothing();
  }
  take(std::move(found));
}

double Reducer::search_pause_s() const {
  return std::max(kLookAgainS, policy.cooldown_s / 10);
}

// After a reverted trial, unless load or device are no longer those that it was tried under.
bool Reducer::rests() {
  if (now() >= state.rests_until_s) return false;
  if (state.current_measure.l0_compactions >= policy.trial_min_cycles &&
      rate_moved(state.loaded_bytes_per_s, state.rests_at_bytes_per_s, kOtherRate)) {
    state.rests_until_s = 0;
    return false;
  }
  noop("resting",
       "the last trial was reverted; the next is not looked for before it has cost "
       "little over time, or before the put rate moves");
  return true;
}

// A strategy does not risk the revert that would latch the target: that one is for what nobody
// foresaw. Where a single one latches it, there is nothing to spare.
bool Reducer::budget_spent() {
  if (policy.reverts_per_hour_limit < 2 ||
      reverts_within_hour() + 1 < policy.reverts_per_hour_limit)
    return false;
  noop("budget", "one more revert within an hour would stop all changes until an operator acts: " +
                     std::string("nothing is tried before the oldest is an hour old"));
  return true;
}

// The same question asked again and again is answered yes by chance at last, and costs CPU each
// time: each search that leads to no change doubles the pause, until the database takes another
// rate.
void Reducer::found_nothing() {
  state.fruitless_searches = std::min(state.fruitless_searches + 1, kMostPauseDoublings);
}

// Another rate of the window is another question; of the last two cycles alone it may become one.
void Reducer::forget_fruitless_searches() {
  if (state.fruitless_searches == 0) return;
  const bool another =
      rate_moved(state.loaded_bytes_per_s, state.searched.loaded_bytes_per_s, kOtherRate);
  const double latest = state.latest_bytes_per_s;
  const double then = state.searched.latest_bytes_per_s;
  const bool perhaps = latest > 0 && then > 0 && rate_moved(latest, then, kOtherLatest);
  if (another) state.fruitless_searches = 0;
  if (another || perhaps)
    state.next_search_s = std::min(state.next_search_s, state.search_started_s + search_pause_s());
}

// Settings kept before a restart of the database, where the policy wants them back.
void Reducer::consider_reapply() {
  if (now() < state.next_reapply_s) return;
  state.next_reapply_s = now() + kReapplyAgainS;
  model::ChangeSet& reapply = state.persistent.reapply;
  model::ChangeSet wanted;
  for (auto change : reapply) {
    const auto present = state.last->settings.get(change.family, change.knob);
    if (!present || *present == change.new_value) continue;
    change.old_value = *present;
    wanted.push_back(change);
  }
  if (wanted.empty() || mode() != config::Mode::tune) {
    reapply.clear();
    return;
  }
  const auto verdict = check_changes(*state.last, wanted, policy, state.cpu_cores, state.foreign);
  if (verdict.gate == Gate::wait) return noop(verdict.reason, verdict.explanation);
  Decision decision = new_decision(DecisionKind::reapply);
  decision.reason = "restart";
  decision.changes = wanted;
  decision.explanation = "kept before the database restarted: " + model::describe(wanted);
  if (verdict.gate == Gate::closed) {
    reapply.clear();
    end(decision, DecisionStatus::refused, verdict.explanation);
    return;
  }
  start_apply(std::move(decision));
}

}  // namespace lsmtuned::controller
