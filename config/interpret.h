// One raw value against one key's registration: the value, or problems that say what is allowed.
#pragma once

#include <optional>
#include <string>

#include "config/keys.h"
#include "config/problems.h"
#include "config/raw.h"

namespace lsmtuned::config {

// `path` is the dotted key. Nothing is returned when any problem was added.
std::optional<KeyValue> interpret(const KeyFacts& facts, const Raw& raw, const std::string& path,
                                  Problems& problems);

// A key's name for messages: control characters and bytes beyond ASCII replaced, length capped.
std::string printable(const std::string& text);

}  // namespace lsmtuned::config
