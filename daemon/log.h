// The daemon's log: one spdlog logger, single lines for operators, key=value tails for decisions.
//
// After set_up_log() the logger is spdlog's default one, so `spdlog::info("...")` writes to it from
// any thread. Line breaks and control characters in a message are escaped: text that came from a
// database or an operator cannot forge a line.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "controller/decision.h"
#include "model/result.h"

namespace spdlog {
class logger;
}

namespace lsmtuned::daemon {

// target: "journal", "stderr", or "auto": the journal when systemd connected stderr to it
// (JOURNAL_STREAM), else stderr with time stamps. level: trace, debug, info, warning, error,
// critical, off. Error: an unknown word, with the key's name. May be called again.
Result<void> set_up_log(const std::string& target, const std::string& level);
Result<void> set_log_level(const std::string& level);

// Whether "auto" means the journal here.
bool stderr_is_journal();

// A tail of key=value pairs: ` id=7 reason="no gain"`. Values with anything but [A-Za-z0-9_.:/+-]
// are quoted, with quotes and backslashes escaped. Empty values are left out.
class Tail {
 public:
  Tail& add(std::string_view key, std::string_view value);
  Tail& add(std::string_view key, std::uint64_t value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// "decision id=7 target=main status=kept kind=proposal reason=gain changes=... explanation=..."
std::string decision_line(const controller::Decision& decision);

// The text with control characters (line breaks too) escaped as \n, \t, \x1b.
std::string one_line(std::string_view text);

}  // namespace lsmtuned::daemon
