#include "model/loglines/stall_timeline.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "model/loglines/log_line.h"

namespace lsmtuned::model {
namespace {

// Between a memtable switch and its stall line lie some instructions under the DB mutex; the
// thread may lose the processor in between.
constexpr double kSwitchSettles_s = 0.05;

std::size_t index(LoggedStallCause cause) {
  return static_cast<std::size_t>(cause);
}

}  // namespace

const char* to_text(LoggedStallCause cause) {
  switch (cause) {
    case LoggedStallCause::memtables:
      return "memtables";
    case LoggedStallCause::l0_files:
      return "L0 files";
    case LoggedStallCause::pending_bytes:
      return "pending compaction bytes";
  }
  return "memtables";
}

std::optional<StallMessage> parse_stall(std::string_view text) {
  StallMessage message;
  if (skip_prefix(text, "Stopping writes because "))
    message.stop = true;
  else if (!skip_prefix(text, "Stalling writes because "))
    return std::nullopt;
  if (skip_prefix(text, "of estimated pending compaction bytes ")) {
    message.cause = LoggedStallCause::pending_bytes;
  } else if (skip_prefix(text, "we have ")) {
    message.cause = text.find(" level-0 files") != std::string_view::npos
                        ? LoggedStallCause::l0_files
                        : LoggedStallCause::memtables;
  } else {
    return std::nullopt;
  }
  const auto level = read_whole(text);
  if (!level) return std::nullopt;
  message.level = *level;
  if (message.stop) return message;
  const std::size_t at = text.rfind(" rate ");
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + 6);
  const auto rate = read_whole(text);
  if (!rate) return std::nullopt;
  message.delayed_write_rate = *rate;
  return message;
}

double StallTotals::total_s() const {
  return std::accumulate(delayed_s.begin(), delayed_s.end(), 0.0) +
         std::accumulate(stopped_s.begin(), stopped_s.end(), 0.0);
}

StallTimeline::StallTimeline(OnPiece on_piece, std::size_t most_rates)
    : on_piece_(std::move(on_piece)), most_rates_(std::max<std::size_t>(2, most_rates)) {}

void StallTimeline::account(double time_s) {
  if (!now_) return;
  const double piece = std::max(0.0, time_s - since_s_);
  (now_->stop ? totals_.stopped_s : totals_.delayed_s)[index(now_->cause)] += piece;
  if (piece > 0) on_piece_(since_s_, since_s_ + piece, now_->stop);
  since_s_ = std::max(since_s_, time_s);
}

void StallTimeline::normal(double time_s) {
  if (!now_) return;
  account(time_s);
  totals_.longest_span_s = std::max(totals_.longest_span_s, time_s - span_since_s_);
  if (stop_since_s_ >= 0)
    totals_.longest_stop_s = std::max(totals_.longest_stop_s, time_s - stop_since_s_);
  stop_since_s_ = -1;
  log_rate({time_s, 0, false, now_->cause});
  now_.reset();
}

void StallTimeline::stalled(double time_s, std::uint64_t thread, const StallMessage& message) {
  if (switch_pending_ && switch_thread_ == thread)
    switch_pending_ = false;
  else if (switch_pending_)
    settle_switch(time_s, thread);
  if (now_) {
    account(time_s);
  } else {
    ++totals_.spans;
    span_since_s_ = since_s_ = time_s;
  }
  if (message.stop && stop_since_s_ < 0) stop_since_s_ = time_s;
  if (!message.stop && stop_since_s_ >= 0) {
    totals_.longest_stop_s = std::max(totals_.longest_stop_s, time_s - stop_since_s_);
    stop_since_s_ = -1;
  }
  now_ = message;
  ++(message.stop ? totals_.stop_lines : totals_.delay_lines)[index(message.cause)];
  log_rate({time_s, message.delayed_write_rate, message.stop, message.cause});
  if (std::find(threads_with_line_.begin(), threads_with_line_.end(), thread) ==
      threads_with_line_.end()) {
    threads_with_line_[next_thread_] = thread;
    next_thread_ = (next_thread_ + 1) % threads_with_line_.size();
  }
}

void StallTimeline::job_ended(double time_s, std::uint64_t thread) {
  if (switch_pending_) settle_switch(time_s, thread);
  auto* const found = std::find(threads_with_line_.begin(), threads_with_line_.end(), thread);
  if (found != threads_with_line_.end())
    *found = 0;
  else
    normal(std::max(time_s, since_s_));
}

void StallTimeline::memtable_switched(double time_s, std::uint64_t thread) {
  if (switch_pending_) normal(std::max(switch_time_s_, since_s_));
  switch_pending_ = true;
  switch_time_s_ = time_s;
  switch_thread_ = thread;
  // A switching thread's stall line belongs to the switch, never to a job's end.
  auto* const found = std::find(threads_with_line_.begin(), threads_with_line_.end(), thread);
  if (found != threads_with_line_.end()) *found = 0;
}

void StallTimeline::settle_switch(double time_s, std::uint64_t thread) {
  if (thread != switch_thread_ && time_s - switch_time_s_ < kSwitchSettles_s) return;
  switch_pending_ = false;
  normal(std::max(switch_time_s_, since_s_));
}

void StallTimeline::end(double time_s) {
  if (switch_pending_) {
    switch_pending_ = false;
    normal(std::max(switch_time_s_, since_s_));
  }
  normal(std::max(time_s, since_s_));
  threads_with_line_.fill(0);
}

void StallTimeline::log_rate(const LoggedRate& rate) {
  if (!rates_.empty() && rates_.back().merged < merged_each_) {
    const std::uint32_t merged = rates_.back().merged + 1;
    const double time_s = rates_.back().time_s;
    rates_.back() = rate;
    rates_.back().time_s = time_s;
    rates_.back().merged = merged;
    return;
  }
  if (rates_.size() >= most_rates_) {
    const std::size_t half = rates_.size() / 2;
    for (std::size_t i = 0; i < half; ++i) {
      LoggedRate both = rates_[2 * i + 1];
      both.time_s = rates_[2 * i].time_s;
      both.merged += rates_[2 * i].merged;
      rates_[i] = both;
    }
    if (rates_.size() % 2 == 1) rates_[half] = rates_.back();
    rates_.resize(half + rates_.size() % 2);
    merged_each_ *= 2;
  }
  rates_.push_back(rate);
}

}  // namespace lsmtuned::model
