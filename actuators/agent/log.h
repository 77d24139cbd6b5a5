// Where the agent speaks: the database's own info log, or stderr when LSMTUNED_LOG=stderr. The
// host's stderr stays clean otherwise. Thread rules: any thread; never throws.
#pragma once

#include <memory>
#include <string>

namespace rocksdb {
class Logger;
}

namespace lsmtuned::agent {

void log_line(rocksdb::Logger* info_log, bool to_stderr, const std::string& line) noexcept;

}  // namespace lsmtuned::agent
