#include "controller/search.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>
#include <optional>
#include <utility>

#include "controller/score.h"
#include "controller/search_method.h"
#include "controller/search_order.h"
#include "controller/search_run.h"
#include "controller/search_space.h"
#include "controller/simulated.h"
#include "model/estimate/interval.h"

namespace lsmtuned::controller {
namespace {

constexpr int kTotalsShare = 6;  // one in so many evaluations simulates byte totals
constexpr int kFewestTotals = 48;
constexpr int kFiles = 16;             // candidates that the simulation of files is planned for
constexpr int kPresents = 5;           // predictions of the present settings, to size runs too
constexpr std::size_t kPool = 12;      // candidates that the ledger hands on
constexpr std::size_t kDoubtful = 4;   // and more, which its own limits forbid
constexpr std::size_t kFinalists = 4;  // and the byte totals
constexpr int kOrderWorth = 6;         // evaluations an axis from which their order is looked for
constexpr double kErrorFloor = 0.03;   // of a ratio of two predictions
constexpr double kErrorPerGain = 2;    // times relative error times |ln ratio|: the common part
                                       // of two predictions with one calibration cancels
constexpr double kSigmaRuns = 44;      // simulations that the spread of the gain takes
constexpr std::size_t kMostConsidered = 8;

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

double half_width(const model::Prediction& prediction) {
  if (!(prediction.low_bytes_per_s > 0) || !(prediction.high_bytes_per_s > 0)) return 0;
  return std::log(prediction.high_bytes_per_s / prediction.low_bytes_per_s) / (2 * 1.2816);
}

// Standard deviation of ln(S candidate / S present), both simulated under the same samples of what
// calibration knows badly. Nothing where the simulator does not serve.
std::optional<double> simulated_deviation(const SearchRequest& request, const Scorer& scorer,
                                          const Scored& best, double most_work, double& work) {
  const auto* family = family_of(request);
  if (family == nullptr) return {};
  const auto run =
      trial_run(scorer.horizons_within(most_work / kSigmaRuns), model::SimulationLayer::totals, 1);
  const auto predictor = [&](const model::Settings& settings, const model::Prediction& ledger) {
    return [&, run](const model::Calibration& calibration) -> Result<double> {
      const SimulatedModel simulated(request.snapshot, family->name, calibration, request.cpu_cores,
                                     request.offered_bytes_per_s);
      const auto prediction = simulated.predict(settings, run, ledger, &work);
      if (!prediction) return prediction.error();
      return prediction->put_bytes_per_s;
    };
  };
  const auto gain =
      model::estimate_gain(request.calibration, predictor(request.snapshot.settings, best.trial),
                           predictor(best.settings, best.trial), request.policy.minimum_gain);
  if (!gain) return {};
  return gain->deviation;
}

double probability(const SearchRequest& request, const Scored& best,
                   const std::optional<double>& simulated) {
  const double error = std::max(request.calibration.relative_error, half_width(best.trial));
  const double common = kErrorPerGain * error * std::abs(best.objective);
  const double deviation = std::hypot(kErrorFloor, simulated.value_or(common));
  return normal_cdf((best.objective - std::log1p(request.policy.minimum_gain)) / deviation);
}

// The ledger prunes, the byte totals search, the files decide.
Scored best_of(const SearchMethod& method, const SearchRequest& request, const SearchSpace& space,
               Scorer& scorer) {
  const int evaluations = request.policy.search_evaluations / 2;  // two horizons each
  const int by_totals = std::max(kFewestTotals, evaluations / kTotalsShare);
  const int axes = static_cast<int>(space.axes().size());
  int by_ledger = std::max(2, evaluations - by_totals - kFiles - kPresents);

  std::vector<std::size_t> order(space.axes().size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<std::size_t> first = order;
  AxisPairs related;
  if (method.by_influence && by_ledger >= kOrderWorth * axes) {
    const int before = scorer.evaluations();
    const SearchOrder found = search_order(space, scorer);
    by_ledger -= (scorer.evaluations() - before) / 2;
    order = found.axes;
    related = found.related;
    const std::size_t explored = std::max(found.matter, method.explore_fewest);
    if (method.explore_fewest > 0 && explored < order.size())
      first.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(explored));
  }

  SearchRun ledger(space, scorer, by_ledger, order, related);
  ledger.optimise(method.explore, method.explore_share, first, request.seed);
  ledger.optimise(method.refine, method.ledger_refine_share, request.seed);
  ledger.polish();
  const auto pool = ledger.pool(kPool, kDoubtful);
  if (pool.empty() || !scorer.use(ScoreLayer::totals, kFewestTotals)) {
    ledger.drop_idle_knobs();
    return ledger.best();
  }
  SearchRun totals(space, scorer, by_totals, order, related);
  totals.try_all(pool);
  totals.retreat();
  totals.trade_memtables();
  totals.stride(method.stride_share);
  totals.trade_memtables();
  totals.optimise(method.refine, method.refine_share, request.seed);
  totals.polish();
  totals.drop_idle_knobs();
  const auto finalists = totals.pool(kFinalists, 1);
  if (finalists.empty() || !scorer.use(ScoreLayer::files, kFiles)) return totals.best();
  SearchRun files(space, scorer, kFiles, order, related);
  files.try_all(finalists);
  files.retreat();
  files.drop_idle_knobs();
  return files.best();
}

SearchOutcome run_search(const SearchMethod& method, const SearchRequest& request) {
  SearchOutcome outcome;
  SearchResult& result = outcome.result;
  Scorer scorer(request, method.effort);
  if (!scorer.error().empty()) {
    result.error = scorer.error();
    return outcome;
  }
  const SearchSpace space(request, scorer.ledger_alone());
  if (space.axes().empty()) {
    result.error = "no knob may move: none is both allowed, within its bounds and ours";
    return outcome;
  }
  const Scored best = best_of(method, request, space, scorer);
  result.current = scorer.present().trial;
  result.evaluations = scorer.evaluations();
  outcome.work += scorer.work();
  if (!best.changes.empty()) {
    result.best = best.changes;
    result.predicted = best.trial;
    result.predicted_settled = best.settled;
    result.objective_gain = std::expm1(best.objective);
    const auto deviation =
        simulated_deviation(request, scorer, best, method.effort.probability_work, outcome.work);
    result.probability_of_gain = probability(request, best, deviation);
    outcome.value = best.value;
    result.considered.push_back({best.changes, best.trial.put_bytes_per_s, "chosen"});
  }
  for (const auto& other : scorer.instructive()) {
    if (result.considered.size() >= kMostConsidered) break;
    if (other.changes == best.changes) continue;
    result.considered.push_back(
        {other.changes, other.trial.put_bytes_per_s,
         other.rejected.empty() ? "not better than the chosen one" : other.rejected});
  }
  return outcome;
}

}  // namespace

SearchOutcome search_by(const SearchMethod& method, const SearchRequest& request) {
  try {
    return run_search(method, request);
  } catch (const std::exception& problem) {
    SearchOutcome outcome;
    outcome.result.error = std::string("the search failed: ") + problem.what();
    return outcome;
  }
}

SearchResult search(const SearchRequest& request) {
  return search_by(SearchMethod{}, request).result;
}

struct Judge::Parts {
  explicit Parts(const SearchRequest& of) : request(of), scorer(of, kAnyEffort) {
    served = scorer.error().empty() && scorer.use(ScoreLayer::files, 1);
  }
  static constexpr SearchEffort kAnyEffort{1e15, 1e15, 1e15, 0};
  const SearchRequest& request;
  Scorer scorer;
  bool served = false;
};

Judge::Judge(const SearchRequest& request) : parts_(std::make_unique<Parts>(request)) {}
Judge::~Judge() = default;

Judge::Verdict Judge::operator()(const model::ChangeSet& changes) {
  if (!parts_->served) return {0, "the simulator does not serve"};
  if (changes.empty()) return {};
  const Scored scored =
      parts_->scorer.score(model::with_changes(parts_->request.snapshot.settings, changes));
  return {scored.value, scored.rejected};
}

}  // namespace lsmtuned::controller
