// Published model v1: a static put rate from write bandwidth and write amplification.
//
// Source: seed 004, equations 2, 4, 7 and 8. Rates in MiB/s of user bytes; amplification is file
// bytes written by flush and compaction over file bytes flushed, compression is file bytes over
// user bytes. Their product is device bytes per user byte: do not apply compression to an
// amplification that is already that.
//
// Can rank: settings whose write amplification someone else supplies, as an upper bound on a
// write-limited device. Cannot rank: settings by themselves (none enters); no reads, CPU or stalls,
// so it over-predicts. Pure; arguments must be in the ranges of inputs.h.
#pragma once

namespace lsmtuned::model::published {

// Equation 2, printed for leveled compaction; a cost of about 1 a level is tiering's.
double theoretical_write_amplification(double size_ratio, double levels);

struct ByteDemand {  // device bytes per user byte
  double written = 0;
  double read = 0;
};

// Equations 7 and 8.
ByteDemand byte_demand(double compression_ratio, double write_amplification, double wal_factor);

// Equation 4: no WAL.
double v1_rate(double write_mib_per_s, double write_amplification, double compression_ratio);

// The demand of equation 7 on the write bandwidth. A WAL on a device of its own (bandwidth above 0)
// leaves the data device and becomes a bound of its own.
double v1_wal_rate(double write_mib_per_s, double write_amplification, double compression_ratio,
                   double wal_factor, double wal_device_mib_per_s = 0);

struct V1Bounds {
  double write_mib_per_s = 0;
  double read_mib_per_s = 0;  // infinite when nothing is read
  double mixed_mib_per_s = 0;
  double least_mib_per_s = 0;
};

// Write, read and mixed bound; the mixed one divides by written + read_weight * read. The weight is
// not published.
V1Bounds v1_bounds(double write_mib_per_s, double read_mib_per_s, double mixed_mib_per_s,
                   const ByteDemand& demand, double read_weight);

struct V1Elasticities {  // d ln S / d ln x of v1 with WAL
  double write_bandwidth = 1;
  double read_bandwidth = 0;
  double write_amplification = 0;
  double compression_ratio = 0;
  double wal_factor = 0;
};
V1Elasticities v1_elasticities(double write_amplification, double compression_ratio,
                               double wal_factor);

}  // namespace lsmtuned::model::published
