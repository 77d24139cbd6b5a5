#include "actuators/agent/compression.h"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <vector>

#include "model/knobs.h"

namespace lsmtuned::agent {
namespace {

using Types = std::vector<rocksdb::CompressionType>;

// The entries within the knob's reach: L0 to the deepest level that can be the first.
std::size_t reach() {
  return static_cast<std::size_t>(model::info(model::Knob::first_compressed_level).maximum);
}

Types entries(const rocksdb::ColumnFamilyOptions& options) {
  const Types& given = options.compression_per_level;
  Types types(std::max(given.size(), reach()), given.empty() ? options.compression : given.back());
  std::copy(given.begin(), given.end(), types.begin());
  return types;
}

}  // namespace

std::optional<int> first_compressed_level(const rocksdb::ColumnFamilyOptions& options) {
  if (options.compaction_style != rocksdb::kCompactionStyleLevel) return std::nullopt;
  const Types types = entries(options);
  const auto end = types.begin() + static_cast<std::ptrdiff_t>(reach());
  const auto first = std::find_if(types.begin(), end, [](rocksdb::CompressionType type) {
    return type != rocksdb::kNoCompression;
  });
  if (first == end) return std::nullopt;
  if (!std::all_of(first, end, [&](rocksdb::CompressionType type) { return type == *first; }))
    return std::nullopt;
  return static_cast<int>(first - types.begin()) + 1;
}

std::string compression_per_level_text(const rocksdb::ColumnFamilyOptions& options, int first) {
  Types types = entries(options);
  const rocksdb::CompressionType algorithm = types.at(reach() - 1);
  for (std::size_t i = 0; i < reach(); ++i)
    types[i] = static_cast<int>(i) + 1 < first ? rocksdb::kNoCompression : algorithm;
  while (types.size() > 1 && types[types.size() - 1] == types[types.size() - 2]) types.pop_back();
  if (types.size() == 1 && types.front() == options.compression) return "";
  std::string text;
  for (const rocksdb::CompressionType type : types) {
    std::string name;
    if (!rocksdb::GetStringFromCompressionType(&name, type).ok()) return "";
    text += (text.empty() ? "" : ":") + name;
  }
  return text;
}

}  // namespace lsmtuned::agent
