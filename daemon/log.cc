#include "daemon/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

#include "controller/kpi.h"
#include "model/units.h"

namespace lsmtuned::daemon {

namespace {

// The flag %* of a pattern: the message on one line.
class OneLineFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string line =
        one_line(std::string_view(message.payload.data(), message.payload.size()));
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<OneLineFlag>();
  }
};

std::unique_ptr<spdlog::formatter> make_formatter(const std::string& pattern,
                                                  const std::string& line_end) {
  auto formatter =
      std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::local, line_end);
  formatter->add_flag<OneLineFlag>('*').set_pattern(pattern);
  return formatter;
}

std::optional<spdlog::level::level_enum> level_from(const std::string& word) {
  static constexpr std::array<std::pair<std::string_view, spdlog::level::level_enum>, 7> kLevels{{
      {"trace", spdlog::level::trace},
      {"debug", spdlog::level::debug},
      {"info", spdlog::level::info},
      {"warning", spdlog::level::warn},
      {"error", spdlog::level::err},
      {"critical", spdlog::level::critical},
      {"off", spdlog::level::off},
  }};
  for (const auto& [name, level] : kLevels) {
    if (word == name) return level;
  }
  return std::nullopt;
}

Error unknown_level(const std::string& level) {
  return {"log_level: unknown word \"" + level + "\"",
          "one of trace, debug, info, warning, error, critical, off"};
}

}  // namespace

bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");  // "device:inode" of the socket
  if (stream == nullptr) return false;
  struct stat status {};
  if (::fstat(STDERR_FILENO, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

Result<void> set_up_log(const std::string& target, const std::string& level) {
  const auto wanted = level_from(level);
  if (!wanted) return unknown_level(level);
  if (target != "auto" && target != "journal" && target != "stderr") {
    return Error{"log_target: unknown word \"" + target + "\"", "one of auto, journal, stderr"};
  }
  const bool journal = target == "journal" || (target == "auto" && stderr_is_journal());
  spdlog::sink_ptr sink;
  if (journal) {  // which adds time and level itself
    sink = std::make_shared<spdlog::sinks::systemd_sink_mt>("lsmtuned", true);
    sink->set_formatter(make_formatter("%*", ""));
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_formatter(make_formatter("%Y-%m-%dT%H:%M:%S.%e%z %l %*", "\n"));
  }
  auto logger = std::make_shared<spdlog::logger>("lsmtuned", std::move(sink));
  logger->set_level(*wanted);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

Result<void> set_log_level(const std::string& level) {
  const auto wanted = level_from(level);
  if (!wanted) return unknown_level(level);
  spdlog::set_level(*wanted);
  return {};
}

Tail& Tail::add(std::string_view key, std::string_view value) {
  if (value.empty()) return *this;
  text_ += ' ';
  text_ += key;
  text_ += '=';
  const auto plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_.:/+-").find(c) != std::string_view::npos;
  };
  if (std::all_of(value.begin(), value.end(), plain)) {
    text_ += value;
    return *this;
  }
  std::string quoted;
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  text_ += '"' + one_line(quoted) + '"';
  return *this;
}

Tail& Tail::add(std::string_view key, std::uint64_t value) {
  return add(key, std::string_view(std::to_string(value)));
}

std::string decision_line(const controller::Decision& decision) {
  Tail tail;
  tail.add("id", decision.id)
      .add("target", decision.target)
      .add("status", controller::to_text(decision.status))
      .add("kind", controller::to_text(decision.kind))
      .add("reason", decision.reason)
      .add("by", decision.initiator);
  if (!decision.changes.empty()) tail.add("changes", model::describe(decision.changes));
  if (decision.predicted_after.put_bytes_per_s > 0) {
    tail.add("predicted", model::format_rate(decision.predicted_after.put_bytes_per_s));
  }
  if (decision.measured_after.seconds > 0) {
    tail.add("measured", model::format_rate(decision.measured_after.put_bytes_per_s));
  }
  std::string judged;
  for (const auto& [name, figure] : controller::kpi_names()) {
    const controller::Kpi& kpi = decision.kpis.*figure;
    if (kpi.judgement == controller::KpiJudgement::unknown) continue;
    judged +=
        (judged.empty() ? "" : ", ") + std::string(name) + " " + controller::to_text(kpi.judgement);
  }
  if (!judged.empty()) tail.add("kpis", judged);
  tail.add("explanation", decision.explanation).add("evidence", decision.evidence);
  return "decision" + tail.text();
}

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else if (c == '\r') {
      line += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr std::string_view kHex = "0123456789abcdef";
      line += "\\x";
      line += kHex[byte >> 4];
      line += kHex[byte & 15];
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace lsmtuned::daemon
