#include "daemon/history_lines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace lsmtuned::daemon {

namespace {

constexpr std::string_view kPrefix = "{\"seq\":";
constexpr std::int64_t kBatch = 256;  // versions read from the table at a time

std::optional<std::int64_t> seq_of(std::string_view line) {
  if (!line.starts_with(kPrefix) || !line.ends_with('}')) return std::nullopt;
  std::int64_t seq = 0;
  const auto [end, failure] =
      std::from_chars(line.data() + kPrefix.size(), line.data() + line.size(), seq);
  if (failure != std::errc{} || *end != ',') return std::nullopt;
  return seq;
}

// The highest seq of a rotated file; 0 when there is none.
std::int64_t last_seq_in(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::int64_t last = 0;
  while (std::getline(file, line)) {
    if (const auto seq = seq_of(line)) last = *seq;
  }
  return last;
}

// Walks the table in step with the file, a batch at a time.
class Cursor {
 public:
  Cursor(const DecisionLines::Source& source, std::int64_t after)
      : source_(source), after_(after) {}

  // The next version, or null at the end.
  Result<const LogLine*> peek() {
    if (at_ == batch_.size()) {
      auto next = source_(after_, kBatch);
      if (!next) return next.error();
      batch_ = std::move(*next);
      at_ = 0;
      if (batch_.empty()) return static_cast<const LogLine*>(nullptr);
      after_ = batch_.back().seq;
    }
    return &batch_[at_];
  }
  void advance() { ++at_; }

 private:
  const DecisionLines::Source& source_;
  std::int64_t after_;
  std::vector<LogLine> batch_;
  std::size_t at_ = 0;
};

enum class Comparison { same, tail_missing, differs, foreign };

struct Findings {
  Comparison comparison = Comparison::same;
  std::uint64_t good_bytes = 0;  // length of the part that is right
  std::int64_t last_seq = 0;     // of that part
  bool torn = false;             // bytes after the last whole line
};

Result<Findings> compare(const std::string& path, const DecisionLines::Source& source,
                         std::int64_t start, std::int64_t last_given) {
  Findings findings;
  findings.last_seq = start;
  std::ifstream file(path, std::ios::binary);
  Cursor cursor(source, start);
  std::string line;
  while (std::getline(file, line)) {
    if (file.eof()) {  // no newline at its end: a torn append
      findings.torn = true;
      break;
    }
    const auto seq = seq_of(line);
    if (!seq || *seq <= findings.last_seq) {
      findings.comparison = Comparison::differs;
      return findings;
    }
    if (*seq > last_given) {  // lines of a table that this one never was
      findings.comparison = Comparison::foreign;
      return findings;
    }
    auto row = cursor.peek();
    if (!row) return row.error();
    // A version that the table no longer has was pruned; one that the file lacks is a difference.
    if (*row != nullptr && (*row)->seq <= *seq) {
      if ((*row)->seq != *seq || (*row)->text != line) {
        findings.comparison = Comparison::differs;
        return findings;
      }
      cursor.advance();
    }
    findings.last_seq = *seq;
    findings.good_bytes += line.size() + 1;
  }
  auto row = cursor.peek();
  if (!row) return row.error();
  if (*row != nullptr) findings.comparison = Comparison::tail_missing;
  return findings;
}

}  // namespace

LogLine make_log_line(std::int64_t seq, std::string_view decision_json) {
  return {seq,
          std::string(kPrefix) + std::to_string(seq) + "," + std::string(decision_json.substr(1))};
}

DecisionLines::DecisionLines(std::string path, std::uint64_t rotate_at_bytes, Source source)
    : path_(std::move(path)), rotate_at_bytes_(rotate_at_bytes), source_(std::move(source)) {}

DecisionLines::~DecisionLines() {
  close_file();
}

void DecisionLines::close_file() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Error DecisionLines::error(const std::string& doing, int number) const {
  Error error{path_ + ": " + doing + ": " + std::strerror(number), ""};
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
    error.remedy = "free space in " + std::filesystem::path(path_).parent_path().string() +
                   "; the decisions are safe in history.sqlite and written here later";
  } else {
    error.remedy = "the decisions are safe in history.sqlite; this file is written again at start";
  }
  return error;
}

