// Keys that an object of a JSON text holds twice: a parsed object keeps only the last, silently.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lsmtuned::daemon {

// Their paths, such as device.write_bytes_per_s, in the order of the text. `text` is valid JSON.
std::vector<std::string> duplicate_keys(std::string_view text);

}  // namespace lsmtuned::daemon
