#include "controller/search_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlopt.hpp>
#include <utility>

#include "controller/guard.h"

namespace lsmtuned::controller {
namespace {

constexpr double kKnobWorth = 0.005;  // a knob that gains less than this stays where it is
constexpr double kToleranceOfValue = 1e-7;
constexpr double kStrides[] = {1, 0.5};  // of the way to the end of an axis, in logarithms
constexpr double kMemtables[] = {2, 3};
constexpr double kOtherBasin = 0.5;  // |ln| by which one value at least differs
constexpr int kRetreats = 4;         // halvings of the way to one candidate
constexpr std::size_t kRetreatFrom = 2;

nlopt::algorithm nlopt_of(SearchAlgorithm algorithm) {
  switch (algorithm) {
    case SearchAlgorithm::crs2:
      return nlopt::GN_CRS2_LM;
    case SearchAlgorithm::isres:
      return nlopt::GN_ISRES;
    case SearchAlgorithm::direct:
      return nlopt::GN_DIRECT_L;
    case SearchAlgorithm::mlsl:
      return nlopt::G_MLSL_LDS;
    case SearchAlgorithm::cobyla:
      return nlopt::LN_COBYLA;
    case SearchAlgorithm::bobyqa:
      return nlopt::LN_BOBYQA;
    case SearchAlgorithm::subplex:
      break;
  }
  return nlopt::LN_SBPLX;
}

}  // namespace

SearchRun::SearchRun(const SearchSpace& space, Scorer& scorer, int evaluations,
                     std::vector<std::size_t> order, AxisPairs related)
    : space_(space),
      scorer_(scorer),
      evaluations_(evaluations),
      evaluations_left_(evaluations),
      order_(std::move(order)),
      related_(std::move(related)),
      best_values_(space.current()),
      best_(scorer.present()) {
  values_to_score_[best_values_] = best_;
  not_looked_at_.value = -30;
  not_looked_at_.rejected = "not looked at";
}

const Scored& SearchRun::try_values(Values values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = SearchSpace::rounded(space_.axes()[i], values[i]);
  if (const auto found = values_to_score_.find(values); found != values_to_score_.end())
    return found->second;
  if (exhausted()) return not_looked_at_;
  --evaluations_left_;
  const Scored& scored =
      values_to_score_.emplace(values, scorer_.score(space_.settings(values))).first->second;
  if (scored.rejected.empty() && scored.value > best_.value) {
    best_ = scored;
    best_values_ = std::move(values);
  }
  return scored;
}

void SearchRun::try_all(const std::vector<Values>& candidates) {
  for (const auto& values : candidates) try_values(values);
}

void SearchRun::optimise(SearchAlgorithm algorithm, double share,
                         const std::vector<std::size_t>& axes, std::uint64_t seed) {
  const int most = std::min(static_cast<int>(share * evaluations_), evaluations_left_);
  if (most < 2 || axes.empty()) return;
  // BOBYQA does not take a single variable.
  if (algorithm == SearchAlgorithm::bobyqa && axes.size() < 2) algorithm = SearchAlgorithm::subplex;
  nlopt::srand(static_cast<unsigned long>(seed & 0xffffffffUL));  // the generator is of this thread
  nlopt::opt optimizer(nlopt_of(algorithm), static_cast<unsigned>(axes.size()));
  Values low;
  Values high;
  Values start;
  for (const std::size_t axis : axes) {
    low.push_back(std::log(space_.axes()[axis].low));
    high.push_back(std::log(space_.axes()[axis].high));
    start.push_back(std::clamp(std::log(best_values_[axis]), low.back(), high.back()));
  }
  struct Point {
    SearchRun& run;
    const std::vector<std::size_t>& axes;
    Values values;
    nlopt::opt& optimizer;
  } point{*this, axes, best_values_, optimizer};
  optimizer.set_lower_bounds(low);
  optimizer.set_upper_bounds(high);
  optimizer.set_max_objective(
      [](const std::vector<double>& x, std::vector<double>&, void* data) {
        auto& here = *static_cast<Point*>(data);
        for (std::size_t i = 0; i < x.size(); ++i) here.values[here.axes[i]] = std::exp(x[i]);
        if (here.run.exhausted()) here.optimizer.force_stop();
        return here.run.try_values(here.values).value;
      },
      &point);
  optimizer.set_maxeval(most);
  optimizer.set_ftol_rel(kToleranceOfValue);
  if (algorithm == SearchAlgorithm::mlsl) {
    nlopt::opt local(nlopt::LN_SBPLX, static_cast<unsigned>(axes.size()));
    local.set_ftol_rel(1e-3);
    local.set_xtol_rel(1e-2);
    optimizer.set_local_optimizer(local);
  }
  double value = 0;
  try {
    optimizer.optimize(start, value);
  } catch (const nlopt::roundoff_limited&) {
    // The best point so far stands.
  } catch (const nlopt::forced_stop&) {
    // As above.
  }
}

void SearchRun::stride(double share) {
  const int fewest_left = evaluations_left_ - static_cast<int>(share * evaluations_);
  const double most_used = scorer_.used() + share;
  for (const std::size_t axis : order_) {
    const double home = best_values_[axis];
    for (const double end : {space_.axes()[axis].low, space_.axes()[axis].high}) {
      for (const double way : kStrides) {
        if (evaluations_left_ <= fewest_left || scorer_.used() >= most_used) return;
        Values values = best_values_;
        values[axis] = home * std::pow(end / home, way);
        try_values(std::move(values));
      }
    }
  }
}

void SearchRun::trade_memtables() {
  const auto& axes = space_.axes();
  const auto axis_of = [&](model::Knob knob) {
    const auto found =
        std::find_if(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.knob == knob; });
    return static_cast<std::size_t>(found - axes.begin());
  };
  const std::size_t number = axis_of(model::Knob::max_write_buffer_number);
  const std::size_t size = axis_of(model::Knob::write_buffer_size);
  if (number == axes.size() || size == axes.size()) return;
  const double bytes = best_values_[number] * best_values_[size];
  const double now = best_values_[number];
  for (const double count : kMemtables) {
    if (count == now || count < axes[number].low || count > axes[number].high) continue;
    Values values = best_values_;
    values[number] = count;
    values[size] = std::clamp(bytes / count, axes[size].low, axes[size].high);
    try_values(std::move(values));
  }
}

