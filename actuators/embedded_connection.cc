#include "actuators/embedded_connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "actuators/agent/changes.h"
#include "actuators/agent/observe.h"
#include "actuators/agent/option_text.h"
#include "actuators/agent/rocksdb_access.h"
#include "actuators/wire/json.h"

namespace lsmtuned::actuators {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Clock = agent::Lease::Clock;
using End = RequestOutcome::End;

constexpr int kMaxObservations = 2;
constexpr std::chrono::milliseconds kLeaseTick{100};
// After a restore for the lease that failed.
constexpr double kRetryS = 1;

json::object to_answer(const agent::Outcome& outcome) {
  return {{"type", "applied"},
          {"status", outcome.status},
          {"values", agent::to_json(outcome.values)},
          {"error", outcome.error}};
}

RequestOutcome not_sent(std::string why) {
  return {End::not_sent, {}, std::move(why)};
}

double number_member(const json::object& object, std::string_view name, double otherwise) {
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_number()) return otherwise;
  return value->is_double() ? value->get_double() : value->to_number<double>();
}

}  // namespace

OpenDatabase::~OpenDatabase() {
  if (!db) return;
  for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
}

EmbeddedConnection::EmbeddedConnection(asio::any_io_executor executor, asio::thread_pool& workers,
                                       std::unique_ptr<OpenDatabase> open,
                                       const agent::Options& options)
    : executor_(std::move(executor)),
      workers_(workers),
      open_(std::move(open)),
      database_(std::make_unique<agent::Database>(agent::root_of(open_->db.get()), 1, options)),
      worker_(std::make_unique<agent::Worker>(*database_,
                                              [this](std::uint64_t job, agent::Outcome outcome) {
                                                on_done(job, std::move(outcome));
                                              })) {}

EmbeddedConnection::~EmbeddedConnection() {
  watcher_.request_stop();
  if (watcher_.joinable()) watcher_.join();
  bool put_back = false;
  {
    const std::scoped_lock lock(mutex_);
    put_back = lease_.active();
  }
  // A call that hangs keeps us from nothing: close() frees it.
  if (put_back && !database_->options_call.load() && !database_->stopped())
    agent::restore(*database_, false);
  database_->close();
  worker_.reset();
  database_.reset();
}

json::object EmbeddedConnection::description() const {
  return database_->description(wire::kMaxFrameBytes);
}

void EmbeddedConnection::watch_lease(std::function<void(json::value)> expired) {
  expired_ = std::move(expired);
  watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

void EmbeddedConnection::watch(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    // Nothing to watch until a first change starts the lease.
    wake_.wait(lock, stop, [this] { return lease_.active(); });
    wake_.wait_for(lock, stop, kLeaseTick, [] { return false; });
    if (stop.stop_requested() || !lease_.active()) continue;
    lock.unlock();
    const bool stopped = database_->stopped();
    lock.lock();
    if (!lease_.ran_out(stopped, Clock::now())) continue;
    // Taken even while another call is inside RocksDB; refused only when too many wait, and then
    // tried again at the next tick.
    if (worker_->submit({kLeaseJob, agent::Job::Kind::restore, {}, false}).empty()) lease_.end();
  }
}

void EmbeddedConnection::on_lease_job(const agent::Outcome& outcome) {
  if (outcome.status != "ok") {
    database_->log("the lease ran out and the baseline is not restored: " + outcome.error);
    const std::scoped_lock lock(mutex_);
    if (!lease_.active()) lease_.start(kRetryS, Clock::now());
    wake_.notify_all();
    return;
  }
  database_->log("the lease ran out; the baseline is restored");
  asio::post(executor_, [weak = weak_from_this(), values = agent::to_json(outcome.values)] {
    const auto self = weak.lock();
    if (self && self->expired_) self->expired_(values);
  });
}

// Holds no reference to itself while on the worker's thread, which the destructor joins.
void EmbeddedConnection::on_done(std::uint64_t job, agent::Outcome outcome) {
  if (database_->ours().empty()) {
    const std::scoped_lock lock(mutex_);
    lease_.end();
  }
  if (job == kLeaseJob) return on_lease_job(outcome);
  asio::post(executor_, [weak = weak_from_this(), job, outcome = std::move(outcome)] {
    const auto self = weak.lock();
    if (!self) return;
    const auto found = self->calls_.find(job);
    if (found == self->calls_.end()) return;
    const auto call = found->second;
    self->calls_.erase(found);
    self->finish(call, {End::answered, to_answer(outcome), ""});
  });
}

