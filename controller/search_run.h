// One search over one layer: NLopt's algorithms, steps of one on whole numbers, and retreat towards
// the present settings. Remembers what it scored, since rounding makes many points the same
// candidate. Internal to controller/search.cc. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "controller/score.h"
#include "controller/search_method.h"
#include "controller/search_order.h"
#include "controller/search_space.h"

namespace lsmtuned::controller {

class SearchRun {
 public:
  using Values = std::vector<double>;  // by axis

  // At most `evaluations` candidates, and no more once the scorer's work is used up. `order` is
  // that in which whole numbers are stepped.
  SearchRun(const SearchSpace& space, Scorer& scorer, int evaluations,
            std::vector<std::size_t> order, AxisPairs related);

  bool exhausted() const { return evaluations_left_ <= 0 || scorer_.exhausted(); }
  const Scored& best() const { return best_; }

  const Scored& try_values(Values values);
  void try_all(const std::vector<Values>& candidates);

  // `algorithm` over these axes from the best so far, for this share of all evaluations.
  void optimise(SearchAlgorithm algorithm, double share, const std::vector<std::size_t>& axes,
                std::uint64_t seed);
  void optimise(SearchAlgorithm algorithm, double share, std::uint64_t seed) {
    optimise(algorithm, share, order_, seed);
  }

  // Each axis alone across its whole range, most influential first, for this share of evaluations
  // and of the scorer's work: whoever refines from one point stays in its basin.
  void stride(double share);

  // Fewer, larger memtables in the same memory, or more and smaller ones: no step of either knob
  // alone leads there within a budget.
  void trade_memtables();

  // Steps of one on whole numbers, of a quarter octave elsewhere; of related knobs at once too.
  void polish();

  // Where limits of degree (debt, cycle, device) refuse what promises most: part of the way there.
  void retreat();

  // Fewest knobs moved: the least useful first.
  void drop_idle_knobs();

  // The best that differ from each other. `most_doubtful` of them may be such as only limits of
  // degree forbid: the next layer knows better.
  std::vector<Values> pool(std::size_t most, std::size_t most_doubtful) const;

 private:
  using Entry = std::pair<const Values, Scored>;
  bool step(const std::vector<std::size_t>& axes, const std::vector<double>& directions);
  std::vector<const Entry*> open_entries(bool doubtful) const;

  const SearchSpace& space_;
  Scorer& scorer_;
  int evaluations_ = 0;
  int evaluations_left_ = 0;
  std::vector<std::size_t> order_;
  AxisPairs related_;
  std::map<Values, Scored> values_to_score_;
  Values best_values_;
  Scored best_;
  Scored not_looked_at_;
};

}  // namespace lsmtuned::controller
