#include "daemon/replay.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <utility>

#include "controller/search.h"
#include "controller/step.h"
#include "daemon/codec.h"
#include "daemon/event_codec.h"
#include "daemon/event_log.h"
#include "daemon/log.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
using controller::Event;

struct Line {
  std::int64_t number = 0;
  json::object object;
};

// Lines of a log; a last line without its newline was torn and is none.
class Lines {
 public:
  explicit Lines(const std::string& path) : file_(path, std::ios::binary), path_(path) {
    if (!file_) error_ = path + ": " + std::strerror(errno);
  }

  // False at the end, and on an error.
  bool next(Line& line) {
    std::string text;
    if (!error_.empty() || !std::getline(file_, text)) return false;
    line.number = ++number_;
    if (file_.eof()) {
      torn_ = true;
      return false;
    }
    const auto parsed = parse_exact(text);
    if (!parsed || !parsed->is_object()) {
      fail(parsed ? "not a JSON object" : parsed.error().what);
      return false;
    }
    line.object = parsed->get_object();
    return true;
  }
  void fail(const std::string& what) {
    error_ = path_ + ":" + std::to_string(number_) + ": " + what;
  }
  const std::string& error() const { return error_; }
  bool torn() const { return torn_; }
  std::int64_t number() const { return number_; }

 private:
  std::ifstream file_;
  std::string path_;
  std::string error_;
  std::int64_t number_ = 0;
  bool torn_ = false;
};

std::string around(const std::string& text, std::size_t at) {
  constexpr std::size_t kBefore = 60;
  constexpr std::size_t kLength = 160;
  const std::size_t from = at > kBefore ? at - kBefore : 0;
  return (from > 0 ? "..." : "") + one_line(text.substr(from, kLength)) +
         (from + kLength < text.size() ? "..." : "");
}

class Replay {
 public:
  Replay(const std::string& path, const ReplayOptions& options, std::ostream& out,
         std::ostream& err)
      : lines_(path), options_(options), out_(out), err_(err) {}

  ReplayEnd run() {
    Line line;
    while (lines_.next(line)) {
      if (line.object.contains("session")) {
        if (!begin(line)) break;
      } else if (!begun_) {
        lines_.fail("an event before any state: this is not the beginning of an event log");
        break;
      } else if (!take(line)) {
        break;
      }
      if (!difference_.empty()) {
        err_ << "lsmtunectl: " << difference_;
        return ReplayEnd::differs;
      }
    }
    if (!lines_.error().empty()) {
      err_ << "lsmtunectl: " << lines_.error() << "\n";
      return ReplayEnd::damaged;
    }
    if (!begun_) {
      err_ << "lsmtunectl: there is no whole line in the file\n";
      return ReplayEnd::damaged;
    }
    if (lines_.torn())
      err_ << "note: line " << lines_.number()
           << " is not whole (the daemon was killed while it wrote) and is left out\n";
    const std::string result = options_.policy ? "under another policy" : "identical to the record";
    if (options_.as_json) {
      out_ << json::serialize(json::object{{"result", result},
                                           {"events", events_},
                                           {"decisions", decisions_},
                                           {"searches", searches_}})
           << "\n";
    } else {
      out_ << fmt::format("{}: {} events, {} records of decisions, {} searches\n", result, events_,
                          decisions_, searches_);
    }
    return ReplayEnd::finished;
  }

 private:
  bool begin(const Line& line) {
    const json::value& session = line.object.at("session");
    const json::value* format =
        session.is_object() ? session.get_object().if_contains("format") : nullptr;
    if (format == nullptr || *format != kEventLogFormat) {
      lines_.fail("an event log of another format");
      return false;
    }
    const json::value* version = session.get_object().if_contains("version");
    if (version == nullptr || *version != LSMTUNED_VERSION)
      err_ << "note: line " << line.number << ": recorded by another version of lsmtuned than "
           << LSMTUNED_VERSION << "; its decisions may differ for that reason\n";
    const json::value* state = line.object.if_contains("state");
    auto read = whole_state_from_json(state != nullptr ? *state : json::value());
    if (!read) {
      lines_.fail(read.error().what);
      return false;
    }
    state_ = std::move(*read);
    searched_.reset();
    begun_ = true;
    if (options_.policy) take_over_policy();
    return true;
  }

  bool take(const Line& line) {
    auto event = event_from_json(line.object);
    if (!event) {
      lines_.fail(event.error().what);
      return false;
    }
    ++events_;
    if (options_.policy) {
      feed_under_policy(std::move(*event));
      return true;
    }
    if (const auto* finished = std::get_if<controller::SearchFinished>(&event->payload))
      compare_search(line, finished->result);
    if (!difference_.empty()) return true;
    const auto result = feed(*event);
    const json::value* effects = line.object.if_contains("effects");
    compare(line, "effects", effects != nullptr ? json::serialize(*effects) : "[]",
            json::serialize(effects_to_json(result.effects)));
    const json::value* refusal = line.object.if_contains("refusal");
    compare(line, "refusal", refusal != nullptr ? json::serialize(*refusal) : "\"\"",
            json::serialize(json::value(result.refusal)));
    return true;
  }

