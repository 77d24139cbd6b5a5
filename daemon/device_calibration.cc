#include "daemon/device_calibration.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "daemon/child.h"
#include "model/published/device.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostFioBytes = std::size_t{4} << 20;
constexpr double kSlackSeconds = 30;    // fio's start, and laying the file out on a slow device
constexpr double kSlowestLayout = 1e6;  // bytes a second
constexpr double kMostExponent = 16;
constexpr const char* kRemedy =
    "install fio (apt install fio); is the directory on the database's device and writable?";

struct Part {
  const char* mode;  // fio's --rw
  const char* block;
  double DeviceCalibration::*write;
  double DeviceCalibration::*read;
};
constexpr std::array<Part, 5> kParts = {{
    {"write", "1M", &DeviceCalibration::sequential_write_bytes_per_s, nullptr},
    {"read", "1M", nullptr, &DeviceCalibration::sequential_read_bytes_per_s},
    {"randwrite", "4k", &DeviceCalibration::random_write_bytes_per_s, nullptr},
    {"randread", "4k", nullptr, &DeviceCalibration::random_read_bytes_per_s},
    {"rw", "1M", &DeviceCalibration::mixed_write_bytes_per_s,
     &DeviceCalibration::mixed_read_bytes_per_s},
}};

constexpr std::array<std::pair<const char*, double DeviceCalibration::*>, 6> kRates = {{
    {"sequential_write_bytes_per_s", &DeviceCalibration::sequential_write_bytes_per_s},
    {"sequential_read_bytes_per_s", &DeviceCalibration::sequential_read_bytes_per_s},
    {"random_write_bytes_per_s", &DeviceCalibration::random_write_bytes_per_s},
    {"random_read_bytes_per_s", &DeviceCalibration::random_read_bytes_per_s},
    {"mixed_write_bytes_per_s", &DeviceCalibration::mixed_write_bytes_per_s},
    {"mixed_read_bytes_per_s", &DeviceCalibration::mixed_read_bytes_per_s},
}};

// A file of ours in the directory; gone with this.
class ScratchFile {
 public:
  Result<void> create(const std::string& directory) {
    path_ = directory + "/lsmtuned-calibrate-XXXXXX";
    const int descriptor = ::mkstemp(path_.data());
    if (descriptor < 0) {
      const int code = errno;
      path_.clear();
      return Error{directory + ": " + std::generic_category().message(code),
                   "name a writable directory on the database's device"};
    }
    ::close(descriptor);
    return {};
  }
  ScratchFile() = default;
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<std::string> fio_arguments(const CalibrationPlan& plan, const std::string& file,
                                       const Part& part) {
  return {plan.fio,
          "--name=lsmtuned",
          "--filename=" + file,
          fmt::format("--size={:.0f}", plan.file_bytes),
          fmt::format("--runtime={:.0f}ms", 1000 * plan.seconds / kParts.size()),
          "--time_based=1",
          std::string("--rw=") + part.mode,
          std::string("--bs=") + part.block,
          "--direct=1",
          "--ioengine=libaio",
          "--iodepth=16",
          "--randrepeat=1",
          "--output-format=json"};
}

std::string first_line(const std::string& text) {
  return shown_text(text.substr(0, text.find('\n')));
}

double to_double(const json::value* value) {
  return value != nullptr && value->is_number() ? value->to_number<double>() : -1;
}

}  // namespace

Result<FioRates> parse_fio(std::string_view text) {
  // fio may print notes before the document.
  const std::size_t start = text.find('{');
  const Error wrong{"fio printed no result: " + first_line(std::string(text.substr(0, 200))), ""};
  if (start == std::string_view::npos) return wrong;
  const auto document = parse_document(text.substr(start));
  if (!document) return Error{"fio's output: " + document.error().what, ""};
  const json::value* jobs = document->if_contains("jobs");
  if (jobs == nullptr || !jobs->is_array() || jobs->get_array().size() != 1 ||
      !jobs->get_array()[0].is_object())
    return wrong;
  const json::object& job = jobs->get_array()[0].get_object();
  FioRates rates;
  for (const auto& [name, rate] :
       {std::pair("read", &rates.read_bytes_per_s), std::pair("write", &rates.write_bytes_per_s)}) {
    const json::value* side = job.if_contains(name);
    if (side == nullptr || !side->is_object()) return wrong;
    *rate = to_double(side->get_object().if_contains("bw_bytes"));
    if (!(*rate >= 0) || !std::isfinite(*rate)) return wrong;
  }
  return rates;
}