bool SearchRun::step(const std::vector<std::size_t>& axes, const std::vector<double>& directions) {
  auto values = best_values_;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    double& value = values[axes[i]];
    const double next = SearchSpace::neighbour(space_.axes()[axes[i]], value, directions[i]);
    if (next == value) return false;
    value = next;
  }
  const double before = best_.value;
  try_values(std::move(values));
  return best_.value > before;
}

void SearchRun::polish() {
  for (bool better = true; better && !exhausted();) {
    better = false;
    for (const std::size_t axis : order_)
      for (const double direction : {-1.0, 1.0}) better = step({axis}, {direction}) || better;
    for (const auto& [first, second] : related_)
      for (const double one : {-1.0, 1.0})
        for (const double other : {-1.0, 1.0})
          better = step({first, second}, {one, other}) || better;
  }
}

void SearchRun::retreat() {
  std::vector<Values> from;
  for (const Entry* entry : open_entries(true)) {
    if (from.size() >= kRetreatFrom || entry->second.objective <= best_.value) break;
    from.push_back(entry->first);
  }
  for (const Values& far : from) {
    const Values home = best_values_;
    double reached = 0;  // share of the way, in logarithms, that is allowed
    double refused = 1;
    for (int i = 0; i < kRetreats; ++i) {
      const double share = (reached + refused) / 2;
      Values values = home;
      for (std::size_t axis = 0; axis < values.size(); ++axis)
        values[axis] *= std::pow(far[axis] / home[axis], share);
      (try_values(std::move(values)).rejected.empty() ? reached : refused) = share;
    }
  }
}

void SearchRun::drop_idle_knobs() {
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

// Allowed ones by value; doubtful ones by what they would promise.
std::vector<const SearchRun::Entry*> SearchRun::open_entries(bool doubtful) const {
  std::vector<const Entry*> open;
  for (const auto& entry : values_to_score_) {
    const Scored& scored = entry.second;
    if (scored.changes.empty()) continue;
    if (doubtful ? limited_by_degree(scored) : scored.rejected.empty()) open.push_back(&entry);
  }
  std::stable_sort(open.begin(), open.end(), [&](const Entry* a, const Entry* b) {
    return doubtful ? a->second.objective > b->second.objective : a->second.value > b->second.value;
  });
  return open;
}

std::vector<SearchRun::Values> SearchRun::pool(std::size_t most, std::size_t most_doubtful) const {
  std::vector<Values> result;
  const auto take = [&](bool doubtful, std::size_t limit) {
    for (const Entry* entry : open_entries(doubtful)) {
      if (result.size() >= limit) return;
      const auto alike = [&](const Values& other) {
        return std::equal(other.begin(), other.end(), entry->first.begin(), [](double a, double b) {
          return std::abs(std::log(a / b)) < kOtherBasin;
        });
      };
      if (std::any_of(result.begin(), result.end(), alike)) continue;
      result.push_back(entry->first);
    }
  };
  take(false, most);
  take(true, result.size() + most_doubtful);
  return result;
}

}  // namespace lsmtuned::controller
