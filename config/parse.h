// From TOML to DaemonConfig: every error at once, with file, line, column and remedy.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/policy.h"

namespace lsmtuned::config {

struct Problem {
  std::string file;
  int line = 0;  // 1-based; 0 when the file could not be read
  int column = 0;
  std::string key;  // dotted path
  std::string message;
  std::string remedy;        // e.g. did you mean "..."; empty where nothing helps
  std::string text() const;  // "lsmtuned.toml:4:1: limits.x: unknown key\n  did you mean ...?"
};

struct ParseOutcome {
  DaemonConfig config;  // meaningful only without problems
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
};

ParseOutcome parse_text(std::string_view toml, const std::string& file_name);
ParseOutcome parse_file(const std::string& path);

// Keys whose change needs a restart, by dotted path, between two configurations.
std::vector<std::string> changes_needing_restart(const DaemonConfig& running,
                                                 const DaemonConfig& wanted);

// All from the one registration in config/*_keys.cc.
std::string default_config_text();      // commented TOML with every key at its default
std::string reference_page_markdown();  // docs/configuration.md

}  // namespace lsmtuned::config