Result<DeviceCalibration> calibrate_device(const CalibrationPlan& plan) {
  DeviceCalibration measured;
  std::error_code failed;
  const auto space = std::filesystem::space(plan.directory, failed);
  if (failed)
    return Error{plan.directory + ": " + failed.message(),
                 "name a writable directory on the database's device"};
  if (static_cast<double>(space.available) < 2 * plan.file_bytes)
    return Error{fmt::format("{}: {} free, and the test file has {}", plan.directory,
                             model::format_bytes(static_cast<double>(space.available)),
                             model::format_bytes(plan.file_bytes)),
                 "at least twice the file's size must be free; --size makes it smaller"};
  ScratchFile file;
  if (const auto created = file.create(plan.directory); !created) return created.error();
  measured.directory = plan.directory;
  measured.file_bytes = plan.file_bytes;
  measured.seconds = plan.seconds;
  measured.wall_time_s =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  for (const Part& part : kParts) {
    const double deadline =
        plan.seconds / kParts.size() + plan.file_bytes / kSlowestLayout + kSlackSeconds;
    const auto ran = run_child(fio_arguments(plan, file.path(), part), deadline, kMostFioBytes);
    if (!ran) return Error{ran.error().what, kRemedy};
    if (ran->exit_code != 0)
      return Error{fmt::format("fio --rw={} failed with code {}: {}", part.mode, ran->exit_code,
                               first_line(ran->errors.empty() ? ran->out : ran->errors)),
                   "direct I/O needs a real file system (not tmpfs or an overlay); choose a "
                   "directory on the database's device"};
    const auto rates = parse_fio(ran->out);
    if (!rates) return rates.error();
    if (part.write != nullptr) measured.*part.write = rates->write_bytes_per_s;
    if (part.read != nullptr) measured.*part.read = rates->read_bytes_per_s;
  }
  return measured;
}

double DeviceCalibration::mixed_write_loss_percent() const {
  return model::published::degradation_percent(sequential_write_bytes_per_s,
                                               mixed_write_bytes_per_s)
      .value_or(0);
}

double DeviceCalibration::mixed_read_loss_percent() const {
  return model::published::degradation_percent(sequential_read_bytes_per_s, mixed_read_bytes_per_s)
      .value_or(0);
}

double DeviceCalibration::mix_exponent() const {
  if (!(sequential_write_bytes_per_s > 0) || !(sequential_read_bytes_per_s > 0)) return 1;
  const double write = mixed_write_bytes_per_s / sequential_write_bytes_per_s;
  const double read = mixed_read_bytes_per_s / sequential_read_bytes_per_s;
  const auto used = [&](double p) { return std::pow(write, p) + std::pow(read, p); };
  // The sum falls with p while both shares are below one.
  if (used(1) <= 1) return 1;
  if (used(kMostExponent) >= 1) return kMostExponent;
  double low = 1;
  double high = kMostExponent;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (used(middle) > 1 ? low : high) = middle;
  }
  return (low + high) / 2;
}

json::object to_json(const DeviceCalibration& calibration) {
  json::object rates;
  for (const auto& [name, member] : kRates) rates[name] = calibration.*member;
  return {{"directory", calibration.directory},
          {"wall_time_s", calibration.wall_time_s},
          {"file_bytes", number_json(calibration.file_bytes)},
          {"seconds", number_json(calibration.seconds)},
          {"measured", std::move(rates)},
          {"mixed_write_loss_percent", calibration.mixed_write_loss_percent()},
          {"mixed_read_loss_percent", calibration.mixed_read_loss_percent()},
          {"device", json::object{{"write_bytes_per_s", calibration.sequential_write_bytes_per_s},
                                  {"read_bytes_per_s", calibration.sequential_read_bytes_per_s},
                                  {"mix_exponent", calibration.mix_exponent()}}}};
}

CalibrationOutcome read_calibration(std::string_view text) {
  CalibrationOutcome outcome;
  const auto document = parse_document(text);
  if (!document) {
    outcome.errors.push_back({"", document.error().what, document.error().remedy});
    return outcome;
  }
  constexpr NumberRule any{Quantity::number, 0, 1e18};
  DeviceCalibration& read = outcome.calibration;
  Input input(*document, "", outcome.errors);
  input.text("directory", read.directory);
  input.number("wall_time_s", read.wall_time_s, any);
  input.number("file_bytes", read.file_bytes, any);
  input.number("seconds", read.seconds, any);
  input.require("measured", "the bandwidths, as lsmtunectl calibrate --out writes them");
  if (const json::object* rates = input.object("measured")) {
    Input measured(*rates, "measured", outcome.errors);
    for (const auto& [name, member] : kRates) {
      measured.require(name, "bytes a second");
      measured.number(name, read.*member, any);
    }
    measured.refuse_unknown();
  }
  return outcome;
}

std::vector<Change> degradation(const DeviceCalibration& before, const DeviceCalibration& now) {
  std::vector<Change> changes;
  for (const auto& [name, member] : kRates)
    changes.push_back(
        {name, before.*member, now.*member,
         model::published::degradation_percent(before.*member, now.*member).value_or(0)});
  return changes;
}

}  // namespace lsmtuned::daemon
