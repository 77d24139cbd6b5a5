#include "controller/search.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <map>
#include <nlopt.hpp>
#include <optional>

#include "controller/guard.h"
#include "controller/score.h"
#include "controller/search_space.h"
#include "controller/simulated.h"
#include "model/estimate/interval.h"

namespace lsmtuned::controller {
namespace {

constexpr double kGlobalShare = 0.5;  // of the evaluations: controlled random search
constexpr double kLocalShare = 0.35;  // subplex from its best; the rest polishes whole numbers
constexpr int kTotalsShare = 8;       // one in so many evaluations simulates byte totals
constexpr int kFewestTotals = 48;
constexpr std::size_t kPool = 16;      // candidates that the ledger hands on
constexpr std::size_t kFinalists = 5;  // and the byte totals
constexpr double kKnobWorth = 0.005;   // a knob that gains less than this stays where it is
constexpr double kErrorFloor = 0.03;   // of a ratio of two predictions
constexpr double kErrorPerGain = 2;    // times relative error times |ln ratio|: the common part
                                       // of two predictions with one calibration cancels
constexpr std::size_t kMostConsidered = 8;

// One search: remembers what it scored, since rounding makes many points the same candidate.
class Search {
 public:
  Search(const SearchRequest& request, const SearchSpace& space, Scorer& scorer, int evaluations)
      : request_(request),
        space_(space),
        scorer_(scorer),
        evaluations_left_(evaluations),
        evaluations_(evaluations),
        best_values_(space.current()) {
    values_to_score_[best_values_] = scorer.present();
    best_ = scorer.present();
  }

  bool exhausted() const { return evaluations_left_ <= 0; }

  const Scored& try_values(std::vector<double> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = SearchSpace::rounded(space_.axes()[i], values[i]);
    if (const auto found = values_to_score_.find(values); found != values_to_score_.end())
      return found->second;
    if (exhausted()) return worst_;
    --evaluations_left_;
    const Scored& scored =
        values_to_score_.emplace(values, scorer_.score(space_.settings(values))).first->second;
    if (scored.rejected.empty() && scored.value > best_.value) {
      best_ = scored;
      best_values_ = values;
    }
    return scored;
  }

  // The best that differ from each other. `most_doubtful` of them may be such as only this layer's
  // own idea of debt or cycle length forbids: the next layer knows better.
  std::vector<std::vector<double>> pool(std::size_t most, std::size_t most_doubtful) const {
    using Entry = std::pair<const std::vector<double>, Scored>;
    std::vector<const Entry*> open;
    for (const auto& entry : values_to_score_) {
      const auto& reason = entry.second.rejected;
      if (reason.empty() || reason.starts_with("debt:") || reason.starts_with("cycle:"))
        open.push_back(&entry);
    }
    std::stable_sort(open.begin(), open.end(), [](const Entry* a, const Entry* b) {
      return a->second.objective > b->second.objective;
    });
    std::vector<const Scored*> taken;
    std::vector<std::vector<double>> result;
    const auto take = [&](bool doubtful, std::size_t limit) {
      for (const Entry* entry : open) {
        if (result.size() >= limit) return;
        const Scored& scored = entry->second;
        if (scored.changes.empty() || scored.rejected.empty() == doubtful) continue;
        const auto alike = [&](const Scored* other) {
          return near(scored.changes, other->changes);
        };
        if (std::any_of(taken.begin(), taken.end(), alike)) continue;
        taken.push_back(&scored);
        result.push_back(entry->first);
      }
    };
    take(false, most);
    take(true, std::min(most, result.size()) + most_doubtful);
    return result;
  }

  void try_all(const std::vector<std::vector<double>>& candidates) {
    for (const auto& values : candidates) try_values(values);
  }

  void explore() {
    const auto seed = static_cast<unsigned long>(request_.seed & 0xffffffffUL);
    nlopt::srand(seed);  // the generator is of this thread
    run(nlopt::GN_CRS2_LM, kGlobalShare);
    refine();
  }

  // Subplex from the best so far.
  void refine() { run(nlopt::LN_SBPLX, kLocalShare); }

  // Steps of one on whole numbers, of a quarter octave elsewhere.
  void polish() {
    for (bool better = true; better && !exhausted();) {
      better = false;
      for (std::size_t i = 0; i < space_.axes().size(); ++i) {
        for (const double next : SearchSpace::neighbours(space_.axes()[i], best_values_[i])) {
          const double before = best_.value;
          auto values = best_values_;
          values[i] = next;
          try_values(std::move(values));
          better = better || best_.value > before;
        }
      }
    }
  }

  // Fewest knobs moved: the least useful first.
  void drop_idle_knobs() {
    const auto home = space_.current();
    while (true) {
      std::size_t idle = home.size();
      double most = -std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < home.size(); ++i) {
        if (best_values_[i] == home[i]) continue;
        auto values = best_values_;
        values[i] = home[i];
        const Scored& without = try_values(values);
        if (without.rejected.empty() && without.value > most) {
          most = without.value;
          idle = i;
        }
      }
      if (idle == home.size() || most < best_.value - kKnobWorth) return;
      best_values_[idle] = home[idle];
      best_ = try_values(best_values_);
    }
  }

  const Scored& best() const { return best_; }

