#include "actuators/agent/session.h"

#include <poll.h>
#include <rocksdb/version.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <exception>
#include <utility>
#include <vector>

#include "actuators/agent/log.h"
#include "actuators/agent/observe.h"
#include "actuators/wire/frame.h"
#include "actuators/wire/json.h"

namespace lsmtuned::agent {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortestPause{200};
constexpr milliseconds kLongestPause{5000};
constexpr std::chrono::seconds kHandshakeTime{5};
constexpr milliseconds kLeaseTick{200};
constexpr milliseconds kIdleTick{1000};
constexpr std::chrono::seconds kPauseAfterFailedRestore{5};
constexpr double kDefaultDeadline_s = 5;
constexpr double kLongestDeadline_s = 600;
constexpr double kLongestLease_s = 86400;
// Room for the members around the body of an observation, and around the databases of a hello.
constexpr std::size_t kEnvelopeBytes = 4096;
constexpr std::size_t kBodyBytes = wire::kMaxFrameBytes - kEnvelopeBytes;

std::string executable() {
  std::array<char, PATH_MAX> path;
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  return length <= 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(length));
}

// A positive, finite number of seconds up to `most`, or nothing.
std::optional<double> seconds_member(const boost::json::object& message, const char* name,
                                     double most) {
  const auto* value = message.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double seconds = value->to_number<double>();
  if (!std::isfinite(seconds) || seconds <= 0) return std::nullopt;
  return std::min(seconds, most);
}

template <class Clock>
typename Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<typename Clock::duration>(
                            std::chrono::duration<double>(seconds));
}

}  // namespace

Session::Session(PollInbox& inbox, int wake_descriptor, std::string socket, std::string daemon_user,
                 bool log_to_stderr)
    : inbox_(inbox),
      wake_descriptor_(wake_descriptor),
      socket_(std::move(socket)),
      daemon_user_(std::move(daemon_user)),
      log_to_stderr_(log_to_stderr),
      next_attempt_(Clock::now()),
      pause_(kShortestPause) {}

void Session::run() {
  while (!inbox_.stopping()) {
    try {
      turn();
    } catch (const std::exception& problem) {
      disconnect(std::string("internal error: ") + problem.what());
    }
  }
  try {
    drain_inbox();  // tells the daemon what closed
  } catch (const std::exception& problem) {
    disconnect(std::string("internal error: ") + problem.what());
  }
  connection_.reset();
}

void Session::turn() {
  drain_inbox();
  connect_when_due();
  check_leases();
  check_deadlines();
  wait();
}

