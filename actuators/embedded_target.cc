#include "actuators/embedded_target.h"

#include <rocksdb/db.h>
#include <rocksdb/utilities/options_util.h>

#include <utility>
#include <vector>

#include "actuators/agent/injection.h"
#include "actuators/agent/rocksdb_access.h"
#include "actuators/agent_target.h"
#include "actuators/embedded_connection.h"

namespace lsmtuned::actuators {
namespace {

namespace asio = boost::asio;

class EmbeddedTarget final : public AgentTarget {
 public:
  EmbeddedTarget(std::shared_ptr<EmbeddedConnection> connection, AnnouncedDatabase database)
      : AgentTarget(connection, std::move(database)), owned_(std::move(connection)) {}

 private:
  std::shared_ptr<EmbeddedConnection> owned_;
};

std::string remedy_for(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  if (text.find("lock") != std::string::npos || text.find("LOCK") != std::string::npos)
    return "another process has it open: attach the agent to that process instead";
  if (status.IsIOError()) return "check the path and the permissions of the daemon's user";
  return "its own program must open it: attach the agent to that program instead";
}

struct OpenOptions {
  rocksdb::DBOptions db;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
};

Result<OpenOptions> find_options(const std::string& path) {
  OpenOptions options;
  const rocksdb::ConfigOptions config;
  const rocksdb::Status loaded =
      rocksdb::LoadLatestOptions(config, path, &options.db, &options.families);
  if (loaded.ok()) return options;
  if (!loaded.IsNotFound())
    return Error{"the options of " + path + " cannot be read: " + loaded.ToString(),
                 remedy_for(loaded)};
  options = {};
  std::vector<std::string> names;
  const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(options.db, path, &names);
  if (!listed.ok())
    return Error{"no RocksDB database in " + path + ": " + listed.ToString(),
                 "correct the path of the target"};
  for (const auto& name : names)
    options.families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  return options;
}

}  // namespace

Result<std::shared_ptr<Target>> open_embedded_target(asio::any_io_executor executor,
                                                     asio::thread_pool& workers,
                                                     const EmbeddedOptions& options) {
  auto found = find_options(options.path);
  if (!found) return found.error();
  found->db.create_if_missing = false;
  agent::Options agent_options;
  agent_options.statistics = options.statistics;
  agent::inject(found->db, agent_options);

  auto open = std::make_unique<OpenDatabase>();
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(found->db, options.path, found->families, &open->handles, &db);
  if (!opened.ok())
    return Error{options.path + " cannot be opened: " + opened.ToString(), remedy_for(opened)};
  open->db.reset(db);
  if (agent::root_of(db) == nullptr)
    return Error{options.path + " is open in a way that cannot be tuned", ""};

  const auto connection = std::make_shared<EmbeddedConnection>(std::move(executor), workers,
                                                               std::move(open), agent_options);
  auto database = parse_announced_database(connection->description());
  if (!database) return database.error();
  database->info.kind = "embedded";
  if (!options.name.empty()) database->info.name = options.name;
  const auto target = std::make_shared<EmbeddedTarget>(connection, *std::move(database));
  connection->watch_lease([weak = std::weak_ptr<EmbeddedTarget>(target),
                           expired = options.lease_expired](const boost::json::value& values) {
    const auto self = weak.lock();
    if (!self) return;
    self->on_lease_expired(values);
    if (expired) expired(self);
  });
  return std::shared_ptr<Target>(target);
}

}  // namespace lsmtuned::actuators