 private:
  void run(nlopt::algorithm algorithm, double share) {
    const auto& axes = space_.axes();
    nlopt::opt optimizer(algorithm, static_cast<unsigned>(axes.size()));
    std::vector<double> low;
    std::vector<double> high;
    std::vector<double> start;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      low.push_back(std::log(axes[i].low));
      high.push_back(std::log(axes[i].high));
      start.push_back(std::clamp(std::log(best_values_[i]), low[i], high[i]));
    }
    optimizer.set_lower_bounds(low);
    optimizer.set_upper_bounds(high);
    optimizer.set_max_objective(
        [](const std::vector<double>& x, std::vector<double>&, void* self) {
          std::vector<double> values;
          values.reserve(x.size());
          for (const double logarithm : x) values.push_back(std::exp(logarithm));
          return static_cast<Search*>(self)->try_values(std::move(values)).value;
        },
        this);
    optimizer.set_maxeval(std::max(2, static_cast<int>(share * evaluations_)));
    optimizer.set_ftol_rel(1e-7);
    double value = 0;
    try {
      optimizer.optimize(start, value);
    } catch (const nlopt::roundoff_limited&) {
      // The best point so far stands.
    }
  }

  const SearchRequest& request_;
  const SearchSpace& space_;
  Scorer& scorer_;
  int evaluations_left_ = 0;
  int evaluations_ = 0;
  std::map<std::vector<double>, Scored> values_to_score_;
  std::vector<double> best_values_;
  Scored best_;
  const Scored worst_ = [] {
    Scored scored;
    scored.value = -30;
    scored.rejected = "not looked at";
    return scored;
  }();
};

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

double half_width(const model::Prediction& prediction) {
  if (!(prediction.low_bytes_per_s > 0) || !(prediction.high_bytes_per_s > 0)) return 0;
  return std::log(prediction.high_bytes_per_s / prediction.low_bytes_per_s) / (2 * 1.2816);
}

// Standard deviation of ln(S candidate / S present), both simulated under the same samples of what
// calibration knows badly. Nothing where the simulator does not serve.
std::optional<double> simulated_deviation(const SearchRequest& request, const Scored& best) {
  const auto* family = family_of(request);
  if (family == nullptr) return {};
  const auto run = trial_run(request.policy, model::SimulationLayer::totals, 1);
  const auto predictor = [&](const model::Settings& settings, const model::Prediction& ledger) {
    return [&, run](const model::Calibration& calibration) -> Result<double> {
      const SimulatedModel simulated(request.snapshot, family->name, calibration,
                                     request.cpu_cores);
      const auto prediction = simulated.predict(settings, run, ledger);
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

double probability(const SearchRequest& request, const Scored& best) {
  const double error = std::max(request.calibration.relative_error, half_width(best.trial));
  const double common = kErrorPerGain * error * std::abs(best.objective);
  const double deviation =
      std::hypot(kErrorFloor, simulated_deviation(request, best).value_or(common));
  return normal_cdf((best.objective - std::log1p(request.policy.minimum_gain)) / deviation);
}

// The ledger prunes, the byte totals search, the files decide.
Scored best_of(const SearchRequest& request, const SearchSpace& space, Scorer& scorer) {
  const int evaluations = request.policy.search_evaluations / 2;  // two horizons each
  const int by_totals = std::max(kFewestTotals, evaluations / kTotalsShare);
  const int by_files = static_cast<int>(kFinalists) + 1 + 2 * static_cast<int>(space.axes().size());
  Search ledger(request, space, scorer, std::max(2, evaluations - by_totals - by_files));
  ledger.explore();
  ledger.polish();
  const auto pool = ledger.pool(kPool, kPool);
  if (!scorer.use(ScoreLayer::totals)) {
    ledger.drop_idle_knobs();
    return ledger.best();
  }
  Search totals(request, space, scorer, by_totals);
  totals.try_all(pool);
  totals.refine();
  totals.polish();
  const auto finalists = totals.pool(kFinalists, 1);
  if (!scorer.use(ScoreLayer::files)) {
    totals.drop_idle_knobs();
    return totals.best();
  }
  Search files(request, space, scorer, by_files);
  files.try_all(finalists);
  files.drop_idle_knobs();
  return files.best();
}

SearchResult run_search(const SearchRequest& request) {
  SearchResult result;
  Scorer scorer(request);
  if (!scorer.error().empty()) {
    result.error = scorer.error();
    return result;
  }
  const SearchSpace space(request);
  if (space.axes().empty()) {
    result.error = "no knob may move: none is both allowed, within its bounds and ours";
    return result;
  }
  const Scored best = best_of(request, space, scorer);
  result.current = scorer.present().trial;
  result.evaluations = scorer.evaluations();
  if (!best.changes.empty()) {
    result.best = best.changes;
    result.predicted = best.trial;
    result.predicted_settled = best.settled;
    result.objective_gain = std::expm1(best.objective);
    result.probability_of_gain = probability(request, best);
    result.considered.push_back({best.changes, best.trial.put_bytes_per_s, "chosen"});
  }
  for (const auto& other : scorer.instructive()) {
    if (result.considered.size() >= kMostConsidered) break;
    if (other.changes == best.changes) continue;
    result.considered.push_back(
        {other.changes, other.trial.put_bytes_per_s,
         other.rejected.empty() ? "not better than the chosen one" : other.rejected});
  }
  return result;
}

}  // namespace

SearchResult search(const SearchRequest& request) {
  try {
    return run_search(request);
  } catch (const std::exception& problem) {
    SearchResult result;
    result.error = std::string("the search failed: ") + problem.what();
    return result;
  }
}

}  // namespace lsmtuned::controller
