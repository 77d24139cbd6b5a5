// Did you mean: the known name nearest to a mistyped one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lsmtuned::config {

// Fewest insertions, deletions, replacements and swaps of neighbours that lead from a to b.
// Names longer than 64 bytes are compared by their first 64.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`, if it is near enough to be meant: a third of its length, at least two.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

// `did you mean "x"?`, or empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace lsmtuned::config
