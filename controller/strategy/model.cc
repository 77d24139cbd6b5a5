// The strategy `model`: predictive. Asks for a search over the model and takes its best where the
// gain is large and likely enough.

#include "controller/strategy/strategy.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

class ModelStrategy final : public Strategy {
 public:
  Suggestion suggest(const View& view) const override {
    if (auto nothing = nothing_to_gain(view); !nothing.reason.empty()) return nothing;
    const State& state = view.state;
    if (!state.prediction_error_known && view.saturated)
      return Nothing{"measuring", "the model has not been compared with this database yet", {}};
    if (state.prediction_error_known && state.prediction_error > view.policy.trust_gate_error)
      return Nothing{"trust",
                     "the model is off by " + model::format_percent(state.prediction_error) +
                         ", above the gate of " +
                         model::format_percent(view.policy.trust_gate_error) + ": watching only",
                     {}};
    return search_request(view);
  }

  Suggestion weigh(const View& view, const SearchResult& result) const override {
    const config::Policy& policy = view.policy;
    const auto nothing = [&](std::string reason, std::string explanation) {
      return Nothing{std::move(reason), std::move(explanation), result.considered};
    };
    if (!result.error.empty()) return nothing("search", result.error);
    if (result.best.empty())
      return nothing("best", "no allowed settings are predicted to be better");
    if (!(result.objective_gain >= policy.minimum_gain))
      return nothing("small_gain", "the best candidate promises " +
                                       model::format_percent(result.objective_gain) +
                                       ", less than the minimum of " +
                                       model::format_percent(policy.minimum_gain));
    const std::string likely = "a gain of at least " + model::format_percent(policy.minimum_gain) +
                               " is " + model::format_percent(result.probability_of_gain) +
                               " likely";
    if (!(result.probability_of_gain >= policy.minimum_probability))
      return nothing("uncertain", likely + ", which is not enough");
    Proposal proposal;
    proposal.changes = result.best;
    proposal.reason = "gain";
    proposal.explanation = model::describe(result.best) + ": predicted " +
                           model::format_rate(result.predicted.put_bytes_per_s) + " after " +
                           model::format_rate(result.current.put_bytes_per_s) + ", bound by " +
                           model::to_text(result.predicted.bound) + "; " + likely;
    proposal.forecast = Forecast{result.current, result.predicted, result.predicted_settled};
    proposal.considered = result.considered;
    return proposal;
  }
};

}  // namespace

const Strategy& model_strategy() {
  static const ModelStrategy strategy;
  return strategy;
}

}  // namespace lsmtuned::controller
