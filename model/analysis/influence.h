// How much each of several things that can be moved matters to a value, and which act together.
//
// The core of sensitivity.h, for any value: S_max of a problem there, the objective of a search in
// controller/search_order.h. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace lsmtuned::model {

// One thing, where it stands and one step up and down; a step equal to `value` cannot be taken.
struct Movable {
  double value = 0;
  double up = 0;
  double down = 0;
};

// ln(value after these moves / value now), moves by index; absent: not valid.
using Moves = std::vector<std::pair<std::size_t, double>>;
using LogRatio = std::function<std::optional<double>(const Moves&)>;

struct Influence {
  std::size_t index = 0;
  std::optional<double> up;  // ln ratio of one step; absent: not a valid step
  std::optional<double> down;
  double elasticity = 0;  // d ln value / d ln x, central where both steps are valid

  double effect() const;                 // the larger of the two, without its sign
  bool better_up() const;                // which step raises the value more
  std::optional<double> better() const;  // and by how much; absent: no valid step
};

// One entry a movable, in their order.
std::vector<Influence> influences(const std::vector<Movable>& movables, const LogRatio& ratio);

struct JointInfluence {
  std::size_t first = 0;
  std::size_t second = 0;
  double interaction = 0;  // (v(ab) - v(a) - v(b) + v) / v; above zero: more together than apart
  double together = 0;     // ln(v(ab) / v)
};

// Pairs of `among`, each moved one step the way that raises the value more; by |interaction|.
std::vector<JointInfluence> joint_influences(const std::vector<Movable>& movables,
                                             const std::vector<Influence>& among,
                                             const LogRatio& ratio);

}  // namespace lsmtuned::model
