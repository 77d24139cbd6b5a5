#include "actuators/agent_target.h"

#include <charconv>
#include <optional>
#include <utility>

#include "actuators/observation.h"
#include "actuators/wire/json.h"

namespace lsmtuned::actuators {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using std::chrono::milliseconds;
using End = RequestOutcome::End;

// The agent reports "pending" by itself when the deadline passes; it gets this much longer to do
// so before we conclude it on our own.
constexpr milliseconds kAnswerGrace{500};
constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kMaxIdentityBytes = 256;

double seconds_of(milliseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

template <class Clock>
double seconds_now() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

Error error_of(const RequestOutcome& outcome) {
  return {outcome.error, ""};
}

model::Settings settings_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return {};
  auto settings = parse_values(*value);
  return settings ? *std::move(settings) : model::Settings{};
}

// Calls `visit(family, knob, value)` for every value present.
template <class Visit>
void for_each_value(const model::Settings& settings, Visit visit) {
  for (const auto& info : model::all_knobs())
    if (const auto value = settings.database.get(info.knob))
      visit(std::string(), info.knob, *value);
  for (const auto& [family, knobs] : settings.families)
    for (const auto& info : model::all_knobs())
      if (const auto value = knobs.get(info.knob)) visit(family, info.knob, *value);
}

void erase_value(model::Settings& settings, const std::string& family, model::Knob knob) {
  if (family.empty()) {
    settings.database.clear(knob);
  } else if (const auto found = settings.families.find(family); found != settings.families.end()) {
    found->second.clear(knob);
  }
}

std::optional<ApplyStatus> status_of(const json::object& answer) {
  const std::string text = wire::text_member(answer, "status");
  if (text == "ok") return ApplyStatus::ok;
  if (text == "pending") return ApplyStatus::pending;
  if (text == "failed") return ApplyStatus::failed;
  if (text == "not_sent") return ApplyStatus::not_sent;
  return std::nullopt;
}

}  // namespace

Result<AnnouncedDatabase> parse_announced_database(const json::value& value) {
  if (!value.is_object()) return Error{"a database is not an object", ""};
  const json::object& object = value.get_object();
  AnnouncedDatabase database;
  const auto db = wire::count_member(object, "db");
  if (!db) return Error{"a database has no number `db`", ""};
  database.db = *db;
  TargetInfo& info = database.info;
  info.kind = "agent";
  info.path = wire::text_member(object, "path");
  if (info.path.empty() || info.path.size() > kMaxPathBytes)
    return Error{"a database has no usable `path`", ""};
  info.name = info.path;
  info.database_id = wire::text_member(object, "database_id");
  if (info.database_id.size() > kMaxIdentityBytes)
    return Error{"the `database_id` of " + info.path + " is too long", ""};
  const std::string incarnation = wire::text_member(object, "incarnation");
  const char* end = incarnation.data() + incarnation.size();
  const auto [rest, failure] = std::from_chars(incarnation.data(), end, info.incarnation);
  if (failure != std::errc() || rest != end)
    return Error{"the `incarnation` of " + info.path + " is not a decimal number", ""};
  info.rocksdb_version = wire::text_member(object, "rocksdb");
  info.statistics = wire::text_member(object, "statistics");
  info.rate_limiter = wire::true_member(object, "rate_limiter");

  const auto* baseline = object.if_contains("baseline");
  if (baseline == nullptr) return Error{"the `baseline` of " + info.path + " is missing", ""};
  auto settings = parse_values(*baseline);
  if (!settings) return settings.error();
  database.attachment.baseline = *std::move(settings);
  for_each_value(settings_member(object, "ours"),
                 [&](const std::string& family, model::Knob knob, double value_of_ours) {
                   const auto before = database.attachment.baseline.get(family, knob);
                   database.attachment.ours.push_back(
                       {family, knob, before.value_or(value_of_ours), value_of_ours});
                 });
  return database;
}

AgentTarget::AgentTarget(std::weak_ptr<AgentConnection> connection, AnnouncedDatabase database)
    : connection_(std::move(connection)), database_(std::move(database)) {
  for (const auto& change : database_.attachment.ours)
    ours_.set(change.family, change.knob, change.new_value);
  known_ = model::with_changes(database_.attachment.baseline, database_.attachment.ours);
}

json::object AgentTarget::message(std::string_view type) const {
  return {{"type", json::string_view(type.data(), type.size())}, {"db", database_.db}};
}

asio::awaitable<Result<model::Snapshot>> AgentTarget::observe(milliseconds deadline) {
  const auto self = shared_from_this();
  const auto connection = connection_.lock();
  if (!connection) co_return Error{"the database is not connected", ""};
  const auto outcome = co_await connection->request(message("observe"), deadline, nullptr);
  if (outcome.end != End::answered) co_return error_of(outcome);
  if (const auto error = wire::text_member(outcome.answer, "error"); !error.empty())
    co_return Error{"the agent could not observe: " + error, ""};
  auto snapshot = parse_observation(outcome.answer);
  if (!snapshot) co_return snapshot.error();
  snapshot->target = database_.info.name;
  snapshot->incarnation = database_.info.incarnation;
  snapshot->time_s = seconds_now<std::chrono::steady_clock>();
  snapshot->wall_time_s = seconds_now<std::chrono::system_clock>();
  known_ = snapshot->settings;
  co_return snapshot;
}

