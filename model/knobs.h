// The knobs: every RocksDB setting that lsmtuned knows how to move, registered once.
//
// Values are doubles in base units (bytes, bytes per second, counts, ratios); whole numbers up to
// 2^53 are exact, and a value beyond that is never moved. Bounds here are absolute: outside them
// RocksDB 7.8 hangs, aborts or silently means something else (docs/rocksdb-surprises.md); the
// policy may only narrow them. Thread rules: constant data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/result.h"

namespace lsmtuned::model {

enum class Knob : std::uint8_t {
  write_buffer_size,
  max_write_buffer_number,
  level0_file_num_compaction_trigger,
  level0_slowdown_writes_trigger,
  level0_stop_writes_trigger,
  max_bytes_for_level_base,
  max_bytes_for_level_multiplier,
  target_file_size_base,
  max_compaction_bytes,
  first_compressed_level,
  soft_pending_compaction_bytes_limit,
  hard_pending_compaction_bytes_limit,
  max_background_jobs,
  max_subcompactions,
  delayed_write_rate,
  rate_limiter_bytes_per_second,
};
inline constexpr std::size_t kKnobCount = 16;

enum class KnobScope : std::uint8_t {
  family,    // SetOptions on one column family
  database,  // SetDBOptions
  limiter,   // RateLimiter::SetBytesPerSecond on the handle
};
enum class KnobUnit : std::uint8_t { count, bytes, bytes_per_second, ratio };

struct KnobInfo {
  Knob knob;
  // RocksDB's name, also the name used in configuration and output. first_compressed_level and
  // rate_limiter_bytes_per_second are names of ours: the one travels as compression_per_level, the
  // other is a call on the limiter.
  const char* option;
  KnobScope scope;
  KnobUnit unit;
  bool logarithmic;  // search on a log scale
  double minimum;    // absolute bounds, inclusive
  double maximum;
  double rocksdb_default;
  const char* effect;  // what moving it does, either way
  const char* risk;    // what moving it online costs or endangers
};

std::span<const KnobInfo> all_knobs();
const KnobInfo& info(Knob knob);
std::optional<Knob> knob_from_option(std::string_view option);

// The text RocksDB's options parser takes: an integer, or for ratios the shortest decimal that
// reads back as the same double.
std::string to_option_text(Knob knob, double value);

// Reads such a text. Errors: not a number, trailing characters, beyond 2^53 (not representable).
Result<double> from_option_text(Knob knob, std::string_view text);

}  // namespace lsmtuned::model