bool DecisionLines::still_ours() const {
  struct stat open_one {};
  struct stat named {};
  return file_ >= 0 && ::fstat(file_, &open_one) == 0 && ::stat(path_.c_str(), &named) == 0 &&
         open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

Result<void> DecisionLines::bring_up_to_date(std::int64_t last_given, std::string& repaired) {
  if (compared_ && still_ours()) return catch_up();
  std::string found;
  auto done = reconcile(last_given, found);
  if (done) repaired = std::move(found);
  return done;
}

Result<void> DecisionLines::reconcile(std::int64_t last_given, std::string& repaired) {
  close_file();
  compared_ = false;
  std::int64_t start = last_seq_in(path_ + ".1");
  if (start > last_given) {
    if (auto moved = set_aside(); !moved) return moved.error();
    repaired = path_ + " and .1 belonged to another history and were renamed (suffix .other)";
    start = 0;
  }
  auto found = compare(path_, source_, start, last_given);
  if (!found) return found.error();
  if (found->comparison == Comparison::foreign) {
    if (auto moved = set_aside(); !moved) return moved.error();
    repaired = path_ + " belonged to another history and was renamed (suffix .other)";
    *found = Findings{Comparison::tail_missing, 0, 0, false};
  } else if (found->comparison == Comparison::differs) {
    repaired = path_ + " differed from history.sqlite and was written again";
    *found = Findings{Comparison::tail_missing, 0, start, false};
  } else if (found->torn || found->comparison == Comparison::tail_missing) {
    repaired = path_ + " lacked its last lines; they were added from history.sqlite";
  }
  if (auto opened = open_for_append(); !opened) return opened.error();
  size_bytes_ = found->good_bytes;
  last_seq_ = found->last_seq;
  torn_ = true;  // until cut back to its good part
  compared_ = true;
  if (auto cut = cut_back(); !cut) return cut.error();
  return catch_up();
}

Result<void> DecisionLines::cut_back() {
  if (!torn_) return {};
  if (::ftruncate(file_, static_cast<off_t>(size_bytes_)) != 0) return error("truncating", errno);
  torn_ = false;
  return {};
}

Result<void> DecisionLines::catch_up() {
  for (;;) {
    auto versions = source_(last_seq_, kBatch);
    if (!versions) return versions.error();
    if (versions->empty()) return {};
    for (const auto& version : *versions) {
      if (size_bytes_ > 0 && size_bytes_ + version.text.size() + 1 > rotate_at_bytes_) {
        if (auto rotated = rotate(); !rotated) return rotated.error();
      }
      if (auto appended = append(version.text + '\n'); !appended) return appended.error();
      last_seq_ = version.seq;
    }
  }
}

Result<void> DecisionLines::open_for_append() {
  if (file_ >= 0) return {};
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file_ < 0) return error("opening", errno);
  return {};
}

Result<void> DecisionLines::append(const std::string& text) {
  if (auto opened = open_for_append(); !opened) return opened.error();
  if (auto cut = cut_back(); !cut) return cut.error();
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(file_, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int number = written < 0 ? errno : ENOSPC;
      torn_ = true;
      // Should this fail too, the next append tries again, and then the next start.
      static_cast<void>(cut_back());
      return error("appending", number);
    }
    done += static_cast<std::size_t>(written);
  }
  size_bytes_ += text.size();
  return {};
}

Result<void> DecisionLines::rotate() {
  close_file();
  if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) return error("renaming", errno);
  size_bytes_ = 0;
  return {};
}

Result<void> DecisionLines::set_aside() {
  for (const char* suffix : {"", ".1"}) {
    const std::string from = path_ + suffix;
    if (std::rename(from.c_str(), (from + ".other").c_str()) != 0 && errno != ENOENT) {
      return error("renaming", errno);
    }
  }
  return {};
}

}  // namespace lsmtuned::daemon
