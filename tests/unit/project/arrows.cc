#include "arrows.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

namespace lsmtuned::project {
namespace {

namespace fs = std::filesystem;

// Prefixes of what each folder's files may include, of our own files.
const std::map<std::string, std::vector<std::string>>& arrows() {
  static const std::map<std::string, std::vector<std::string>> allowed = {
      {"model", {"model/"}},
      {"config", {"model/", "config/"}},
      {"controller", {"model/", "config/", "controller/"}},
      {"actuators", {"model/", "config/policy.h", "actuators/"}},
      {"daemon", {"model/", "config/", "controller/", "actuators/", "daemon/"}},
  };
  return allowed;
}

bool is_source(const fs::path& path) {
  static const std::set<std::string> extensions = {".h", ".cc", ".c", ".hpp", ".cpp", ".inl"};
  return extensions.contains(path.extension().string());
}

struct Include {
  std::string path;  // empty: not an include line
  bool bracketed = false;
};

Include included(const std::string& line) {
  std::size_t at = line.find_first_not_of(" \t");
  if (at == std::string::npos || line[at] != '#') return {};
  at = line.find_first_not_of(" \t", at + 1);
  if (at == std::string::npos || line.compare(at, 7, "include") != 0) return {};
  at = line.find_first_of("\"<", at + 7);
  if (at == std::string::npos) return {};
  const std::size_t end = line.find_first_of("\">", at + 1);
  if (end == std::string::npos) return {};
  return {line.substr(at + 1, end - at - 1), line[at] == '<'};
}

// As a path from the root, or empty for a file that is not ours.
std::string resolved(const Include& include, const fs::path& file, const fs::path& root) {
  const fs::path plain = fs::path(include.path).lexically_normal();
  // <systemd/sd-daemon.h> is the system's although we have a folder of that name.
  if (include.bracketed && !fs::exists(root / plain)) return {};
  const std::string first = plain.begin() == plain.end() ? "" : plain.begin()->string();
  if (fs::is_directory(root / first) && first != "." && first != "..") return plain.string();
  const fs::path beside = (file.parent_path() / plain).lexically_normal();
  return fs::exists(beside) ? beside.lexically_relative(root).string() : std::string();
}

void check_file(const fs::path& file, const fs::path& root, const std::vector<std::string>& allowed,
                std::vector<std::string>& found) {
  std::ifstream in(file);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const Include include = included(line);
    if (include.path.empty()) continue;
    const std::string ours = resolved(include, file, root);
    const bool fine =
        ours.empty() || std::any_of(allowed.begin(), allowed.end(), [&](const std::string& prefix) {
          return ours.starts_with(prefix);
        });
    if (!fine) {
      found.push_back(file.lexically_relative(root).string() + ":" + std::to_string(number) +
                      ": may not include " + ours);
    }
  }
}

}  // namespace

std::vector<std::string> forbidden_includes(const fs::path& root) {
  std::vector<std::string> found;
  for (const auto& [folder, allowed] : arrows()) {
    if (!fs::is_directory(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) {
        check_file(entry.path(), root, allowed, found);
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> unknown_folders(const fs::path& root) {
  static const std::set<std::string> known = {"actuators", "bench",      "build",  "cmake",
                                              "config",    "controller", "daemon", "docs",
                                              "model",     "systemd",    "tests"};
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && name.front() != '.' && !known.contains(name)) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace lsmtuned::project