void EmbeddedConnection::finish(const std::shared_ptr<Call>& call, RequestOutcome outcome) {
  if (call->asked) {
    call->asked = false;
    call->outcome = std::move(outcome);
    call->timer.cancel();
  } else if (const auto afterwards = std::exchange(call->afterwards, nullptr)) {
    afterwards(std::move(outcome));
  }
}

void EmbeddedConnection::start_observation(const std::shared_ptr<Call>& call) {
  ++observing_;
  asio::post(workers_, [self = shared_from_this(), call]() mutable {
    auto body = agent::observe(*self->database_, wire::kMaxFrameBytes);
    const auto executor = self->executor_;
    asio::post(executor, [self = std::move(self), call, body = std::move(body)]() mutable {
      --self->observing_;
      json::object answer = body ? *std::move(body) : json::object{{"error", body.error().text()}};
      self->finish(call, {End::answered, std::move(answer), ""});
    });
  });
}

std::string EmbeddedConnection::start_options_call(const json::object& message,
                                                   const std::string& type,
                                                   const std::shared_ptr<Call>& call) {
  agent::Job job{
      next_job_++, agent::Job::Kind::restore, {}, wire::true_member(message, "clear_delay")};
  if (type == "apply") {
    job.kind =
        wire::true_member(message, "revert") ? agent::Job::Kind::revert : agent::Job::Kind::change;
    auto set = agent::parse_values(message.at("set"));
    if (!set) return set.error().text();
    job.set = *std::move(set);
    const std::scoped_lock lock(mutex_);
    if (!lease_.active()) lease_.start(lease_s_, Clock::now());
    wake_.notify_all();
  }
  calls_.emplace(job.id, call);
  const std::uint64_t id = job.id;
  auto refused = worker_->submit(std::move(job));
  if (!refused.empty()) calls_.erase(id);
  return refused;
}

RequestOutcome EmbeddedConnection::at_once(const json::object& message, const std::string& type) {
  if (type == "keep") {
    const std::scoped_lock lock(mutex_);
    lease_.end();
    return {End::answered, {{"type", "kept"}}, ""};
  }
  if (type != "adopt") return not_sent("unknown request " + type);
  const auto* values = message.if_contains("values");
  auto adopted = agent::parse_values(values == nullptr ? json::value() : *values);
  if (!adopted) return not_sent(adopted.error().text());
  database_->adopt(*adopted);
  return {End::answered, {{"type", "adopted"}}, ""};
}

asio::awaitable<RequestOutcome> EmbeddedConnection::request(json::object message,
                                                            std::chrono::milliseconds deadline,
                                                            Afterwards afterwards) {
  const auto self = shared_from_this();
  const std::string type = wire::text_member(message, "type");
  const bool options_call = type == "apply" || type == "restore";
  if (!options_call && type != "observe") co_return at_once(message, type);

  const auto call = std::make_shared<Call>(executor_);
  call->afterwards = std::move(afterwards);
  if (options_call) {
    // Here nobody else says "pending" when the deadline passes, so no time is added for that.
    const double deadline_s =
        number_member(message, "deadline_s", static_cast<double>(deadline.count()) / 1000.0);
    deadline = std::min(deadline, std::chrono::milliseconds(static_cast<std::int64_t>(
                                      std::clamp(deadline_s, 0.0, 1e6) * 1000.0)));
    if (auto refused = start_options_call(message, type, call); !refused.empty())
      co_return not_sent(refused);
  } else {
    if (observing_ >= kMaxObservations)
      co_return not_sent("earlier observations have not come back");
    start_observation(call);
  }
  call->timer.expires_after(deadline);
  boost::system::error_code ignored;
  co_await call->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!call->asked) co_return std::move(call->outcome);
  call->asked = false;
  co_return RequestOutcome{End::timed_out, {}, "the call has not returned by the deadline"};
}

void EmbeddedConnection::send(const json::object& message) {
  if (wire::text_member(message, "type") != "heartbeat") return;
  const std::scoped_lock lock(mutex_);
  lease_s_ = number_member(message, "lease_s", lease_s_);
  lease_.renew(lease_s_, Clock::now());
}

}  // namespace lsmtuned::actuators
