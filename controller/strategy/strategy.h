// A strategy: from state and present snapshot to a proposal, or to nothing with a reason.
//
// Strategies only propose. Guards, records, calls, trials and reverts are the reducer's and the
// same for all. Pure and stateless: what is remembered is part of the state and handed in. The
// same arguments give the same answer, bit for bit. Thread rules: any thread, no shared data.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "controller/search.h"
#include "controller/state.h"
#include "controller/strategy/memory.h"

namespace lsmtuned::controller {

struct View {
  const State& state;            // state.last holds a snapshot
  const config::Policy& policy;  // effective
  double now_s = 0;
  double wall_s = 0;
  std::uint64_t seed = 0;
  bool saturated = false;

  const model::Snapshot& snapshot() const { return *state.last; }
};

struct Nothing {
  std::string reason;       // one word
  std::string explanation;  // empty: not worth a record
  std::vector<Considered> considered;
};
// A SearchRequest is carried out by the daemon; its result comes back through weigh().
using Suggestion = std::variant<Nothing, Proposal, SearchRequest>;

class Strategy {
 public:
  virtual ~Strategy() = default;

  virtual Suggestion suggest(const View& view) const = 0;
  virtual Suggestion weigh(const View& view, const SearchResult& result) const;

  // After every accepted snapshot.
  virtual void observe(State& state, const config::Policy& policy) const;
  // A trial of its own proposal ended with a verdict.
  virtual void learn(State& state, const config::Policy& policy, const Decision& ended, bool kept,
                     double wall_s) const;

  // Least time between two looks.
  virtual double pause_s(const config::Policy& policy) const;
};

const Strategy& strategy_named(config::Strategy name);

// Whether a change is kept as soon as it is read back.
bool unverified(const config::Policy& policy);

// What every strategy that judges by trials needs first. Empty reason: go on.
Nothing nothing_to_gain(const View& view);

// The limits that a search, or a step, has to stay within.
SearchRequest search_request(const View& view);

// One of each; strategy_named() hands them out.
const Strategy& model_strategy();
const Strategy& rules_strategy();
const Strategy& probe_strategy();

}  // namespace lsmtuned::controller
