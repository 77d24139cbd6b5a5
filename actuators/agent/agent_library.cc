// The public header's functions, for programs that link the agent on purpose.
#include <exception>
#include <string>
#include <utility>

#include "actuators/agent/agent_process.h"
#include "actuators/agent/environment.h"
#include "actuators/agent/injection.h"
#include "actuators/agent/log.h"
#include "actuators/agent/rocksdb_access.h"
#include "lsmtuned/agent.h"

namespace lsmtuned::agent {

class Attachment::Impl {
 public:
  explicit Impl(rocksdb::DB* root) : root_(root) {}
  ~Impl() {
    AgentProcess* const process = AgentProcess::existing();
    if (process == nullptr) return;
    if (const auto released = process->release(root_)) process->forget(released);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

 private:
  rocksdb::DB* const root_;
};

Attachment::Attachment(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Attachment::~Attachment() = default;

void prepare(rocksdb::DBOptions& db_options, const Options& options) {
  if (disabled()) return;
  try {
    inject(db_options, options);
  } catch (const std::exception& problem) {
    log_line(db_options.info_log.get(), options.log_to_stderr,
             std::string("nothing added to the open: ") + problem.what());
  }
}

std::unique_ptr<Attachment> attach(rocksdb::DB* db, const Options& options) {
  if (disabled() || db == nullptr) return nullptr;
  try {
    rocksdb::DB* const root = root_of(db);
    if (root == nullptr) {
      log_line(db->GetDBOptions().info_log.get(), options.log_to_stderr,
               "not attached: not a database opened for writing");
      return nullptr;
    }
    AgentProcess::instance().attach(root, options);
    return std::make_unique<Attachment>(std::make_unique<Attachment::Impl>(root));
  } catch (const std::exception& problem) {
    log_line(nullptr, options.log_to_stderr, std::string("not attached: ") + problem.what());
    return nullptr;
  }
}

}  // namespace lsmtuned::agent
