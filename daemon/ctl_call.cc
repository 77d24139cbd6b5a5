#include "daemon/ctl_call.h"

#include <utility>

namespace lsmtuned::daemon {

namespace json = boost::json;

int Call::ask(json::object request, json::object& answer) const {
  if (!target.empty()) request["target"] = target;
  Result<json::object> got = call_daemon(socket, request, timeout_s);
  if (!got) {
    complain(got.error().what, got.error().remedy);
    return kExitUnreachable;
  }
  answer = std::move(*got);
  const json::value* ok = answer.if_contains("ok");
  if (ok != nullptr && ok->is_bool() && ok->get_bool()) return kExitOk;
  if (as_json) out << json::serialize(answer) << "\n";
  complain(text("error", answer), text("remedy", answer));
  return kExitRefused;
}

int Call::show(json::object request,
               const std::function<std::string(const json::object&)>& print_text) const {
  json::object answer;
  const int code = ask(std::move(request), answer);
  if (code == kExitOk) print(answer, print_text);
  return code;
}

void Call::print(const json::object& answer,
                 const std::function<std::string(const json::object&)>& print_text) const {
  if (as_json)
    out << json::serialize(answer) << "\n";
  else
    out << print_text(answer);
}

void Call::complain(const std::string& what, const std::string& remedy) const {
  err << "lsmtunectl: " << what << "\n";
  if (!remedy.empty()) err << "  " << remedy << "\n";
}

std::string Call::text(const char* name, const json::object& answer) {
  const json::value* value = answer.if_contains(name);
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string().data(), value->get_string().size());
}

}  // namespace lsmtuned::daemon
