// How fast LOG analysis is, and how much memory it takes: repeats a real LOG to a file of the given
// size and analyses that as `lsmtunectl analyze-log` does, on one core.
//
//   log_speed LOG [--megabytes 200] [--runs 5] [--scratch DIR]
//
// MB are 10^6 bytes. Wall time depends on what else runs; CPU time is this process's own.
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "daemon/ctl_analyze_log.h"

namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// In pieces, so that making the file does not take more memory than reading it.
double repeat(const std::string& from, const std::string& to, double bytes_wanted) {
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  std::string piece(64 * 1024, '\0');
  double written = 0;
  while (written < bytes_wanted && out) {
    std::ifstream in(from, std::ios::binary);
    double copied = 0;
    while (in) {
      in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      out.write(piece.data(), in.gcount());
      copied += static_cast<double>(in.gcount());
    }
    if (copied == 0) break;
    written += copied;
  }
  return out ? written : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("log_speed: MB/s and memory of LOG analysis");
  std::string log;
  double megabytes = 200;
  int runs = 5;
  std::string scratch = "/tmp";
  app.add_option("LOG", log, "a real RocksDB LOG")->required()->check(CLI::ExistingFile);
  app.add_option("--megabytes", megabytes, "size of the repeated file")
      ->check(CLI::Range(1, 100000));
  app.add_option("--runs", runs, "how often")->check(CLI::Range(1, 1000));
  app.add_option("--scratch", scratch, "where the repeated file is made");
  CLI11_PARSE(app, argc, argv);

  const std::string path = scratch + "/log_speed." + std::to_string(getpid());
  const double bytes = repeat(log, path, megabytes * 1e6);
  if (bytes == 0) {
    std::fprintf(stderr, "log_speed: %s cannot be read, or %s not written\n", log.c_str(),
                 path.c_str());
    std::remove(path.c_str());
    return 1;
  }
  utsname machine{};
  uname(&machine);
  std::printf("%.1f MB, %s repeated, on %s %s\n", bytes * 1e-6, log.c_str(), machine.sysname,
              machine.machine);
  double best_wall = 0;
  double best_cpu = 0;
  int exit_code = 0;
  for (int run = 0; run < runs && exit_code == 0; ++run) {
    const double cpu_before = cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    const auto analysis = lsmtuned::daemon::analyze_log_files({path});
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    const double cpu = cpu_seconds() - cpu_before;
    if (!analysis) {
      std::fprintf(stderr, "log_speed: %s\n", analysis.error().text().c_str());
      exit_code = 1;
      break;
    }
    const double wall_rate = bytes * 1e-6 / wall.count();
    const double cpu_rate = bytes * 1e-6 / cpu;
    best_wall = std::max(best_wall, wall_rate);
    best_cpu = std::max(best_cpu, cpu_rate);
    std::printf("run %d: %.0f MB/s of wall time, %.0f MB/s of CPU time, %.0f events\n", run + 1,
                wall_rate, cpu_rate, analysis->lines.events);
  }
  std::remove(path.c_str());
  if (exit_code == 0)
    std::printf("best: %.0f MB/s of wall time, %.0f MB/s of CPU time; peak memory %.1f MiB\n",
                best_wall, best_cpu, peak_rss_mib());
  return exit_code;
}
