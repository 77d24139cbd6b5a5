// What is wrong with a text value; empty when nothing is. Pure functions of the text: whether a
// user, group or path exists is found out when it is used.
#pragma once

#include <string>

namespace lsmtuned::config {

std::string check_absolute_path(const std::string& text);
std::string check_optional_path(const std::string& text);   // absolute, or empty
std::string check_socket_path(const std::string& text);     // also short enough for a unix socket
std::string check_account_name(const std::string& text);    // empty is allowed
std::string check_listen_address(const std::string& text);  // "address:port"; empty is allowed
std::string check_target_name(const std::string& text);
std::string check_window(const std::string& text);  // "HH:MM-HH:MM"

}  // namespace lsmtuned::config
