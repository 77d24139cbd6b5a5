#include "model/published/v1.h"

#include <algorithm>
#include <limits>

namespace lsmtuned::model::published {

double theoretical_write_amplification(double size_ratio, double levels) {
  return 1 + size_ratio / (size_ratio - 1) * levels;
}

ByteDemand byte_demand(double compression_ratio, double write_amplification, double wal_factor) {
  return {compression_ratio * write_amplification + wal_factor,
          compression_ratio * (write_amplification - 1)};
}

double v1_rate(double write_mib_per_s, double write_amplification, double compression_ratio) {
  return write_mib_per_s / (write_amplification * compression_ratio);
}

double v1_wal_rate(double write_mib_per_s, double write_amplification, double compression_ratio,
                   double wal_factor, double wal_device_mib_per_s) {
  const bool own_device = wal_device_mib_per_s > 0;
  const double data =
      write_mib_per_s /
      byte_demand(compression_ratio, write_amplification, own_device ? 0 : wal_factor).written;
  if (!own_device || !(wal_factor > 0)) return data;
  return std::min(data, wal_device_mib_per_s / wal_factor);
}

V1Bounds v1_bounds(double write_mib_per_s, double read_mib_per_s, double mixed_mib_per_s,
                   const ByteDemand& demand, double read_weight) {
  V1Bounds bounds;
  bounds.write_mib_per_s = write_mib_per_s / demand.written;
  bounds.read_mib_per_s =
      demand.read > 0 ? read_mib_per_s / demand.read : std::numeric_limits<double>::infinity();
  bounds.mixed_mib_per_s = mixed_mib_per_s / (demand.written + read_weight * demand.read);
  bounds.least_mib_per_s =
      std::min({bounds.write_mib_per_s, bounds.read_mib_per_s, bounds.mixed_mib_per_s});
  return bounds;
}

V1Elasticities v1_elasticities(double write_amplification, double compression_ratio,
                               double wal_factor) {
  const double data = compression_ratio * write_amplification;
  V1Elasticities result;
  result.write_amplification = -data / (data + wal_factor);
  result.compression_ratio = result.write_amplification;
  result.wal_factor = -wal_factor / (data + wal_factor);
  return result;
}

}  // namespace lsmtuned::model::published
