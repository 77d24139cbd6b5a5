#include "controller/search.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <map>
#include <nlopt.hpp>

#include "controller/score.h"
#include "controller/search_space.h"

namespace lsmtuned::controller {
namespace {

constexpr double kGlobalShare = 0.5;  // of the evaluations: controlled random search
constexpr double kLocalShare = 0.25;  // subplex from its best; the rest polishes whole numbers
constexpr double kKnobWorth = 0.005;  // a knob that gains less than this stays where it is
constexpr double kErrorFloor = 0.03;  // of a ratio of two predictions
constexpr double kErrorPerGain = 2;   // times relative error times |ln ratio|: the common part
                                      // of two predictions with one calibration cancels
constexpr std::size_t kMostConsidered = 8;

// One search: remembers what it scored, since rounding makes many points the same candidate.
class Search {
 public:
  Search(const SearchRequest& request, const SearchSpace& space, Scorer& scorer)
      : request_(request), space_(space), scorer_(scorer), best_values_(space.current()) {
    values_to_score_[best_values_] = scorer.present();
    best_ = scorer.present();
  }

  bool exhausted() const { return scorer_.evaluations() + 2 > request_.policy.search_evaluations; }

  const Scored& try_values(std::vector<double> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = SearchSpace::rounded(space_.axes()[i], values[i]);
    if (const auto found = values_to_score_.find(values); found != values_to_score_.end())
      return found->second;
    if (exhausted()) return worst_;
    const Scored& scored =
        values_to_score_.emplace(values, scorer_.score(space_.settings(values))).first->second;
    if (scored.rejected.empty() && scored.value > best_.value) {
      best_ = scored;
      best_values_ = values;
    }
    return scored;
  }

  void explore() {
    const auto seed = static_cast<unsigned long>(request_.seed & 0xffffffffUL);
    nlopt::srand(seed);  // the generator is of this thread
    run(nlopt::GN_CRS2_LM, kGlobalShare);
    run(nlopt::LN_SBPLX, kLocalShare);
  }

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
    optimizer.set_maxeval(
        std::max(2, static_cast<int>(share * request_.policy.search_evaluations / 2)));
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
  std::map<std::vector<double>, Scored> values_to_score_;
  std::vector<double> best_values_;
  Scored best_;
  const Scored worst_ = [] {
    Scored scored;
    scored.value = -20;
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

double probability(const SearchRequest& request, const Scored& best) {
  const double error = std::max(request.calibration.relative_error, half_width(best.trial));
  const double deviation = kErrorFloor + kErrorPerGain * error * std::abs(best.objective);
  return normal_cdf((best.objective - std::log1p(request.policy.minimum_gain)) / deviation);
}

SearchResult run_search(const SearchRequest& request) {
  SearchResult result;
  Scorer scorer(request);
  if (!scorer.error().empty()) {
    result.error = scorer.error();
    return result;
  }
  result.current = scorer.present().trial;
  const SearchSpace space(request);
  if (space.axes().empty()) {
    result.error = "no knob may move: none is both allowed, within its bounds and ours";
    return result;
  }
  Search search(request, space, scorer);
  search.explore();
  search.polish();
  search.drop_idle_knobs();
  const Scored& best = search.best();
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
