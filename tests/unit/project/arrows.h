// Which folder may include which, read from the include lines of a source tree.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lsmtuned::project {

// "model/a.h:3: includes config/policy.h, ..." for every forbidden include under `root`. An
// include in quotes counts when its path starts with one of the root's folders or names a file
// beside the including one; one in brackets when it names a file of the tree.
std::vector<std::string> forbidden_includes(const std::filesystem::path& root);

// Top-level folders that the design does not name.
std::vector<std::string> unknown_folders(const std::filesystem::path& root);

}  // namespace lsmtuned::project
