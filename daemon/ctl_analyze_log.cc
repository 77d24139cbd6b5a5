#include "daemon/ctl_analyze_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include "daemon/control_protocol.h"
#include "daemon/log_report.h"
#include "daemon/snapshot_counters.h"
#include "model/loglines/analyzer.h"
#include "model/loglines/parameters.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

constexpr std::size_t kChunk = 256 * 1024;
constexpr const char* kWhichFile =
    "give the file LOG, and before it the LOG.old.* files in order, from the database's directory";

class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

Error cannot_read(const std::string& path, int error) {
  return {path + ": " + std::strerror(error), kWhichFile};
}

Result<void> feed_file(const std::string& path, model::LogAnalyzer& analyzer) {
  const File file(path);
  if (file.descriptor() < 0) return cannot_read(path, errno);
  struct stat about {};
  if (::fstat(file.descriptor(), &about) != 0) return cannot_read(path, errno);
  if (S_ISDIR(about.st_mode)) return Error{path + " is a directory", kWhichFile};
  analyzer.begin_file(path);
  std::array<char, kChunk> chunk;
  bool empty = true;
  while (true) {
    const ssize_t size = ::read(file.descriptor(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return cannot_read(path, errno);
    if (size == 0) break;
    empty = false;
    analyzer.feed({chunk.data(), static_cast<std::size_t>(size)});
  }
  if (empty) return Error{path + " is empty", "the database has not written its LOG yet"};
  return {};
}

class AnalyzeLog {
 public:
  explicit AnalyzeLog(AnalyzeLogContext context) : context_(std::move(context)) {}

  void register_with(CLI::App& cli) {
    CLI::App* const sub = cli.add_subcommand(
        "analyze-log", "levels, byte ledger, stalls and model parameters from RocksDB LOG files");
    sub->add_option("FILE", files_, "LOG files of one database, oldest first");
    sub->add_option("--parameters", parameters_path_, "write a problem for predict and simulate");
    sub->add_option("--family", family_, "column family of the parameters; the busiest otherwise");
    sub->add_option("--seconds", seconds_,
                    "with --target and no FILE: how long to count; 0: since the open")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 86400.0));
  }

  void run() {
    if (!files_.empty())
      context_.exit_code = from_files();
    else if (!context_.target.empty())
      context_.exit_code = from_target();
    else
      context_.exit_code = refuse({"analyze-log: no LOG file given", kWhichFile}, kExitUsage);
  }

 private:
  int refuse(const Error& error, int code = kExitRefused) const {
    context_.err << "lsmtunectl: " << error.what << "\n";
    if (!error.remedy.empty()) context_.err << "  " << error.remedy << "\n";
    return code;
  }

  int from_files() const {
    const Result<model::LogAnalysis> analysis = analyze_log_files(files_);
    if (!analysis) return refuse(analysis.error());
    std::vector<std::string> notes;
    if (!parameters_path_.empty()) {
      const auto parameters = model::parameters_from(*analysis, family_);
      if (!parameters) return refuse(parameters.error());
      if (const auto written = write_parameters(*parameters); !written)
        return refuse(written.error());
      notes = parameters->notes;
    }
    if (context_.as_json) {
      json::object object = to_json(*analysis);
      if (!parameters_path_.empty()) {
        json::array list;
        for (const std::string& note : notes) list.emplace_back(note);
        object["parameter_notes"] = std::move(list);
      }
      context_.out << json::serialize(object) << "\n";
    } else {
      context_.out << print_log_analysis(*analysis);
      if (!parameters_path_.empty())
        context_.out << "\nParameters written to " << parameters_path_ << "\n";
      for (const std::string& note : notes) context_.out << "  " << note << "\n";
    }
    return closes(analysis->checks) ? kExitOk : kExitProblem;
  }

  Result<void> write_parameters(const model::ModelParameters& parameters) const {
    std::ofstream file(parameters_path_, std::ios::trunc);
    file << json::serialize(to_json(parameters)) << "\n";
    file.flush();
    if (!file)
      return Error{parameters_path_ + ": cannot be written: " + std::strerror(errno),
                   "name a file in a directory that you may write to"};
    return {};
  }

  // The daemon refreshes its snapshot once a poll, so an equal time means the same sample.
  int from_target() const {
    model::Snapshot first;
    if (const int code = sample(first); code != kExitOk) return code;
    if (seconds_ == 0) return show(nullptr, first);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds_));
    model::Snapshot second;
    if (const int code = sample(second); code != kExitOk) return code;
    return show(&first, second);
  }

  int sample(model::Snapshot& into) const {
    const Result<json::object> answer = context_.snapshot();
    if (!answer) return refuse(answer.error(), kExitUnreachable);
    Result<model::Snapshot> read = snapshot_counters(*answer);
    if (!read) return refuse(read.error());
    into = std::move(*read);
    return kExitOk;
  }

  int show(const model::Snapshot* before, const model::Snapshot& now) const {
    const auto tables = model::tables_between(before, now);
    if (!tables) return refuse(tables.error());
    if (context_.as_json)
      context_.out << json::serialize(to_json(*tables)) << "\n";
    else
      context_.out << print_counter_tables(*tables);
    return kExitOk;
  }

  static bool closes(const std::vector<model::LedgerCheck>& checks) {
    return std::all_of(checks.begin(), checks.end(),
                       [](const model::LedgerCheck& check) { return check.closes(); });
  }

  AnalyzeLogContext context_;
  std::vector<std::string> files_;
  std::string parameters_path_;
  std::string family_;
  double seconds_ = 10;
};

}  // namespace

Result<model::LogAnalysis> analyze_log_files(const std::vector<std::string>& files) {
  model::LogAnalyzer analyzer;
  for (const std::string& path : files)
    if (const auto fed = feed_file(path, analyzer); !fed) return fed.error();
  model::LogAnalysis analysis = analyzer.finish();
  if (!analysis.looks_like_a_log())
    return Error{files.front() + ": not a RocksDB LOG (no event, option or statistics line in it)",
                 kWhichFile};
  return analysis;
}

void add_analyze_log(CLI::App& cli, AnalyzeLogContext context) {
  auto command = std::make_shared<AnalyzeLog>(std::move(context));
  command->register_with(cli);
  cli.get_subcommand("analyze-log")->callback([command] { command->run(); });
}

}  // namespace lsmtuned::daemon
