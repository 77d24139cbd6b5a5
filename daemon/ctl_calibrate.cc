// lsmtunectl calibrate DIR: what the device below a directory can do, by fio.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <system_error>

#include "config/quantity.h"
#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/device_calibration.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

constexpr double kLeastFile = 1024.0 * 1024;
constexpr double kLargestFile = 64.0 * 1024 * 1024 * 1024;
constexpr double kLeastTime_s = 0.5;
constexpr double kLongestTime_s = 3600;

struct CalibrateCommand {
  explicit CalibrateCommand(const Call& caller) : call(caller) {}
  const Call& call;
  CalibrationPlan plan;
  std::string size = "256 MiB";
  std::string time = "20 s";
  std::string out;
  std::string compare;

  int run();
  bool read_options();
  int write(const json::object& document) const;
};

std::string text_of(const DeviceCalibration& measured, const std::vector<Change>& changes) {
  const auto line = [](const char* label, double rate) {
    return fmt::format("{:<18} {:>14}\n", label, model::format_rate(rate));
  };
  std::string text = line("sequential write", measured.sequential_write_bytes_per_s) +
                     line("sequential read", measured.sequential_read_bytes_per_s) +
                     line("random write", measured.random_write_bytes_per_s) +
                     line("random read", measured.random_read_bytes_per_s);
  text += fmt::format("{:<18} {:>14}, {:.1f} % below writes alone\n", "mixed, writes",
                      model::format_rate(measured.mixed_write_bytes_per_s),
                      measured.mixed_write_loss_percent());
  text += fmt::format("{:<18} {:>14}, {:.1f} % below reads alone\n", "mixed, reads",
                      model::format_rate(measured.mixed_read_bytes_per_s),
                      measured.mixed_read_loss_percent());
  text += fmt::format("{:<18} {:>14.1f}\n", "mix exponent", measured.mix_exponent());
  if (changes.empty()) return text;
  text += fmt::format("\n{:<30} {:>14} {:>14} {:>8}\n", "", "before", "now", "lost");
  for (const Change& change : changes)
    text += fmt::format("{:<30} {:>14} {:>14} {:>6.1f} %\n", change.name,
                        model::format_rate(change.before), model::format_rate(change.now),
                        change.lost_percent);
  return text;
}

bool CalibrateCommand::read_options() {
  const auto wrong = [&](const char* option, const std::string& what, const std::string& allowed) {
    call.complain(std::string(option) + ": " + what, allowed);
    return false;
  };
  const auto bytes = config::parse_size(size);
  if (!bytes) return wrong("--size", bytes.error().what, bytes.error().remedy);
  if (*bytes < kLeastFile || *bytes > kLargestFile)
    return wrong("--size", model::format_bytes(*bytes) + " is not allowed", "1 MiB to 64 GiB");
  const auto seconds = config::parse_duration(time);
  if (!seconds) return wrong("--time", seconds.error().what, seconds.error().remedy);
  if (*seconds < kLeastTime_s || *seconds > kLongestTime_s)
    return wrong("--time", model::format_duration(*seconds) + " is not allowed", "500 ms to 1 h");
  plan.file_bytes = *bytes;
  plan.seconds = *seconds;
  return true;
}

int CalibrateCommand::write(const json::object& document) const {
  std::ofstream file(out, std::ios::trunc);
  file << json::serialize(document) << "\n";
  file.close();
  if (file) return kExitOk;
  call.complain(out + ": " + std::generic_category().message(errno), "name a writable file");
  return kExitUsage;
}

int CalibrateCommand::run() {
  if (!read_options()) return kExitUsage;
  CalibrationOutcome before;
  if (!compare.empty()) {
    const auto text = read_input(compare);
    if (!text) {
      call.complain(text.error().what, text.error().remedy);
      return kExitUsage;
    }
    before = read_calibration(*text);
    if (!before.errors.empty()) return complain_of_input(call, compare, before.errors);
  }
  const auto measured = calibrate_device(plan);
  if (!measured) return complain_of_model(call, measured.error());
  const std::vector<Change> changes =
      compare.empty() ? std::vector<Change>{} : degradation(before.calibration, *measured);
  json::object document = to_json(*measured);
  if (!out.empty())
    if (const int failed = write(document); failed != kExitOk) return failed;
  if (!changes.empty()) {
    json::array lost;
    for (const Change& change : changes)
      lost.push_back(json::object{{"name", change.name},
                                  {"before", change.before},
                                  {"now", change.now},
                                  {"lost_percent", change.lost_percent}});
    document["degradation"] = std::move(lost);
  }
  document["ok"] = true;
  call.print(document, [&](const json::object&) { return text_of(*measured, changes); });
  return kExitOk;
}

}  // namespace

void add_calibrate(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "calibrate",
      "measures the device below a directory with fio; writes one file and removes it");
  const auto state = std::make_shared<CalibrateCommand>(call);
  command->add_option("DIR", state->plan.directory, "on the database's device")->required();
  command->add_option("--size", state->size, "of the test file")->capture_default_str();
  command->add_option("--time", state->time, "for all parts together")->capture_default_str();
  command->add_option("--out", state->out, "writes the result there, as JSON");
  command->add_option("--compare", state->compare, "an earlier --out: prints what was lost since");
  command->add_option("--fio", state->plan.fio, "the fio program")->capture_default_str();
  command->callback([state, &code] { code = state->run(); });
}

}  // namespace lsmtuned::daemon
