#include "config/text_checks.h"

#include <string_view>

namespace lsmtuned::config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_character(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
}

bool has_control_character(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return true;
  }
  return false;
}

// "HH:MM" at the start of `text`.
bool is_time(std::string_view text) {
  if (text.size() < 5 || !is_digit(text[0]) || !is_digit(text[1]) || text[2] != ':' ||
      !is_digit(text[3]) || !is_digit(text[4])) {
    return false;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  return hour < 24 && text[3] < '6';
}

}  // namespace

std::string check_absolute_path(const std::string& text) {
  if (text.empty()) return "the path is empty";
  if (has_control_character(text)) return "the path holds a control character";
  if (text.front() != '/') return "the path is not absolute";
  if (text.size() > 4095) return "the path is longer than 4095 bytes";
  return {};
}

std::string check_optional_path(const std::string& text) {
  return text.empty() ? std::string() : check_absolute_path(text);
}

std::string check_socket_path(const std::string& text) {
  // sockaddr_un holds 108 bytes with the closing zero.
  if (text.size() > 107) return "the path is longer than the 107 bytes that a unix socket may have";
  return check_absolute_path(text);
}

std::string check_account_name(const std::string& text) {
  if (text.size() > 256) return "the name is too long";
  for (const char c : text) {
    if (!is_name_character(c) && c != '$' && c != '@' && c != '+') {
      return "the name holds a character that user and group names cannot have";
    }
  }
  return {};
}

std::string check_listen_address(const std::string& text) {
  if (text.empty()) return {};
  if (has_control_character(text) || text.find(' ') != std::string::npos) {
    return "the address holds a blank or a control character";
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return "the port is missing";
  const std::string host = text.substr(0, colon);
  if (host.empty()) return "the address is missing";
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (host.find(':') != std::string::npos && !bracketed) {
    return "an IPv6 address needs brackets, as in [::1]:9637";
  }
  const std::string port = text.substr(colon + 1);
  int number = 0;
  for (const char c : port) {
    if (!is_digit(c)) return "the port is not a number";
    number = number * 10 + (c - '0');
    if (number > 65535) break;
  }
  if (port.empty() || number > 65535) return "the port is not between 0 and 65535";
  return {};
}

std::string check_target_name(const std::string& text) {
  if (text.empty()) return "the name is empty";
  if (text.size() > 64) return "the name is longer than 64 characters";
  for (const char c : text) {
    if (!is_name_character(c)) return "the name holds a character that is not allowed";
  }
  return {};
}

std::string check_window(const std::string& text) {
  if (text.size() != 11 || text[5] != '-' || !is_time(text) ||
      !is_time(std::string_view(text).substr(6))) {
    return "this is not a window of time";
  }
  if (text.substr(0, 5) == text.substr(6)) return "the window is empty: both times are the same";
  return {};
}

}  // namespace lsmtuned::config
