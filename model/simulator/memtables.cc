#include "model/simulator/memtables.h"

#include <algorithm>

namespace lsmtuned::model::simulator {

Memtables::Memtables(const Parameters& parameters, const TreeShape& shape)
    : parameters_(parameters) {
  active_records_ = std::min(shape.active_memtable_bytes / parameters.memtable_bytes_per_record,
                             parameters.memtable_records);
  waiting_ = shape.immutable_memtables;
  waiting_records_ = waiting_ * parameters.memtable_records;
}

void Memtables::switch_active() {
  ++waiting_;
  waiting_records_ += active_records_;
  active_records_ = 0;
}

std::size_t Memtables::start_flush(double& records, double& file_records) {
  records = waiting_records_;
  const double keys = parameters_.distinct_keys;
  if (parameters_.order == KeyOrder::uniform) {
    file_records = distinct_records(records, keys);
  } else {
    file_records = keys > 0 ? std::min(records, keys) : records;
  }
  flushes_.push_back({file_records, waiting_, false});
  flushing_ += waiting_;
  waiting_ = 0;
  waiting_records_ = 0;
  return first_ticket_ + flushes_.size() - 1;
}

double Memtables::buffers_of(std::size_t ticket) const {
  return flushes_[ticket - first_ticket_].buffers;
}

void Memtables::drop_installed(std::size_t count) {
  flushes_.erase(flushes_.begin(), flushes_.begin() + static_cast<std::ptrdiff_t>(count));
  first_ticket_ += count;
}

}  // namespace lsmtuned::model::simulator
