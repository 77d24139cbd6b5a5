// TargetRunner: carrying out what a step of the controller asks for.
#include "daemon/target_runner.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "controller/search.h"

namespace lsmtuned::daemon {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxAlerts = 20;
// A search that takes longer than this is said; the evaluation cap bounds it.
constexpr double kLongSearch_s = 10;

controller::ApplyStatus converted(actuators::ApplyStatus status) {
  switch (status) {
    case actuators::ApplyStatus::ok:
      return controller::ApplyStatus::ok;
    case actuators::ApplyStatus::pending:
      return controller::ApplyStatus::pending;
    case actuators::ApplyStatus::failed:
      return controller::ApplyStatus::failed;
    case actuators::ApplyStatus::not_sent:
      return controller::ApplyStatus::not_sent;
  }
  return controller::ApplyStatus::failed;
}

}  // namespace

asio::awaitable<void> TargetRunner::carry_out(std::vector<controller::Effect> effects,
                                              bool state_is_saved, bool handling_record_failure,
                                              std::string& problem) {
  const std::uint64_t open = state_.persistent.incarnation;  // what the step decided about
  for (controller::Effect& effect : effects) {
    if (auto* decision = std::get_if<controller::RecordDecision>(&effect)) {
      const std::uint64_t id = decision->decision.id;
      const bool intent = decision->decision.status == controller::DecisionStatus::intended &&
                          decision->decision.kind != controller::DecisionKind::revert;
      std::string error = "the controller's state could not be saved";
      if (state_is_saved || !intent) error = co_await record(std::move(decision->decision));
      if (error.empty()) continue;
      // Intent before action: what follows in this step is not carried out. While a failed record
      // is being dealt with, the rest goes on: it only makes things safer, and must not loop.
      if (handling_record_failure) continue;
      if (problem.empty()) problem = "the decision could not be recorded: " + error;
      controller::RecordFailed failed;
      failed.decision_id = id;
      failed.error = std::move(error);
      queue_.push_front(Item{std::move(failed), nullptr});
      queue_filled_.set();
      co_return;
    }
    if (auto* change = std::get_if<controller::ApplyChanges>(&effect)) {
      ++calls_outstanding_;
      spawn(apply(std::move(*change), open), "applying");
    } else if (auto* all = std::get_if<controller::RestoreBaseline>(&effect)) {
      ++calls_outstanding_;
      spawn(restore(*all, open), "restoring");
    } else if (auto* wanted = std::get_if<controller::RequestSearch>(&effect)) {
      spawn(run_search(std::move(*wanted)), "the search");
    } else if (auto* foreign = std::get_if<controller::AdoptBaseline>(&effect)) {
      co_await adopt(std::move(*foreign), open);
    } else if (auto* alert = std::get_if<controller::Alert>(&effect)) {
      raise(std::move(*alert));
    }
  }
}

void TargetRunner::raise(controller::Alert alert) {
  using Severity = controller::Alert::Severity;
  if (alert.severity == Severity::critical)
    spdlog::critical("{}: {}: {}", name_, alert.code, alert.text);
  else if (alert.severity == Severity::warning)
    spdlog::warn("{}: {}: {}", name_, alert.code, alert.text);
  else
    spdlog::info("{}: {}: {}", name_, alert.code, alert.text);
  alerts_.push_back(RaisedAlert{services_.clock->wall_s(), std::move(alert)});
  if (alerts_.size() > kMaxAlerts) alerts_.pop_front();
}

void TargetRunner::feed_apply(std::uint64_t decision_id, bool is_revert,
                              actuators::ApplyReport report) {
  if (report.status != actuators::ApplyStatus::ok)
    spdlog::warn("{}: decision {}: {}: {}", name_, decision_id,
                 is_revert ? "reverting" : "applying", report.error);
  controller::ApplyFinished finished;
  finished.decision_id = decision_id;
  finished.is_revert = is_revert;
  finished.status = converted(report.status);
  finished.applied = std::move(report.applied);
  finished.error = std::move(report.error);
  enqueue(std::move(finished));
}

// A record may take its time, and the database be closed and opened again meanwhile: what was
// decided about one open is not sent to the next.
std::shared_ptr<actuators::Target> TargetRunner::target_of(std::uint64_t open) const {
  const bool same = target_ && target_->connected() && target_->info().incarnation == open;
  return same ? target_ : nullptr;
}

asio::awaitable<void> TargetRunner::apply(controller::ApplyChanges effect, std::uint64_t open) {
  auto self = shared_from_this();
  auto target = target_of(open);
  actuators::ApplyReport report;
  if (!target) {
    report.status = actuators::ApplyStatus::not_sent;
    report.error = "the database is not attached";
  } else {
    actuators::Target::LateResult late = [self, id = effect.decision_id,
                                          revert = effect.is_revert](actuators::ApplyReport later) {
      self->feed_apply(id, revert, std::move(later));
    };
    const auto deadline = services_.clock->real(effect.deadline_s);
    report = co_await target->apply(std::move(effect.changes), effect.is_revert, deadline,
                                    std::move(late));
  }
  --calls_outstanding_;
  feed_apply(effect.decision_id, effect.is_revert, std::move(report));
  calls_changed_.set();
}

asio::awaitable<void> TargetRunner::restore(controller::RestoreBaseline effect,
                                            std::uint64_t open) {
  auto self = shared_from_this();
  auto target = target_of(open);
  actuators::ApplyReport report;
  if (!target) {
    report.status = actuators::ApplyStatus::not_sent;
    report.error = "the database is not attached";
  } else {
    actuators::Target::LateResult late = [self,
                                          id = effect.decision_id](actuators::ApplyReport later) {
      self->feed_apply(id, true, std::move(later));
    };
    const auto deadline = services_.clock->real(effect.deadline_s);
    report = co_await target->restore(effect.clear_delay, deadline, std::move(late));
  }
  --calls_outstanding_;
  feed_apply(effect.decision_id, true, std::move(report));
  calls_changed_.set();
}

asio::awaitable<void> TargetRunner::adopt(controller::AdoptBaseline effect, std::uint64_t open) {
  auto target = target_of(open);
  if (!target) co_return;
  const auto deadline = services_.clock->real(kHandOverDeadline_s);
  const Result<void> adopted = co_await target->adopt(std::move(effect.foreign), deadline);
  if (!adopted)
    spdlog::warn("{}: the database side did not take over a changed baseline: {}", name_,
                 adopted.error().text());
}

asio::awaitable<void> TargetRunner::run_search(controller::RequestSearch effect) {
  auto self = shared_from_this();
  const std::uint64_t generation = generation_;
  const auto started = std::chrono::steady_clock::now();
  auto work = [request = std::move(effect.request)] { return controller::search(request); };
  controller::SearchFinished finished;
  finished.result = co_await on_worker(*services_.searches, std::move(work));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  services_.metrics->search(name_, seconds, finished.result.evaluations);
  if (seconds > kLongSearch_s)
    spdlog::warn("{}: a search took {:.1f} s for {} evaluations; lower search_evaluations", name_,
                 seconds, finished.result.evaluations);
  if (generation != generation_) {
    finished.result = {};
    finished.result.error = kLostDuringSearch;
  }
  enqueue(std::move(finished));
}

}  // namespace lsmtuned::daemon
