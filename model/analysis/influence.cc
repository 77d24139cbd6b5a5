#include "model/analysis/influence.h"

#include <algorithm>
#include <cmath>

namespace lsmtuned::model {

double Influence::effect() const {
  return std::max(std::abs(up.value_or(0)), std::abs(down.value_or(0)));
}

bool Influence::better_up() const {
  return up && (!down || *up >= *down);
}

std::optional<double> Influence::better() const {
  return better_up() ? up : down;
}

std::vector<Influence> influences(const std::vector<Movable>& movables, const LogRatio& ratio) {
  std::vector<Influence> result;
  for (std::size_t i = 0; i < movables.size(); ++i) {
    const Movable& one = movables[i];
    Influence out;
    out.index = i;
    if (one.up != one.value) out.up = ratio({{i, one.up}});
    if (one.down != one.value) out.down = ratio({{i, one.down}});
    const double above = out.up ? std::log(one.up / one.value) : 0;
    const double below = out.down ? std::log(one.value / one.down) : 0;
    if (above + below > 0)
      out.elasticity = (out.up.value_or(0) - out.down.value_or(0)) / (above + below);
    result.push_back(out);
  }
  return result;
}

std::vector<JointInfluence> joint_influences(const std::vector<Movable>& movables,
                                             const std::vector<Influence>& among,
                                             const LogRatio& ratio) {
  const auto move_of = [&](const Influence& one) {
    const Movable& movable = movables[one.index];
    return std::pair(one.index, one.better_up() ? movable.up : movable.down);
  };
  std::vector<JointInfluence> pairs;
  for (std::size_t i = 0; i < among.size(); ++i) {
    for (std::size_t j = i + 1; j < among.size(); ++j) {
      const auto alone_a = among[i].better();
      const auto alone_b = among[j].better();
      if (!alone_a || !alone_b) continue;
      const auto both = ratio({move_of(among[i]), move_of(among[j])});
      if (!both) continue;
      pairs.push_back({among[i].index, among[j].index,
                       std::exp(*both) - std::exp(*alone_a) - std::exp(*alone_b) + 1, *both});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const JointInfluence& a, const JointInfluence& b) {
                     return std::abs(a.interaction) > std::abs(b.interaction);
                   });
  return pairs;
}

}  // namespace lsmtuned::model
