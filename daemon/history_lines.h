// decisions.jsonl: the JSON Lines file derived from history's decision_log table.
//
// One line per recorded version of a decision, `{"seq":N,...}`, N ascending. The table is the
// record and this file a copy that tools can read: lines are appended after the commit, and
// whatever is missing, torn or different is found and written again when the history is opened.
// At 64 MiB the file is renamed to decisions.jsonl.1 (replacing the one before) and begun anew.
// Thread rules: one thread at a time; the owner serialises.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.h"

namespace lsmtuned::daemon {

struct LogLine {
  std::int64_t seq = 0;
  std::string text;  // without the newline
};
// Makes the line of one recorded version from its decision's JSON object text.
LogLine make_log_line(std::int64_t seq, std::string_view decision_json);

class DecisionLines {
 public:
  // Yields the recorded versions with seq above `after`, ascending, at most `limit` of them.
  using Source =
      std::function<Result<std::vector<LogLine>>(std::int64_t after, std::int64_t limit)>;

  DecisionLines(std::string path, std::uint64_t rotate_at_bytes, Source source);
  ~DecisionLines();
  DecisionLines(const DecisionLines&) = delete;
  DecisionLines& operator=(const DecisionLines&) = delete;

  // Appends every version that the file lacks. The first time, and whenever the file under its name
  // is not the one last written, the whole file is compared with the table first; `last_seq` is
  // the highest the table ever gave out. A file of another table is set aside. `repaired` receives
  // a message for the operator when something had to be repaired. Error: the file cannot be read or
  // written; the table is unharmed, and the next call tries again.
  Result<void> bring_up_to_date(std::int64_t last_seq, std::string& repaired);

  const std::string& path() const { return path_; }

 private:
  Result<void> reconcile(std::int64_t last_seq, std::string& repaired);
  Result<void> catch_up();
  bool still_ours() const;
  Result<void> cut_back();
  Result<void> open_for_append();
  Result<void> append(const std::string& text);
  Result<void> rotate();
  Result<void> set_aside();
  Error error(const std::string& doing, int number) const;
  void close_file();

  std::string path_;
  std::uint64_t rotate_at_bytes_;
  Source source_;
  int file_ = -1;
  std::uint64_t size_bytes_ = 0;  // whole lines only
  std::int64_t last_seq_ = 0;     // highest seq that is in the file or in .1
  bool compared_ = false;
  bool torn_ = false;  // bytes after size_bytes_ may be there
};

}  // namespace lsmtuned::daemon
