// Settings from a LOG: the option list of each open, and changes made while the database was open.
//
// "Options.write_buffer_size: 4194304" after "Options for column family [default]:"; later
// "SetOptions() on column family [default], inputs:", "write_buffer_size: 8388608" and
// "SetOptions() succeeded", all by one thread. Internal to model/loglines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/loglines/log_state.h"

namespace lsmtuned::model {

class SettingsReader {
 public:
  explicit SettingsReader(LogState& state) : state_(state) {}

  void opened() { family_.clear(); }
  void family_begins(std::string_view text);  // "--------------- Options for column family [x]:"
  void option(std::string_view text);         // without blanks, from "Options."
  // False: not part of a change.
  bool change(const LogLine& line);

 private:
  void set(const std::string& family, std::string_view name, std::string_view value);
  void set_fact(FamilyFacts& facts, std::string_view name, std::string_view value);

  LogState& state_;
  std::string family_;  // of the list being read; empty: the database's own options
  bool changing_ = false;
  std::uint64_t changing_thread_ = 0;
  std::string changing_family_;
  std::vector<std::pair<std::string, std::string>> inputs_;
};

}  // namespace lsmtuned::model
