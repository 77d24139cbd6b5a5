#include "actuators/agent_session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>
#include <vector>

#include "actuators/wire/json.h"

namespace lsmtuned::actuators {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using boost::system::error_code;
using End = RequestOutcome::End;

// Text of a peer on its way to a log: no control characters, not endless.
std::string printable(std::string text) {
  constexpr std::size_t kLongest = 200;
  if (text.size() > kLongest) text.resize(kLongest);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

}  // namespace

AgentSession::AgentSession(Socket socket, PeerCredentials peer, double lease_s,
                           std::shared_ptr<const AgentServer::Callbacks> callbacks,
                           std::function<void(AgentSession*)> ended)
    : socket_(std::move(socket)),
      peer_(peer),
      lease_s_(lease_s),
      callbacks_(std::move(callbacks)),
      ended_(std::move(ended)),
      handshake_timer_(socket_.get_executor()) {}

std::string AgentSession::name() const {
  std::string name = "agent of process " + std::to_string(peer_.pid);
  if (!executable_.empty()) name += " (" + printable(executable_) + ")";
  return name;
}

void AgentSession::log(const std::string& text) const {
  if (callbacks_->log) callbacks_->log(name() + ": " + text);
}

asio::awaitable<void> AgentSession::expect_hello() {
  const auto self = shared_from_this();
  handshake_timer_.expires_after(kHandshakeTimeout);
  error_code error;
  co_await handshake_timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (!error) close("no hello within 5 s; connection closed");
}

asio::awaitable<void> AgentSession::run() {
  const auto self = shared_from_this();
  asio::co_spawn(
      socket_.get_executor(), [self] { return self->expect_hello(); }, asio::detached);
  while (!closed_) {
    error_code error;
    const std::size_t size = co_await socket_.async_read_some(
        asio::buffer(received_), asio::redirect_error(asio::use_awaitable, error));
    if (closed_) break;
    if (error) {
      close(welcomed_ ? "connection ended" : "connection ended before the handshake");
      break;
    }
    if (refused_) continue;
    decoder_.feed({received_.data(), size});
    while (!closed_ && !refused_) {
      auto frame = decoder_.next();
      if (!frame) {
        refuse(frame.error().what);
      } else if (!*frame) {
        break;
      } else {
        on_frame(**frame);
      }
    }
  }
}

void AgentSession::on_frame(const std::string& payload) {
  const auto message = wire::parse_payload(payload);
  if (!message) return refuse(message.error().what);
  const std::string type = wire::text_member(*message, "type");
  if (!welcomed_) {
    if (type != "hello") return refuse("the first message is not `hello`");
    return on_hello(*message);
  }
  if (type == "observation" || type == "applied" || type == "adopted" || type == "kept") {
    on_answer(*message);
  } else if (type == "opened") {
    const auto* database = message->if_contains("database");
    on_database(database == nullptr ? json::value() : *database);
  } else if (type == "closed") {
    if (const auto db = wire::count_member(*message, "db"))
      on_closed(*db, "the database was closed");
  } else if (type == "lease_expired") {
    on_lease_expired(*message);
  } else if (type == "error") {
    if (wire::count_member(*message, "seq").value_or(0) != 0)
      on_answer(*message);
    else
      log("reports: " + printable(wire::text_member(*message, "error")));
  } else {
    send({{"type", "error"}, {"error", "unknown message type"}});
  }
}

void AgentSession::on_hello(const json::object& message) {
  const auto protocol = wire::count_member(message, "protocol");
  if (protocol != static_cast<std::uint64_t>(wire::kProtocolVersion)) {
    return refuse("the agent speaks protocol " +
                  (protocol ? std::to_string(*protocol) : std::string("(none)")) +
                  ", this daemon speaks protocol " + std::to_string(wire::kProtocolVersion) +
                  "; install the same version of both");
  }
  const auto* databases = message.if_contains("databases");
  if (databases == nullptr || !databases->is_array())
    return refuse("the hello has no list `databases`");
  executable_ = wire::text_member(message, "executable");
  // In another pid namespace the kernel has no number for us; then the agent's own must do.
  if (peer_.pid <= 0) {
    const auto pid = wire::count_member(message, "pid").value_or(0);
    peer_.pid = pid <= 0x7fffffff ? static_cast<int>(pid) : 0;
  }
  welcomed_ = true;
  handshake_timer_.cancel();
  send({{"type", "welcome"},
        {"protocol", wire::kProtocolVersion},
        {"daemon", LSMTUNED_VERSION},
        {"lease_s", lease_s_}});
  for (const auto& database : databases->get_array()) {
    if (closed_ || refused_) return;
    on_database(database);
  }
}

void AgentSession::on_database(const json::value& value) {
  auto database = parse_announced_database(value);
  if (!database) return refuse(printable(database.error().what));
  const std::uint64_t db = database->db;
  if (databases_.contains(db)) on_closed(db, "the agent opened another database under its number");
  if (databases_.size() >= kMaxDatabases) {
    if (!std::exchange(said_too_many_, true))
      log("has more than " + std::to_string(kMaxDatabases) + " databases; the others are not seen");
    return;
  }
  database->info.pid = peer_.pid;
  database->info.executable = executable_;
  auto target = std::make_shared<AgentTarget>(weak_from_this(), *std::move(database));
  databases_.emplace(db, target);
  if (callbacks_->found) callbacks_->found(target);
}

void AgentSession::on_closed(std::uint64_t db, const std::string& reason) {
  const auto found = databases_.find(db);
  if (found == databases_.end()) return;
  const auto target = found->second;
  databases_.erase(found);
  target->disconnect();
  fail_waiting([db](const Waiting& waiting) { return waiting.db == db; }, reason);
  if (callbacks_->lost) callbacks_->lost(target, reason);
}

void AgentSession::on_lease_expired(const json::object& message) {
  const auto db = wire::count_member(message, "db");
  const auto found = db ? databases_.find(*db) : databases_.end();
  if (found == databases_.end()) return;
  const auto target = found->second;
  if (const auto* values = message.if_contains("values")) target->on_lease_expired(*values);
  if (callbacks_->lease_expired) callbacks_->lease_expired(target);
}

void AgentSession::on_answer(const json::object& message) {
  const auto seq = wire::count_member(message, "seq");
  const auto found = seq ? waiting_.find(*seq) : waiting_.end();
  if (found == waiting_.end()) return;  // answers a request whose deadline passed
  const auto waiting = found->second;
  const bool pending = wire::text_member(message, "status") == "pending";
  if (pending && waiting->afterwards && !waiting->asked) return;  // we concluded it before
  if (!pending || !waiting->afterwards) waiting_.erase(found);
  finish(waiting, {End::answered, message, ""});
}

void AgentSession::finish(const std::shared_ptr<Waiting>& waiting, RequestOutcome outcome) {
  if (waiting->asked) {
    waiting->asked = false;
    waiting->outcome = std::move(outcome);
    waiting->timer.cancel();
    return;
  }
  if (!waiting->afterwards) return;
  // Posted, so that whoever was told "pending" a moment ago hears that first.
  asio::post(socket_.get_executor(),
             [afterwards = std::exchange(waiting->afterwards, nullptr),
              late = std::move(outcome)]() mutable { afterwards(std::move(late)); });
}

void AgentSession::fail_waiting(const std::function<bool(const Waiting&)>& which,
                                const std::string& error) {
  std::vector<std::shared_ptr<Waiting>> failed;
  std::erase_if(waiting_, [&](const auto& entry) {
    if (!which(*entry.second)) return false;
    failed.push_back(entry.second);
    return true;
  });
  for (const auto& waiting : failed) finish(waiting, {End::lost, {}, error});
}

asio::awaitable<RequestOutcome> AgentSession::request(json::object message,
                                                      std::chrono::milliseconds deadline,
                                                      Afterwards afterwards) {
  const auto self = shared_from_this();
  if (closed_ || refused_)
    co_return RequestOutcome{End::not_sent, {}, "the agent is not connected"};
  if (waiting_.size() >= kMaxRequests)
    co_return RequestOutcome{End::not_sent, {}, "too many requests wait for the agent"};
  const std::uint64_t seq = next_seq_++;
  auto waiting = std::make_shared<Waiting>(socket_.get_executor());
  waiting->db = wire::count_member(message, "db").value_or(0);
  waiting->afterwards = std::move(afterwards);
  waiting->timer.expires_after(deadline);
  message["seq"] = seq;
  auto frame = wire::to_frame(message);
  if (!frame) co_return RequestOutcome{End::not_sent, {}, frame.error().what};
  waiting_.emplace(seq, waiting);
  send_frame(*std::move(frame));

  // The caller may give up on us (a cancelled coroutine): then nobody waits any more.
  struct Guard {
    AgentSession& session;
    std::uint64_t seq;
    std::shared_ptr<Waiting> waiting;
    ~Guard() {
      if (waiting->asked) session.waiting_.erase(seq);
    }
  } guard{*this, seq, waiting};
  if (waiting->asked) {
    error_code ignored;
    co_await waiting->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (!waiting->asked) co_return std::move(waiting->outcome);
  waiting->asked = false;
  if (!waiting->afterwards) waiting_.erase(seq);
  co_return RequestOutcome{End::timed_out, {}, "no answer from the agent by the deadline"};
}

void AgentSession::send(const json::object& message) {
  auto frame = wire::to_frame(message);
  if (!frame) return log("a message is not sent: " + frame.error().what);
  send_frame(*std::move(frame));
}

void AgentSession::send_frame(std::string frame) {
  if (closed_ || refused_) return;
  if (outbound_bytes_ + frame.size() > kMaxOutboundBytes)
    return close("does not read what we send; connection closed");
  outbound_bytes_ += frame.size();
  outbound_.push_back(std::move(frame));
  if (std::exchange(writing_, true)) return;
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this()] { return self->write_all(); },
      asio::detached);
}

