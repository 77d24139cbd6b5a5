// The memtables of one column family: the active one's fill, the immutable ones that wait, and what
// a flush takes.
//
// Source: db/memtable_list.cc. A flush takes every immutable memtable that no other flush has and
// writes one L0 file of them; results are installed oldest first, so a flush that overtook another
// waits for it. Records. Pure; thread rules: one thread.
#pragma once

#include <cstddef>
#include <vector>

#include "model/simulator/parameters.h"

namespace lsmtuned::model::simulator {

class Memtables {
 public:
  Memtables(const Parameters& parameters, const TreeShape& shape);

  double room_records() const { return parameters_.memtable_records - active_records_; }
  double active_records() const { return active_records_; }
  void fill(double records) { active_records_ += records; }
  void switch_active();

  double immutable() const { return waiting_ + flushing_; }  // not yet installed
  bool flush_due() const {
    return waiting_ > 0 && waiting_ >= parameters_.stall.min_buffers_to_merge;
  }
  // All that wait become one future L0 file: `records` taken in, `file_records` left of them.
  // Returns the flush's ticket.
  std::size_t start_flush(double& records, double& file_records);
  double buffers_of(std::size_t ticket) const;
  // The flush has written its file. Calls install(file_records) for every file that may now appear,
  // oldest first.
  template <class Install>
  void finish_flush(std::size_t ticket, Install install) {
    flushes_[ticket - first_ticket_].done = true;
    std::size_t installed = 0;
    while (installed < flushes_.size() && flushes_[installed].done) {
      flushing_ -= flushes_[installed].buffers;
      install(flushes_[installed].file_records);
      ++installed;
    }
    drop_installed(installed);
  }

 private:
  struct Flush {
    double file_records = 0;
    double buffers = 0;
    bool done = false;
  };
  void drop_installed(std::size_t count);

  const Parameters& parameters_;
  double active_records_ = 0;
  double waiting_ = 0;  // immutable, not in a flush
  double waiting_records_ = 0;
  double flushing_ = 0;         // immutable, in flushes not installed
  std::vector<Flush> flushes_;  // oldest first
  std::size_t first_ticket_ = 0;
};

}  // namespace lsmtuned::model::simulator
