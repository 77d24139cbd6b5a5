// What a device can do, measured with fio: sequential and random, reads and writes, mixed.
//
// Bounded: one file of a given size in a given directory, a given time for all parts together, the
// file removed whatever happens. Direct I/O, so that the page cache is not what is measured; 1 MiB
// requests sequentially (as flush and compaction write), 4 KiB at random. Bytes a second. Blocking.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/json_input.h"
#include "model/result.h"

namespace lsmtuned::daemon {

struct DeviceCalibration {
  std::string directory;
  double wall_time_s = 0;
  double file_bytes = 0;
  double seconds = 0;  // of all parts together, as asked for
  double sequential_write_bytes_per_s = 0;
  double sequential_read_bytes_per_s = 0;
  double random_write_bytes_per_s = 0;
  double random_read_bytes_per_s = 0;
  double mixed_write_bytes_per_s = 0;  // half reads, half writes, sequential
  double mixed_read_bytes_per_s = 0;
  bool operator==(const DeviceCalibration&) const = default;

  // What is lost, in percent, when reads and writes meet: against each alone.
  double mixed_write_loss_percent() const;
  double mixed_read_loss_percent() const;
  // p with (W/write)^p + (R/read)^p = 1 at the mixed point, within 1 to 16 (DeviceSpec).
  double mix_exponent() const;
};

struct CalibrationPlan {
  std::string directory;
  double file_bytes = 256.0 * 1024 * 1024;
  double seconds = 20;
  std::string fio = "fio";
};

// Errors: fio is missing or fails (with its words), no space, direct I/O is not possible there.
Result<DeviceCalibration> calibrate_device(const CalibrationPlan& plan);

// Bandwidths of one fio run from its JSON. Errors: not what fio prints.
struct FioRates {
  double read_bytes_per_s = 0;
  double write_bytes_per_s = 0;
};
Result<FioRates> parse_fio(std::string_view text);

// The document that `calibrate --out` writes and `--compare` reads. Its "device" section is that of
// a problem (daemon/problem_json.h).
boost::json::object to_json(const DeviceCalibration& calibration);
struct CalibrationOutcome {
  DeviceCalibration calibration;  // meaningful only without errors
  InputErrors errors;
};
CalibrationOutcome read_calibration(std::string_view text);

struct Change {
  const char* name;
  double before = 0;
  double now = 0;
  double lost_percent = 0;  // negative: faster than before
};
std::vector<Change> degradation(const DeviceCalibration& before, const DeviceCalibration& now);

}  // namespace lsmtuned::daemon