asio::awaitable<void> AgentSession::write_all() {
  const auto self = shared_from_this();
  while (!closed_ && !outbound_.empty()) {
    error_code error;
    co_await asio::async_write(socket_, asio::buffer(outbound_.front()),
                               asio::redirect_error(asio::use_awaitable, error));
    if (closed_) co_return;
    if (error) {
      close("connection ended: " + error.message());
      co_return;
    }
    outbound_bytes_ -= outbound_.front().size();
    outbound_.pop_front();
  }
  writing_ = false;
  if (refused_) release("", true);
}

void AgentSession::refuse(const std::string& reason) {
  if (closed_ || refused_) return;
  send({{"type", "error"}, {"error", reason}});
  if (closed_) return;
  refused_ = true;
  log(reason + "; connection closed");
  // The reason is worth a moment; a peer that does not read it must not keep the connection.
  asio::co_spawn(
      socket_.get_executor(),
      [self = shared_from_this()]() -> asio::awaitable<void> {
        error_code ignored;
        self->handshake_timer_.expires_after(std::chrono::seconds(1));
        co_await self->handshake_timer_.async_wait(
            asio::redirect_error(asio::use_awaitable, ignored));
        self->close("");
      },
      asio::detached);
}

void AgentSession::close(const std::string& reason) {
  if (closed_) return;
  if (!reason.empty() && !refused_) log(reason);
  release(reason, true);
}

void AgentSession::abandon() {
  release("the daemon is stopping", false);
}

void AgentSession::release(const std::string& reason, bool tell) {
  if (std::exchange(closed_, true)) return;
  const auto self = shared_from_this();
  handshake_timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
  const std::string why = reason.empty() ? "connection closed" : reason;
  for (const auto& [db, target] : databases_) target->disconnect();
  fail_waiting([](const Waiting&) { return true; }, why);
  const auto lost = std::exchange(databases_, {});
  if (tell && callbacks_->lost)
    for (const auto& [db, target] : lost) callbacks_->lost(target, why);
  if (const auto ended = std::exchange(ended_, nullptr)) ended(this);
}

}  // namespace lsmtuned::actuators
