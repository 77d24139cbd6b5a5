#include "model/knobs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "model/knob_coupling.h"
#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kTiB = 1024.0 * kGiB;
constexpr double kLargestExact = 9007199254740992.0;  // 2^53

constexpr std::size_t kMostCoupled = 2;
constexpr Knob kNone = static_cast<Knob>(kKnobCount);

// One registration: KnobInfo, then what binds it to others.
struct Registered {
  KnobInfo info;
  std::array<Knob, kMostCoupled> with;
  KnobCoupling coupling;
};

constexpr std::array<Registered, kKnobCount> kRegistered = {{
    {{Knob::write_buffer_size, "write_buffer_size", KnobScope::family, KnobUnit::bytes, true,
      1 * kMiB, 4 * kGiB, 64 * kMiB,
      "larger: fewer and larger L0 files, less compaction, more memory; smaller: the reverse",
      "applies to the active memtable at once: a shrink switches it on the next write"},
     {Knob::max_write_buffer_number, Knob::max_bytes_for_level_base},
     {{},
      "times max_write_buffer_number it is memory; L0 batches grow with it, and the base level "
      "should with them",
      true}},
    {{Knob::max_write_buffer_number, "max_write_buffer_number", KnobScope::family, KnobUnit::count,
      false, 2, 64, 2,
      "higher: writers run on while flushes are slow, more memory; lower: they stop sooner",
      "at or below min_write_buffer_number_to_merge writers hang; 3 or less has no slowdown stage"},
     {Knob::write_buffer_size, kNone},
     {{}, "times write_buffer_size it is memory", false}},
    {{Knob::level0_file_num_compaction_trigger, "level0_file_num_compaction_trigger",
      KnobScope::family, KnobUnit::count, true, 1, 10000, 4,
      "higher: larger L0 batches, less rewriting of the base level, slower reads",
      "above the slowdown trigger RocksDB aborts; moves the onset of parallel compaction"},
     {Knob::level0_slowdown_writes_trigger, Knob::write_buffer_size},
     {{},
      "at most the slowdown trigger; times write_buffer_size it is the least of an L0 batch",
      true}},
    {{Knob::level0_slowdown_writes_trigger, "level0_slowdown_writes_trigger", KnobScope::family,
      KnobUnit::count, true, 1, 10000, 20,
      "higher: writes are delayed later and L0 batches at saturation grow; lower: the reverse",
      "lowering it can delay writes at once; below the compaction trigger RocksDB aborts"},
     {Knob::level0_file_num_compaction_trigger, Knob::level0_stop_writes_trigger},
     {{}, "between the compaction and the stop trigger", true}},
    {{Knob::level0_stop_writes_trigger, "level0_stop_writes_trigger", KnobScope::family,
      KnobUnit::count, true, 2, 10000, 36,
      "higher: more room between delay and stop, more L0 files for reads to search",
      "lowering it can stop writes at once; below the compaction trigger writes hang for ever"},
     {Knob::level0_slowdown_writes_trigger, kNone},
     {{}, "at least the slowdown trigger; follows it at the same distance", true}},
    {{Knob::max_bytes_for_level_base, "max_bytes_for_level_base", KnobScope::family,
      KnobUnit::bytes, true, 1 * kMiB, 16 * kTiB, 256 * kMiB,
      "larger: fewer levels, but each L0 compaction rewrites more unless L0 batches grow with it",
      "recomputes every level target at once: lowering it can raise pending bytes past the limits"},
     {Knob::max_bytes_for_level_multiplier, Knob::soft_pending_compaction_bytes_limit},
     {{}, "with the multiplier it sets every level's target, and so what the tree owes", true}},
    {{Knob::max_bytes_for_level_multiplier, "max_bytes_for_level_multiplier", KnobScope::family,
      KnobUnit::ratio, true, 2, 100, 10,
      "lower: less rewriting a level but more levels and space; higher: the reverse",
      "recomputes every level target at once: lowering it can raise pending bytes past the limits"},
     {Knob::max_bytes_for_level_base, Knob::soft_pending_compaction_bytes_limit},
     {{}, "with the base it sets every level's target, and so what the tree owes", true}},
    {{Knob::target_file_size_base, "target_file_size_base", KnobScope::family, KnobUnit::bytes,
      true, 256 * kKiB, 4 * kGiB, 64 * kMiB,
      "smaller: finer compactions with less overlap, more files; larger: the reverse",
      "new files only; max_compaction_bytes does not follow"},
     {Knob::max_compaction_bytes, Knob::max_background_jobs},
     {{},
      "at most max_compaction_bytes, which follows it at 25 files; times the jobs it is memory",
      false}},
    {{Knob::max_compaction_bytes, "max_compaction_bytes", KnobScope::family, KnobUnit::bytes, true,
      1 * kMiB, 100 * kTiB, 25 * 64 * kMiB,
      "larger: longer compactions with fewer boundaries; smaller: shorter ones",
      "below the target file size compactions cannot make progress"},
     {Knob::target_file_size_base, kNone},
     {{}, "follows target_file_size_base at 25 files, as RocksDB sets it at open", false}},
    {{Knob::first_compressed_level, "first_compressed_level", KnobScope::family, KnobUnit::count,
      false, 1, 4, 1,
      "counted from L0 = 1, the base level = 2: higher: the levels above it are written without "
      "compression, less CPU and more bytes; lower: the reverse",
      "sets compression_per_level, for new files only; files moved between levels of different "
      "compression are rewritten"},
     {Knob::max_bytes_for_level_base, Knob::max_background_jobs},
     {{},
      "bytes that are not compressed away count against level targets and the device; what they "
      "save is CPU of the jobs",
      false}},
    {{Knob::soft_pending_compaction_bytes_limit, "soft_pending_compaction_bytes_limit",
      KnobScope::family, KnobUnit::bytes, true, 1 * kMiB, 1024 * kTiB, 64 * kGiB,
      "higher: compaction debt delays writes later; lower: sooner",
      "a quarter of it turns parallel compaction on: raising it postpones that; 0 would disable "
      "it"},
     {Knob::hard_pending_compaction_bytes_limit, Knob::max_bytes_for_level_base},
     {{}, "at most the hard limit, and above what the tree owes under new level targets", false}},
    {{Knob::hard_pending_compaction_bytes_limit, "hard_pending_compaction_bytes_limit",
      KnobScope::family, KnobUnit::bytes, true, 1 * kMiB, 1024 * kTiB, 256 * kGiB,
      "higher: compaction debt stops writes later; lower: sooner",
      "lowering it can stop writes at once; 0 would disable it"},
     {Knob::soft_pending_compaction_bytes_limit, kNone},
     {{}, "at least the soft limit; follows it at twice", false}},
    {{Knob::max_background_jobs, "max_background_jobs", KnobScope::database, KnobUnit::count, false,
      1, 256, 2,
      "higher: more flushes and, under pressure, more compactions at once, more CPU and memory",
      "thread pools grow and never shrink; resets the delayed write rate to its maximum"},
     {Knob::max_subcompactions, Knob::target_file_size_base},
     {{}, "at most four a core; times the target file and its read-ahead it is memory", true}},
    {{Knob::max_subcompactions, "max_subcompactions", KnobScope::database, KnobUnit::count, false,
      1, 64, 1, "higher: one L0 compaction runs on more threads, shortening it where CPU binds",
      "takes cores from the foreground; resets the delayed write rate to its maximum"},
     {Knob::max_background_jobs, kNone},
     {{}, "threads within one of the jobs: both want the same cores", true}},
    {{Knob::delayed_write_rate, "delayed_write_rate", KnobScope::database,
      KnobUnit::bytes_per_second, true, 16 * kKiB, 1 * kTiB, 16 * kMiB,
      "higher: delayed writers run faster and reach the stop sooner; lower: smoother, slower",
      "sets the maximum and the current rate; 0 means 1 byte/s online"},
     {Knob::level0_slowdown_writes_trigger, Knob::soft_pending_compaction_bytes_limit},
     {{}, "holds only while one of the two slows writes down", false}},
    {{Knob::rate_limiter_bytes_per_second, "rate_limiter_bytes_per_second", KnobScope::limiter,
      KnobUnit::bytes_per_second, true, 64 * kKiB, 1 * kTiB, 1 * kTiB,
      "higher: flush and compaction may use more of the device; lower: reads keep more of it",
      "up to 0.1 s of credit at the old rate stays; an auto-tuned limiter overrides it in 10 s"},
     {Knob::max_background_jobs, Knob::delayed_write_rate},
     {{}, "all jobs share it; a delayed_write_rate of 0 at open means this rate", true}},
}};

