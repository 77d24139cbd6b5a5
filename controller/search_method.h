// How a search looks: which NLopt algorithm, and how much its simulations may take. Internal to the
// controller; bench/search compares methods (docs/results/search.md), the daemon uses the default.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "controller/search.h"

namespace lsmtuned::controller {

enum class SearchAlgorithm : std::uint8_t {
  crs2,    // controlled random search with local mutation
  isres,   // evolution strategy
  direct,  // DIRECT-L, dividing rectangles
  mlsl,    // multi-level single linkage over a low-discrepancy sequence, subplex from each start
  cobyla,  // linear approximations in a trust region
  bobyqa,  // quadratic approximations in a trust region
  subplex,
};

// Work is that of model::Simulation: events of the simulator. It bounds CPU time and is the same on
// every machine, so that a search repeats exactly.
struct SearchEffort {
  double totals_work = 500e3;
  double files_work = 300e3;
  double probability_work = 120e3;
  double margin = 0.03;  // of the debt limit, since the next layer sees it differently
};

struct SearchMethod {
  SearchAlgorithm explore = SearchAlgorithm::crs2;
  double explore_share = 0.5;                         // of the ledger's evaluations
  SearchAlgorithm refine = SearchAlgorithm::subplex;  // from the best
  double ledger_refine_share = 0.35;  // of the ledger's evaluations; the rest are steps of one
  double stride_share = 0.6;          // of the byte totals', across the range of each axis
  double refine_share = 0.2;          // of the byte totals'
  bool by_influence = true;           // step in the order of influence, related knobs together
  std::size_t explore_fewest = 4;     // axes explored at least, most influential first; 0: all
  SearchEffort effort;
};

struct SearchOutcome {
  SearchResult result;
  double value = 0;  // of the best, as the last layer scores it (score.h); 0: nothing better
  double work = 0;
};

// Never throws; as search() otherwise, which is this with the default method.
SearchOutcome search_by(const SearchMethod& method, const SearchRequest& request);

// What methods are judged by: value and limits (score.h) with simulations of files as long as the
// horizons are, however much work that takes. `request` outlives it. One thread.
class Judge {
 public:
  struct Verdict {
    double value = 0;
    std::string rejected;  // by a limit; empty: none
  };
  explicit Judge(const SearchRequest& request);
  ~Judge();
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;
  Verdict operator()(const model::ChangeSet& changes);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lsmtuned::controller