// Sleeps until there is something to do: a wake-up, the socket, or the next point in time.
void Session::wait() {
  const Clock::time_point now = Clock::now();
  Clock::time_point until = now + kIdleTick;
  if (connection_ == nullptr) until = std::min(until, next_attempt_);
  for (const auto& [job, request] : requests_)
    if (!request.pending_sent && request.kind != Kind::lease)
      until = std::min(until, request.deadline);
  for (const auto& [number, attached] : databases_)
    if (attached->lease.active()) until = std::min(until, now + kLeaseTick);
  const auto sleep = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - now));

  std::array<pollfd, 2> waiting{{{wake_descriptor_, POLLIN, 0}, {-1, POLLIN, 0}}};
  if (connection_ != nullptr) {
    waiting[1].fd = connection_->descriptor();
    if (connection_->has_unsent()) waiting[1].events |= POLLOUT;
  }
  if (poll(waiting.data(), waiting.size(), static_cast<int>(sleep.count())) <= 0) return;
  if (waiting[0].revents != 0) {
    std::uint64_t count = 0;
    const ssize_t ignored = ::read(wake_descriptor_, &count, sizeof count);
    static_cast<void>(ignored);
  }
  if (connection_ == nullptr || waiting[1].revents == 0) return;
  if ((waiting[1].revents & POLLOUT) != 0) {
    if (const auto written = connection_->write(); !written) {
      disconnect(written.error().text());
      return;
    }
  }
  if ((waiting[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive();
}

void Session::drain_inbox() {
  for (PollEvent& event : inbox_.take()) {
    switch (event.kind) {
      case PollEvent::Kind::opened:
        if (connection_ != nullptr) {
          send(
              {{"type", "opened"}, {"database", event.attached->database.description(kBodyBytes)}});
        } else {
          next_attempt_ = std::min(next_attempt_, Clock::now());
        }
        databases_[event.number] = std::move(event.attached);
        break;
      case PollEvent::Kind::closed:
        databases_.erase(event.number);
        std::erase_if(requests_,
                      [&](const auto& entry) { return entry.second.number == event.number; });
        if (connection_ != nullptr) send({{"type", "closed"}, {"db", event.number}});
        break;
      case PollEvent::Kind::completed:
        on_completed(event);
        break;
    }
  }
}

void Session::connect_when_due() {
  if (connection_ != nullptr) {
    if (!welcomed_ && Clock::now() - connected_at_ > kHandshakeTime)
      disconnect("the daemon did not welcome us within 5 s");
    return;
  }
  if (databases_.empty() || Clock::now() < next_attempt_) return;
  auto opened = Connection::open(socket_, daemon_user_);
  if (!opened) {
    disconnect(opened.error().text());
    return;
  }
  connection_ = std::move(*opened);
  ++connection_number_;
  welcomed_ = false;
  connected_at_ = Clock::now();
  hello();
}

// Also after an attempt that failed: sets the time of the next one.
void Session::disconnect(const std::string& why) {
  say(why);
  if (welcomed() && Clock::now() - connected_at_ > kHandshakeTime) pause_ = kShortestPause;
  connection_.reset();
  welcomed_ = false;
  next_attempt_ = Clock::now() + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
}

void Session::hello() {
  boost::json::array databases;
  std::vector<std::shared_ptr<Attached>> later;
  std::size_t left = kBodyBytes;
  for (const auto& [number, attached] : databases_) {
    boost::json::object database = attached->database.description(kBodyBytes);
    const std::size_t size = boost::json::serialize(database).size() + 1;
    if (size > left) {
      later.push_back(attached);
      continue;
    }
    left -= size;
    databases.push_back(std::move(database));
  }
  send({{"type", "hello"},
        {"protocol", wire::kProtocolVersion},
        {"agent", LSMTUNED_VERSION},
        {"pid", getpid()},
        {"executable", executable()},
        {"rocksdb", rocksdb::GetRocksVersionAsString()},
        {"databases", std::move(databases)}});
  for (const auto& attached : later)
    send({{"type", "opened"}, {"database", attached->database.description(kBodyBytes)}});
}

void Session::send(const boost::json::object& message) {
  if (connection_ == nullptr) return;
  const auto frame = wire::to_frame(message);
  if (!frame) {
    say(frame.error().text());
    return;
  }
  if (const auto sent = connection_->send(*frame); !sent) disconnect(sent.error().text());
}

void Session::receive() {
  if (const auto read = connection_->read(); !read) {
    disconnect(read.error().text());
    return;
  }
  while (connection_ != nullptr && !inbox_.stopping()) {
    const auto frame = connection_->next();
    if (!frame) {
      disconnect(frame.error().text());
      return;
    }
    if (!frame->has_value()) return;
    on_frame(**frame);
  }
}

void Session::on_frame(const std::string& payload) {
  const auto message = wire::parse_payload(payload);
  if (!message) {
    disconnect(message.error().text());
    return;
  }
  const std::string type = wire::text_member(*message, "type");
  if (type == "error") {
    say("the daemon says: " + wire::text_member(*message, "error").substr(0, 500));
  } else if (type == "welcome") {
    on_welcome(*message);
  } else if (!welcomed_) {
    disconnect("the daemon did not start with a welcome");
  } else if (type == "heartbeat") {
    on_heartbeat(*message);
  } else if (type == "observe" || type == "apply" || type == "restore" || type == "adopt" ||
             type == "keep") {
    on_request(type, *message);
  }
}

void Session::on_welcome(const boost::json::object& message) {
  const auto protocol = wire::count_member(message, "protocol");
  if (protocol != static_cast<std::uint64_t>(wire::kProtocolVersion)) {
    disconnect("the daemon speaks protocol " + (protocol ? std::to_string(*protocol) : "unknown") +
               ", this agent speaks " + std::to_string(wire::kProtocolVersion));
    return;
  }
  if (!read_lease(message)) {
    disconnect("the daemon's welcome holds no valid lease_s");
    return;
  }
  welcomed_ = true;
  // What a daemon of before kept beyond its lease is in this one's care now.
  for (const auto& [number, attached] : databases_)
    if (!attached->lease.active() && !attached->database.ours().empty())
      attached->lease.start(lease_s_, Clock::now());
  say("connected to lsmtuned " + wire::text_member(message, "daemon").substr(0, 50) + " at " +
      socket_);
}

bool Session::read_lease(const boost::json::object& message) {
  const auto seconds = seconds_member(message, "lease_s", kLongestLease_s);
  if (seconds) lease_s_ = *seconds;
  return seconds.has_value();
}

void Session::on_heartbeat(const boost::json::object& message) {
  if (!read_lease(message)) {
    send({{"type", "error"}, {"seq", 0}, {"error", "heartbeat: lease_s is not a number above 0"}});
    return;
  }
  for (const auto& [number, attached] : databases_) attached->lease.renew(lease_s_, Clock::now());
}

void Session::on_request(const std::string& type, const boost::json::object& message) {
  const auto seq = wire::count_member(message, "seq");
  const auto number = wire::count_member(message, "db");
  if (!seq || !number) {
    send({{"type", "error"}, {"seq", seq.value_or(0)}, {"error", type + ": needs seq and db"}});
    return;
  }
  const std::shared_ptr<Attached> attached = find(*number);
  if (attached == nullptr) {
    const std::string error = "no open database " + std::to_string(*number);
    if (type == "observe") {
      send({{"type", "observation"}, {"seq", *seq}, {"db", *number}, {"error", error}});
    } else if (type == "apply" || type == "restore") {
      applied({Kind::apply, *number, *seq, connection_number_, {}, false}, {"not_sent", {}, error});
    } else {
      send({{"type", "error"}, {"seq", *seq}, {"error", error}});
    }
    return;
  }
  if (type == "observe") {
    on_observe(*attached, *seq);
  } else if (type == "apply") {
    on_apply(*attached, *seq, message);
  } else if (type == "restore") {
    on_restore(*attached, *seq, message);
  } else if (type == "keep") {
    attached->lease.end();
    attached->database.log("tuned values stay without a lease, as the daemon asked");
    send({{"type", "kept"}, {"seq", *seq}, {"db", *number}});
  } else {
    const auto* json = message.if_contains("values");
    const auto values =
        json == nullptr ? Result<Values>(Error{"adopt: no values", ""}) : parse_values(*json);
    if (!values) {
      send({{"type", "error"}, {"seq", *seq}, {"error", values.error().text()}});
      return;
    }
    attached->database.adopt(*values);
    send({{"type", "adopted"}, {"seq", *seq}, {"db", *number}});
  }
}

void Session::on_observe(Attached& attached, std::uint64_t seq) {
  auto body = observe(attached.database, kBodyBytes);
  boost::json::object message;
  if (body) {
    message = std::move(*body);
  } else {
    message["error"] = body.error().text();
  }
  message["type"] = "observation";
  message["seq"] = seq;
  message["db"] = attached.database.number();
  send(message);
}

void Session::on_apply(Attached& attached, std::uint64_t seq, const boost::json::object& message) {
  const Request request{Kind::apply, attached.database.number(), seq, connection_number_, {},
                        false};
  const auto* json = message.if_contains("set");
  auto set = json == nullptr ? Result<Values>(Error{"apply: no set", ""}) : parse_values(*json);
  if (!set) {
    applied(request, {"not_sent", {}, set.error().text()});
    return;
  }
  const double deadline_s =
      seconds_member(message, "deadline_s", kLongestDeadline_s).value_or(kDefaultDeadline_s);
  const bool revert = wire::true_member(message, "revert");
  Job job{next_job_++, revert ? Job::Kind::revert : Job::Kind::change, std::move(*set), false};
  submit(attached, seq, Kind::apply, std::move(job), after<Clock>(deadline_s));
}

void Session::on_restore(Attached& attached, std::uint64_t seq,
                         const boost::json::object& message) {
  const double deadline_s =
      seconds_member(message, "deadline_s", kLongestDeadline_s).value_or(kDefaultDeadline_s);
  Job job{next_job_++, Job::Kind::restore, {}, wire::true_member(message, "clear_delay")};
  submit(attached, seq, Kind::restore, std::move(job), after<Clock>(deadline_s));
}

void Session::submit(Attached& attached, std::uint64_t seq, Kind kind, Job job,
                     Clock::time_point deadline) {
  const std::uint64_t number = attached.database.number();
  const std::uint64_t id = job.id;
  const Request request{kind, number, seq, connection_number_, deadline, false};
  const std::string refused = attached.worker.submit(std::move(job));
  if (!refused.empty()) {
    if (kind == Kind::lease) {
      lease_restored(attached, {"not_sent", {}, refused});
    } else {
      applied(request, {"not_sent", {}, refused});
    }
    return;
  }
  requests_[id] = request;
  // From here on values of ours may be in force, so the lease runs from here too.
  if (kind == Kind::apply && !attached.lease.active()) attached.lease.start(lease_s_, Clock::now());
}

void Session::on_completed(PollEvent& event) {
  const auto found = requests_.find(event.job);
  if (found == requests_.end()) return;
  const Request request = found->second;
  requests_.erase(found);
  const auto attached = find(event.number);
  if (attached == nullptr) return;
  if (request.kind == Kind::lease) {
    lease_restored(*attached, event.outcome);
    return;
  }
  if (event.outcome.status == "failed")
    attached->database.log("options call failed: " + event.outcome.error);
  if (request.kind == Kind::restore && event.outcome.status == "ok") attached->lease.end();
  applied(request, event.outcome);
}

void Session::applied(const Request& request, const Outcome& outcome) {
  if (!welcomed() || request.connection != connection_number_) return;
  send({{"type", "applied"},
        {"seq", request.seq},
        {"db", request.number},
        {"status", outcome.status},
        {"values", to_json(outcome.values)},
        {"error", outcome.error},
        {"late", request.pending_sent}});
}

void Session::check_deadlines() {
  const Clock::time_point now = Clock::now();
  for (auto& [job, request] : requests_) {
    if (request.pending_sent || request.kind == Kind::lease || now < request.deadline) continue;
    applied(request, {"pending", {}, "the call is still inside RocksDB"});
    request.pending_sent = true;
  }
}

void Session::check_leases() {
  for (const auto& [number, attached] : databases_) {
    if (!attached->lease.active()) continue;
    bool stopped = false;
    {
      const Gate::Use use(attached->database.gate());
      stopped = use && attached->database.stopped();
    }
    const Clock::time_point now = Clock::now();
    if (!attached->lease.ran_out(stopped, now) || attached->restoring ||
        now < attached->restore_not_before)
      continue;
    attached->restoring = true;
    submit(*attached, 0, Kind::lease, {next_job_++, Job::Kind::restore, {}, false}, now);
  }
}

void Session::lease_restored(Attached& attached, const Outcome& outcome) {
  attached.restoring = false;
  if (outcome.status != "ok") {
    attached.restore_not_before = Clock::now() + kPauseAfterFailedRestore;
    if (!attached.restore_failed)
      attached.database.log("the lease ran out; the baseline could not be restored yet: " +
                            outcome.error);
    attached.restore_failed = true;
    return;
  }
  attached.lease.end();
  attached.restore_failed = false;
  if (outcome.values.empty()) return;  // nothing of ours was in force
  attached.database.log("the lease ran out; baseline restored: " +
                        boost::json::serialize(to_json(outcome.values)));
  if (welcomed())
    send({{"type", "lease_expired"},
          {"db", attached.database.number()},
          {"status", outcome.status},
          {"values", to_json(outcome.values)}});
}

std::shared_ptr<Attached> Session::find(std::uint64_t number) const {
  const auto found = databases_.find(number);
  return found == databases_.end() ? nullptr : found->second;
}

void Session::say(const std::string& line) {
  if (line == last_said_) return;
  last_said_ = line;
  if (!databases_.empty()) {
    databases_.begin()->second->database.log(line);
  } else {
    log_line(nullptr, log_to_stderr_, line);
  }
}

}  // namespace lsmtuned::agent
