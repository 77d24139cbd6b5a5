// lsmtuned: the daemon's command line.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "config/parse.h"
#include "daemon/app.h"
#include "daemon/log.h"

namespace {

using namespace lsmtuned;

constexpr const char* kDefaultConfig = "/etc/lsmtuned/lsmtuned.toml";

void print_error(const std::string& text) {
  std::fprintf(stderr, "lsmtuned: %s\n", text.c_str());
}

bool print_problems(const config::ParseOutcome& outcome) {
  for (const std::string& warning : outcome.warnings)
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  for (const config::Problem& problem : outcome.problems)
    std::fprintf(stderr, "%s\n", problem.text().c_str());
  return !outcome.problems.empty();
}

int serve(config::DaemonConfig config, const std::string& path) {
  const Result<void> log = daemon::set_up_log(config.log_target, config.log_level);
  if (!log) {
    print_error(log.error().text());
    return 1;
  }
  daemon::AppOptions options;
  options.config = std::move(config);
  options.config_path = path;
  auto app = daemon::App::create(std::move(options));
  if (!app) {
    spdlog::critical("{}", app.error().text());
    return 1;
  }
  (*app)->run();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App cli("lsmtuned: closed-loop tuning of RocksDB databases");
  std::string path = kDefaultConfig;
  bool check = false;
  bool print_default = false;
  bool print_reference = false;
  cli.add_option("--config", path, "configuration file")->capture_default_str();
  cli.add_flag("--check-config", check, "say everything that is wrong with it, and end");
  cli.add_flag("--print-default-config", print_default, "every key, commented, at its default");
  cli.add_flag("--print-config-reference", print_reference, "every key as a Markdown page");
  cli.set_version_flag("--version", std::string("lsmtuned ") + LSMTUNED_VERSION);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  if (print_default) {
    std::fputs(config::default_config_text().c_str(), stdout);
    return 0;
  }
  if (print_reference) {
    std::fputs(config::reference_page_markdown().c_str(), stdout);
    return 0;
  }
  config::ParseOutcome outcome = config::parse_file(path);
  if (print_problems(outcome)) {
    const std::size_t count = outcome.problems.size();
    std::fprintf(stderr, "%zu %s in %s\n", count, count == 1 ? "problem" : "problems",
                 path.c_str());
    return 1;
  }
  if (check) {
    std::puts("configuration is fine");
    return 0;
  }
  return serve(std::move(outcome.config), path);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    print_error(error.what());
    return 1;
  }
}
