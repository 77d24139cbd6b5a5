#include "daemon/event_log.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "daemon/event_codec.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
constexpr std::chrono::seconds kPauseAfterFailure{60};

Error io_error(const std::string& path, const char* doing, int number) {
  return Error{path + ": " + doing + ": " + std::strerror(number),
               "the database is tuned as before; this part of the record is lost"};
}

// Length up to the last newline: what stands behind it was torn.
Result<std::uint64_t> whole_lines(int file, const std::string& path) {
  struct stat about {};
  if (::fstat(file, &about) != 0) return io_error(path, "reading", errno);
  auto end = static_cast<std::uint64_t>(about.st_size);
  char block[4096];
  while (end > 0) {
    const std::uint64_t begin = end > sizeof block ? end - sizeof block : 0;
    const ssize_t got = ::pread(file, block, end - begin, static_cast<off_t>(begin));
    if (got < 0) return io_error(path, "reading", errno);
    for (auto i = static_cast<std::uint64_t>(got); i > 0; --i)
      if (block[i - 1] == '\n') return begin + i;
    end = begin;
  }
  return std::uint64_t{0};
}

}  // namespace

std::string EventLog::path_for(const std::string& folder, const std::string& target) {
  std::string name;
  for (const char c : target) {
    if (c == '/')
      name += "%2F";
    else if (c == '%')
      name += "%25";
    else
      name += c;
  }
  return folder + "/" + name + ".jsonl";
}

EventLog::EventLog(std::string folder, const std::string& target, double limit_bytes)
    : folder_(std::move(folder)),
      path_(path_for(folder_, target)),
      rotate_at_bytes_(static_cast<std::uint64_t>(limit_bytes / 2)) {}

EventLog::~EventLog() {
  close_file();
}

void EventLog::close_file() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

bool EventLog::take_state_wish() {
  return wants_state_ && std::chrono::steady_clock::now() >= not_before_.load() &&
         wants_state_.exchange(false);
}

void EventLog::stop(const Error& error) {
  if (!failing_) spdlog::error("the event log stops for now: {}", error.text());
  failing_ = true;
  close_file();
  not_before_ = std::chrono::steady_clock::now() + kPauseAfterFailure;
  wants_state_ = true;
}

Result<void> EventLog::open() {
  if (file_ >= 0) return {};
  std::error_code code;
  std::filesystem::create_directories(folder_, code);
  if (code) return io_error(folder_, "creating", code.value());
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file_ < 0) return io_error(path_, "opening", errno);
  const auto whole = whole_lines(file_, path_);
  if (!whole) return whole.error();
  if (::ftruncate(file_, static_cast<off_t>(*whole)) != 0)
    return io_error(path_, "truncating", errno);
  size_bytes_ = *whole;
  return {};
}

Result<void> EventLog::write_line(std::string line) {
  line += '\n';
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = ::write(file_, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int number = written < 0 ? errno : ENOSPC;
      // Should this fail too, the next open() cuts the torn line off.
      static_cast<void>(::ftruncate(file_, static_cast<off_t>(size_bytes_)));
      return io_error(path_, "writing", number);
    }
    done += static_cast<std::size_t>(written);
  }
  size_bytes_ += line.size();
  return {};
}

void EventLog::begin(const controller::State& state) {
  Result<void> opened = open();
  if (opened && size_bytes_ >= rotate_at_bytes_) {
    close_file();
    if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0)
      opened = io_error(path_, "renaming", errno);
    else
      opened = open();
  }
  if (!opened) return stop(opened.error());
  const json::object line{
      {"session", json::object{{"format", kEventLogFormat}, {"version", LSMTUNED_VERSION}}},
      {"state", whole_state_to_json(state)}};
  const Result<void> written = write_line(json::serialize(line));
  if (!written) return stop(written.error());
  if (failing_) spdlog::info("the event log goes on: {}", path_);
  failing_ = false;
  rotation_due_ = false;
}

void EventLog::append(const controller::Event& event,
                      const std::vector<controller::Effect>& effects, const std::string& refusal) {
  if (file_ < 0) return;  // stopped; a session begins anew
  json::object line = event_to_json(event);
  if (!effects.empty()) line["effects"] = effects_to_json(effects);
  if (!refusal.empty()) line["refusal"] = refusal;
  const Result<void> written = write_line(json::serialize(line));
  if (!written) return stop(written.error());
  if (size_bytes_ >= rotate_at_bytes_ && !rotation_due_) {
    rotation_due_ = true;
    wants_state_ = true;
  }
}

}  // namespace lsmtuned::daemon