constexpr auto infos() {
  std::array<KnobInfo, kKnobCount> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = kRegistered[i].info;
  return all;
}
constexpr std::array<KnobInfo, kKnobCount> kKnobs = infos();

constexpr auto couplings() {
  std::array<KnobCoupling, kKnobCount> all{};
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = kRegistered[i].coupling;
    const auto& with = kRegistered[i].with;
    all[i].with = std::span<const Knob>(with).first(with.back() == kNone ? 1 : 2);
  }
  return all;
}
constexpr std::array<KnobCoupling, kKnobCount> kCouplings = couplings();

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < kKnobs.size(); ++i) {
    if (static_cast<std::size_t>(kKnobs[i].knob) != i) return false;
  }
  return true;
}
static_assert(in_enum_order(), "info() indexes the table by the enumerator");

Error bad_text(const KnobInfo& knob, std::string_view text, const char* why) {
  std::string shown(text.substr(0, 40));
  return Error{std::string(knob.option) + ": '" + shown + "' " + why,
               "the database reports a value that lsmtuned cannot move; leave this knob out"};
}

}  // namespace

std::span<const KnobInfo> all_knobs() {
  return kKnobs;
}

const KnobInfo& info(Knob knob) {
  return kKnobs.at(static_cast<std::size_t>(knob));
}