asio::awaitable<Result<Attachment>> AgentTarget::attachment(milliseconds) {
  if (!connected()) co_return Error{"the database is not connected", ""};
  Attachment now{database_.attachment.baseline, {}};
  for_each_value(ours_, [&](const std::string& family, model::Knob knob, double value) {
    now.ours.push_back({family, knob, now.baseline.get(family, knob).value_or(value), value});
  });
  co_return now;
}

asio::awaitable<ApplyReport> AgentTarget::apply(model::ChangeSet changes, bool is_revert,
                                                milliseconds deadline, LateResult late) {
  auto request = message("apply");
  request["set"] = values_from_changes(changes, true);
  request["deadline_s"] = seconds_of(deadline);
  request["revert"] = is_revert;
  auto asked = std::make_shared<const model::ChangeSet>(std::move(changes));
  return change(std::move(request), std::move(asked), deadline, std::move(late));
}

asio::awaitable<ApplyReport> AgentTarget::restore(bool clear_delay, milliseconds deadline,
                                                  LateResult late) {
  auto request = message("restore");
  request["clear_delay"] = clear_delay;
  request["deadline_s"] = seconds_of(deadline);
  return change(std::move(request), nullptr, deadline, std::move(late));
}

asio::awaitable<ApplyReport> AgentTarget::change(json::object request,
                                                 std::shared_ptr<const model::ChangeSet> asked,
                                                 milliseconds deadline, LateResult late) {
  const auto self = shared_from_this();
  const auto connection = connection_.lock();
  if (!connection)
    co_return ApplyReport{ApplyStatus::not_sent, {}, "the database is not connected"};
  AgentConnection::Afterwards afterwards = [self, asked, late](const RequestOutcome& outcome) {
    auto report = self->report_of(outcome, asked.get());
    if (late) late(std::move(report));
  };
  const auto outcome = co_await connection->request(std::move(request), deadline + kAnswerGrace,
                                                    std::move(afterwards));
  co_return self->report_of(outcome, asked.get());
}

ApplyReport AgentTarget::report_of(const RequestOutcome& outcome, const model::ChangeSet* asked) {
  if (outcome.end == End::not_sent) return {ApplyStatus::not_sent, {}, outcome.error};
  if (outcome.end == End::timed_out) return {ApplyStatus::pending, {}, outcome.error};
  if (outcome.end == End::lost)
    return {ApplyStatus::failed, {}, outcome.error + "; whether it took effect is unknown"};

  const auto status = status_of(outcome.answer);
  const std::string error = wire::text_member(outcome.answer, "error");
  if (!status)
    return {ApplyStatus::failed, {}, error.empty() ? "the agent answered without a status" : error};
  ApplyReport report{*status, {}, error};
  const auto in_force = settings_member(outcome.answer, "values");
  if (asked != nullptr) {
    for (auto change : *asked) {
      const auto now = in_force.get(change.family, change.knob);
      if (!now || (*now == change.old_value && *now != change.new_value)) continue;
      change.new_value = *now;
      report.applied.push_back(change);
    }
  } else {
    for_each_value(in_force, [&](const std::string& family, model::Knob knob, double value) {
      report.applied.push_back({family, knob, known_.get(family, knob).value_or(value), value});
    });
  }
  if (*status != ApplyStatus::not_sent) remember(in_force);
  return report;
}

void AgentTarget::remember(const model::Settings& in_force) {
  for_each_value(in_force, [&](const std::string& family, model::Knob knob, double value) {
    known_.set(family, knob, value);
    if (database_.attachment.baseline.get(family, knob) == value)
      erase_value(ours_, family, knob);
    else
      ours_.set(family, knob, value);
  });
}

void AgentTarget::on_lease_expired(const json::value& values) {
  const auto settings = parse_values(values);
  if (settings) remember(*settings);
}

asio::awaitable<Result<void>> AgentTarget::tell(json::object request, milliseconds deadline) {
  const auto self = shared_from_this();
  const auto connection = connection_.lock();
  if (!connection) co_return Error{"the database is not connected", ""};
  const auto outcome = co_await connection->request(std::move(request), deadline, nullptr);
  if (outcome.end != End::answered) co_return error_of(outcome);
  if (const auto error = wire::text_member(outcome.answer, "error"); !error.empty())
    co_return Error{"the agent answered: " + error, ""};
  co_return Result<void>();
}

asio::awaitable<Result<void>> AgentTarget::adopt(model::ChangeSet foreign, milliseconds deadline) {
  const auto self = shared_from_this();
  auto request = message("adopt");
  request["values"] = values_from_changes(foreign, true);
  const auto told = co_await tell(std::move(request), deadline);
  if (!told) co_return told;
  for (const auto& change : foreign) {
    database_.attachment.baseline.set(change.family, change.knob, change.new_value);
    known_.set(change.family, change.knob, change.new_value);
    erase_value(ours_, change.family, change.knob);
  }
  co_return told;
}

void AgentTarget::heartbeat(milliseconds lease) {
  const auto connection = connection_.lock();
  if (connection) connection->send({{"type", "heartbeat"}, {"lease_s", seconds_of(lease)}});
}

asio::awaitable<Result<void>> AgentTarget::keep_without_lease(milliseconds deadline) {
  return tell(message("keep"), deadline);
}

}  // namespace lsmtuned::actuators
