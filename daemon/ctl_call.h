// One invocation of lsmtunectl: global options, where output goes, how to ask the daemon.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <ostream>
#include <string>

#include "daemon/control_protocol.h"

namespace lsmtuned::daemon {

struct Call {
  Call(std::ostream& results, std::ostream& complaints) : out(results), err(complaints) {}

  std::string socket = "/run/lsmtuned/control.sock";
  std::string target;
  bool as_json = false;
  double timeout_s = 10;
  std::ostream& out;
  std::ostream& err;

  // Exit code of a failure, or kExitOk with `answer` filled.
  int ask(boost::json::object request, boost::json::object& answer) const;
  int show(boost::json::object request,
           const std::function<std::string(const boost::json::object&)>& print) const;
  // JSON as it is, or as text for people.
  void print(const boost::json::object& answer,
             const std::function<std::string(const boost::json::object&)>& text) const;
  void complain(const std::string& what, const std::string& remedy) const;

  // A member of an answer as text; empty where it is absent or of another kind.
  static std::string text(const char* name, const boost::json::object& answer);
};

}  // namespace lsmtuned::daemon