const KnobCoupling& coupling(Knob knob) {
  return kCouplings.at(static_cast<std::size_t>(knob));
}

std::optional<Knob> knob_from_option(std::string_view option) {
  const auto* const found = std::find_if(
      kKnobs.begin(), kKnobs.end(), [&](const KnobInfo& knob) { return option == knob.option; });
  if (found == kKnobs.end()) return std::nullopt;
  return found->knob;
}

std::string to_option_text(Knob knob, double value) {
  std::array<char, 512> text{};
  char* const first = text.data();
  char* const last = first + text.size();
  const auto end =
      info(knob).unit == KnobUnit::ratio
          ? std::to_chars(first, last, value)
          // Adding zero turns -0 into 0, which integer parsers would refuse.
          : std::to_chars(first, last, std::round(value) + 0.0, std::chars_format::fixed);
  return {first, end.ptr};
}

Result<double> from_option_text(Knob knob, std::string_view text) {
  const KnobInfo& about = info(knob);
  const char* const first = text.data();
  const char* const last = first + text.size();
  double value = 0;
  std::from_chars_result read{};
  if (about.unit == KnobUnit::ratio) {
    read = std::from_chars(first, last, value);
    if (read.ec == std::errc() && !std::isfinite(value)) {
      return bad_text(about, text, "is not a finite number");
    }
  } else if (about.unit == KnobUnit::count) {
    std::int64_t whole = 0;  // RocksDB prints its int options signed
    read = std::from_chars(first, last, whole);
    value = static_cast<double>(whole);
  } else {
    std::uint64_t whole = 0;
    read = std::from_chars(first, last, whole);
    if (read.ec == std::errc() && whole > (std::uint64_t{1} << 53)) {
      return bad_text(about, text, "is beyond 2^53 and cannot be held exactly");
    }
    value = static_cast<double>(whole);
  }
  if (read.ec == std::errc::result_out_of_range || std::abs(value) > kLargestExact) {
    return bad_text(about, text, "is beyond 2^53 and cannot be held exactly");
  }
  if (read.ec != std::errc()) return bad_text(about, text, "is not a number");
  if (read.ptr != last) return bad_text(about, text, "has characters after the number");
  return value;
}

}  // namespace lsmtuned::model
