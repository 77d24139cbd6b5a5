// The members of a snapshot, each named once for writing and reading. See codec_form.h; a test
// counts the members of every struct here.
#pragma once

#include "daemon/codec_form.h"
#include "model/snapshot.h"

namespace lsmtuned::daemon::form {

template <>
struct Words<model::CompactionStyle> {
  static constexpr model::CompactionStyle kLast = model::CompactionStyle::none;
  static const char* text(model::CompactionStyle style);
};

template <>
struct Form<model::LatencyHistogram> {  // bucket, count, bucket, count, ...
  static json::value write(const model::LatencyHistogram& histogram, Style style);
  static Fault read(const json::value& value, model::LatencyHistogram& out, Style style);
};

template <class Visitor, Of<model::LevelStats> T>
void members(Visitor& visit, T& l) {
  visit("files", l.files);
  visit("size_bytes", l.size_bytes);
  visit("score", l.score);
  visit("read_bytes", l.read_bytes);
  visit("read_from_upper_bytes", l.read_from_upper_bytes);
  visit("read_from_this_bytes", l.read_from_this_bytes);
  visit("write_bytes", l.write_bytes);
  visit("moved_bytes", l.moved_bytes);
  visit("compaction_seconds", l.compaction_seconds);
  visit("compaction_cpu_seconds", l.compaction_cpu_seconds);
  visit("compaction_count", l.compaction_count);
  visit("keys_in", l.keys_in);
  visit("keys_dropped", l.keys_dropped);
  visit("compression_ratio", l.compression_ratio);
}

template <class Visitor, Of<model::FamilyFacts> T>
void members(Visitor& visit, T& f) {
  visit("style", f.style);
  visit("min_write_buffer_number_to_merge", f.min_write_buffer_number_to_merge);
  visit("num_levels", f.num_levels);
  visit("dynamic_level_bytes", f.dynamic_level_bytes);
  visit("disable_auto_compactions", f.disable_auto_compactions);
  visit("arena_block_bytes", f.arena_block_bytes);
  visit("compression", f.compression);
}

template <class Visitor, Of<model::StallCauses> T>
void members(Visitor& visit, T& s) {
  visit("l0_slowdown", s.l0_slowdown);
  visit("l0_stop", s.l0_stop);
  visit("pending_slowdown", s.pending_slowdown);
  visit("pending_stop", s.pending_stop);
  visit("memtable_slowdown", s.memtable_slowdown);
  visit("memtable_stop", s.memtable_stop);
}

template <class Visitor, Of<model::FamilySnapshot> T>
void members(Visitor& visit, T& f) {
  visit("name", f.name);
  visit("id", f.id);
  visit("facts", f.facts);
  visit("levels", f.levels);
  visit("immutable_memtables", f.immutable_memtables);
  visit("active_memtable_bytes", f.active_memtable_bytes);
  visit("all_memtables_bytes", f.all_memtables_bytes);
  visit("pending_compaction_bytes", f.pending_compaction_bytes);
  visit("base_level", f.base_level);
  visit("live_data_bytes", f.live_data_bytes);
  visit("sst_bytes", f.sst_bytes);
  visit("table_reader_bytes", f.table_reader_bytes);
  visit("flush_pending", f.flush_pending);
  visit("compaction_pending", f.compaction_pending);
  visit("stalls", f.stalls);
}

template <class Visitor, Of<model::DatabaseCounters> T>
void members(Visitor& visit, T& c) {
  visit("user_bytes", c.user_bytes);
  visit("batch_bytes", c.batch_bytes);
  visit("keys_written", c.keys_written);
  visit("wal_bytes", c.wal_bytes);
  visit("flush_write_bytes", c.flush_write_bytes);
  visit("compaction_read_bytes", c.compaction_read_bytes);
  visit("compaction_write_bytes", c.compaction_write_bytes);
  visit("stall_seconds", c.stall_seconds);
  visit("block_cache_hits", c.block_cache_hits);
  visit("block_cache_misses", c.block_cache_misses);
  visit("reads", c.reads);
}

template <class Visitor, Of<model::DatabaseState> T>
void members(Visitor& visit, T& s) {
  visit("running_flushes", s.running_flushes);
  visit("running_compactions", s.running_compactions);
  visit("delayed_write_rate", s.delayed_write_rate);
  visit("write_stopped", s.write_stopped);
  visit("background_errors", s.background_errors);
  visit("block_cache_capacity_bytes", s.block_cache_capacity_bytes);
  visit("block_cache_usage_bytes", s.block_cache_usage_bytes);
  visit("flushes_completed", s.flushes_completed);
  visit("compactions_completed", s.compactions_completed);
  visit("l0_compactions_completed", s.l0_compactions_completed);
  visit("oldest_running_job_s", s.oldest_running_job_s);
  visit("running_manual_compactions", s.running_manual_compactions);
  visit("range_deletions_flushed", s.range_deletions_flushed);
  visit("file_deletions_disabled", s.file_deletions_disabled);
}

template <class Visitor, Of<model::DeviceSample> T>
void members(Visitor& visit, T& d) {
  visit("name", d.name);
  visit("read_bytes", d.read_bytes);
  visit("write_bytes", d.write_bytes);
  visit("busy_seconds", d.busy_seconds);
  visit("weighted_io_seconds", d.weighted_io_seconds);
  visit("in_flight", d.in_flight);
  visit("free_bytes", d.free_bytes);
  visit("pressure_some_seconds", d.pressure_some_seconds);
  visit("pressure_is_cgroup", d.pressure_is_cgroup);
  visit("process_read_bytes", d.process_read_bytes);
  visit("process_write_bytes", d.process_write_bytes);
  visit("write_limit_bytes_per_s", d.write_limit_bytes_per_s);
  visit("read_limit_bytes_per_s", d.read_limit_bytes_per_s);
}

template <class Visitor, Of<model::Snapshot> T>
void members(Visitor& visit, T& s) {
  visit("target", s.target);
  DecimalText incarnation{s.incarnation};
  visit("incarnation", incarnation);
  visit("time_s", s.time_s);
  visit("wall_time_s", s.wall_time_s);
  visit("database_uptime_s", s.database_uptime_s);
  visit("settings", s.settings);
  visit("families", s.families);
  visit("counters", s.counters);
  visit("state", s.state);
  visit("put_latency", s.put_latency);
  visit("write_stall", s.write_stall);
  visit("device", s.device);
}

}  // namespace lsmtuned::daemon::form
