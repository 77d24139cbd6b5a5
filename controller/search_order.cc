#include "controller/search_order.h"

#include <algorithm>
#include <cmath>

namespace lsmtuned::controller {
namespace {

constexpr double kStep = 1.4142135623730951;
constexpr double kMatters = 0.002;   // of ln(objective): less is noise of rounding
constexpr double kTogether = 0.005;  // interaction that makes two knobs related
constexpr std::size_t kPaired = 5;   // knobs looked at in pairs

model::Movable movable_of(const Axis& axis) {
  const auto stepped = [&](double factor) {
    double next = SearchSpace::rounded(axis, axis.current * factor);
    if (next == axis.current && model::info(axis.knob).unit == model::KnobUnit::count)
      next = SearchSpace::rounded(axis, axis.current + (factor > 1 ? 1 : -1));
    return next;
  };
  return {axis.current, stepped(kStep), stepped(1 / kStep)};
}

}  // namespace

SearchOrder search_order(const SearchSpace& space, Scorer& scorer) {
  const auto home = space.current();
  const model::LogRatio ratio = [&](const model::Moves& moves) -> std::optional<double> {
    auto values = home;
    for (const auto& [axis, value] : moves) values[axis] = value;
    const Scored scored = scorer.score(space.settings(values));
    if (!scored.rejected.empty() && scored.trial.put_bytes_per_s <= 0) return std::nullopt;
    return scored.objective;
  };
  std::vector<model::Movable> movables;
  for (const Axis& axis : space.axes()) movables.push_back(movable_of(axis));
  SearchOrder order;
  order.influences = model::influences(movables, ratio);

  auto ranked = order.influences;
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.effect() > b.effect(); });
  auto strong = ranked;
  std::erase_if(strong, [](const auto& one) { return one.effect() < kMatters; });
  order.matter = strong.size();
  if (strong.size() > kPaired) strong.resize(kPaired);
  auto pairs = model::joint_influences(movables, strong, ratio);
  std::erase_if(pairs, [](const auto& pair) { return std::abs(pair.interaction) < kTogether; });

  for (const auto& pair : pairs) order.related.emplace_back(pair.first, pair.second);

  const auto add = [&](std::size_t axis) {
    if (std::find(order.axes.begin(), order.axes.end(), axis) != order.axes.end()) return;
    order.axes.push_back(axis);
  };
  for (const auto& one : ranked) {
    const bool first =
        std::find(order.axes.begin(), order.axes.end(), one.index) == order.axes.end();
    add(one.index);
    if (!first) continue;
    const auto partner = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) {
      return pair.first == one.index || pair.second == one.index;
    });
    if (partner != pairs.end()) add(partner->first == one.index ? partner->second : partner->first);
  }
  return order;
}

}  // namespace lsmtuned::controller
