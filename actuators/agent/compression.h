// The knob first_compressed_level as RocksDB has it: compression_per_level, or compression for
// every level where that is empty.
//
// The knob moves from which level on the program's own algorithm compresses; it never chooses one.
// RocksDB counts the entries from L0, then from the base level, and the last stands for all below.
// Thread rules: pure functions.
#pragma once

#include <rocksdb/options.h>

#include <optional>
#include <string>

namespace lsmtuned::agent {

inline constexpr const char* kFirstCompressedOption = "first_compressed_level";
inline constexpr const char* kCompressionPerLevelOption = "compression_per_level";

// L0 = 1, the base level = 2, ... Nothing where the knob has no place: no level within its reach is
// compressed, a level lies uncompressed below a compressed one, several algorithms are in use there
// (going back could not tell them apart), or the style has no levels.
std::optional<int> first_compressed_level(const rocksdb::ColumnFamilyOptions& options);

// compression_per_level that puts the knob at `first`, from options in which it has a place; empty
// where `compression` alone says the same.
std::string compression_per_level_text(const rocksdb::ColumnFamilyOptions& options, int first);

}  // namespace lsmtuned::agent