  controller::StepResult feed(const Event& event) {
    controller::StepResult result = controller::step(std::move(state_), event);
    state_ = std::move(result.state);
    for (const auto& effect : result.effects) {
      if (const auto* record = std::get_if<controller::RecordDecision>(&effect)) {
        ++decisions_;
        print(event.wall_s, record->decision);
      } else if (const auto* wanted = std::get_if<controller::RequestSearch>(&effect)) {
        ++searches_;
        searched_ = controller::search(wanted->request);
      }
    }
    return result;
  }

  void print(double wall_s, const controller::Decision& decision) {
    if (options_.as_json) {
      out_ << json::serialize(to_json(decision)) << "\n";
      return;
    }
    out_ << fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(static_cast<std::time_t>(wall_s)),
                        decision_line(decision));
  }

  // One that was asked for before the record began has nothing to be compared with.
  void compare_search(const Line& line, const controller::SearchResult& recorded) {
    const auto own = std::exchange(searched_, std::nullopt);
    if (!own || recorded.error == kLostDuringSearch) return;
    compare(line, "search result", json::serialize(search_result_to_json(recorded)),
            json::serialize(search_result_to_json(*own)));
  }

  void compare(const Line& line, const char* what, const std::string& recorded,
               const std::string& own) {
    if (!difference_.empty() || recorded == own) return;
    const auto at = static_cast<std::size_t>(
        std::mismatch(recorded.begin(), recorded.end(), own.begin(), own.end()).first -
        recorded.begin());
    difference_ = fmt::format("line {}: the {} differs\n  recorded {}\n  replayed {}\n",
                              line.number, what, around(recorded, at), around(own, at));
  }

  // ---- under another policy: only advice, since the recorded database does not follow it --------

  void take_over_policy() {
    state_.policy = *options_.policy;
    if (state_.policy.mode == config::Mode::tune) state_.policy.mode = config::Mode::advise;
    auto& persistent = state_.persistent;
    persistent.mode_override.reset();
    persistent.storm_latched = false;
    persistent.open_trial.reset();
    persistent.kept.clear();
    state_.safe_latched = false;
    state_.trial.reset();
    state_.outstanding.reset();
    state_.revert.reset();
    state_.candidate.reset();
    state_.advice.reset();
    persistent.reapply.clear();
    persistent.may_land.clear();
    state_.restore_wanted_by.reset();
    state_.search_running = false;
    state_.final_records.clear();
    state_.unrecorded.clear();
    if (state_.attached && state_.phase != controller::Phase::frozen)
      state_.phase = controller::Phase::observing;
  }

  void feed_under_policy(Event event) {
    using Kind = controller::OperatorCommand::Kind;
    if (auto* found = std::get_if<controller::TargetFound>(&event.payload)) {
      found->baseline = model::with_changes(found->baseline, found->tuned_by_us);
      found->tuned_by_us.clear();
    } else if (const auto* arrived = std::get_if<controller::SnapshotArrived>(&event.payload)) {
      if (state_.expected && *state_.expected != arrived->snapshot.settings)
        controller::assume_settings(state_, arrived->snapshot.settings);
    } else if (const auto* command = std::get_if<controller::OperatorCommand>(&event.payload)) {
      if (command->kind != Kind::freeze && command->kind != Kind::thaw) return;
    } else if (!std::holds_alternative<controller::SnapshotFailed>(event.payload) &&
               !std::holds_alternative<controller::TargetLost>(event.payload) &&
               !std::holds_alternative<controller::Tick>(event.payload)) {
      return;  // answers to the recorded controller
    }
    feed(event);
    if (!searched_) return;
    event.payload = controller::SearchFinished{*std::exchange(searched_, std::nullopt)};
    feed(event);
  }

  Lines lines_;
  const ReplayOptions& options_;
  std::ostream& out_;
  std::ostream& err_;
  controller::State state_;
  bool begun_ = false;
  std::optional<controller::SearchResult> searched_;
  std::string difference_;
  std::uint64_t events_ = 0;
  std::uint64_t decisions_ = 0;
  std::uint64_t searches_ = 0;
};

}  // namespace

std::string recorded_target(const std::string& path) {
  Lines lines(path);
  Line line;
  if (!lines.next(line)) return {};
  const json::value* state = line.object.if_contains("state");
  if (state == nullptr) return {};
  const auto read = whole_state_from_json(*state);
  return read ? read->target : std::string();
}

ReplayEnd replay(const std::string& path, const ReplayOptions& options, std::ostream& out,
                 std::ostream& err) {
  return Replay(path, options, out, err).run();
}

}  // namespace lsmtuned::daemon
