// Answers the requests of daemon/control_protocol.h.
//
// Every answer has `ok`; a refusal has a stable `code`: bad-request, unknown-command,
// unknown-target, unknown-decision, not-attached, refused, history. Thread rules: on the daemon's
// executor; history is read on its worker.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/clock.h"
#include "daemon/history.h"
#include "daemon/target_runner.h"

namespace lsmtuned::daemon {

struct CommandServices {
  std::function<std::vector<std::shared_ptr<TargetRunner>>()> runners;
  // Why a database is observed only, whatever its mode (daemon/databases.h); empty: it is not.
  std::function<std::optional<Error>(const std::string&)> observed_only;
  History* history = nullptr;
  boost::asio::thread_pool* records = nullptr;
  const Clock* clock = nullptr;
  double started_wall_s = 0;
};

boost::asio::awaitable<boost::json::object> answer_command(const CommandServices& services,
                                                           boost::json::object request,
                                                           std::string user);

}  // namespace lsmtuned::daemon
