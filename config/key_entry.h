// How a configuration key is registered. Private to the files that list the keys (daemon_keys.cc,
// policy_keys.cc). Thread rules: none of its own.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "config/keys.h"

namespace lsmtuned::config {

inline constexpr double kMiB = 1024.0 * 1024.0;
inline constexpr double kTiB = kMiB * kMiB;
inline constexpr double kMinute = 60;
inline constexpr double kHour = 3600;
inline constexpr double kDay = 86400;
inline const std::vector<std::string> kStatistics = {"none", "counters", "tickers", "latency"};
inline constexpr const char* kPathForm = "a whole path, starting with /";

// Builds one registration. The member handed to to() gives the default and takes the value.
template <class Owner>
class Entry {
 public:
  Entry(const char* name, ValueType type) {
    key_.name = name;
    key_.type = type;
  }
  Entry&& range(double lowest, double highest) && {
    key_.minimum = lowest;
    key_.maximum = highest;
    return std::move(*this);
  }
  Entry&& zero(const char* means) && {
    key_.zero_means = means;
    return std::move(*this);
  }
  Entry&& check(TextCheck text_check, const char* form) && {
    key_.check = text_check;
    key_.form = form;
    return std::move(*this);
  }
  Entry&& one_of(const std::vector<std::string>& choices) && {
    key_.choices = choices;
    return std::move(*this);
  }
  Entry&& required(const char* example) && {
    key_.required = true;
    key_.example = example;
    return std::move(*this);
  }
  Entry&& restart() && {
    key_.needs_restart = true;
    return std::move(*this);
  }
  Entry&& help(const char* text) && {
    key_.help = text;
    return std::move(*this);
  }

  Entry&& to(double Owner::*member, double unit = 1) && {
    key_.read = [=](const Owner& owner) { return KeyValue(owner.*member * unit); };
    key_.write = [=](Owner& owner, const KeyValue& value) {
      owner.*member = std::get<double>(value) / unit;
    };
    return std::move(*this);
  }
  Entry&& to(int Owner::*member) && {
    key_.read = [=](const Owner& owner) { return KeyValue(static_cast<double>(owner.*member)); };
    key_.write = [=](Owner& owner, const KeyValue& value) {
      owner.*member = static_cast<int>(std::get<double>(value));
    };
    return std::move(*this);
  }
  template <class T>
  Entry&& to_same(T Owner::*member) && {
    key_.read = [=](const Owner& owner) { return KeyValue(owner.*member); };
    key_.write = [=](Owner& owner, const KeyValue& value) { owner.*member = std::get<T>(value); };
    return std::move(*this);
  }
  Entry&& to(bool Owner::*member) && { return std::move(*this).to_same(member); }
  Entry&& to(std::string Owner::*member) && { return std::move(*this).to_same(member); }
  Entry&& to(std::vector<std::string> Owner::*member) && {
    return std::move(*this).to_same(member);
  }
  template <class E>
  Entry&& to_choice(E Owner::*member, std::vector<E> values) && {
    for (const E value : values) key_.choices.emplace_back(to_text(value));
    key_.read = [=](const Owner& owner) { return KeyValue(std::string(to_text(owner.*member))); };
    key_.write = [=](Owner& owner, const KeyValue& value) {
      for (const E candidate : values) {
        if (std::get<std::string>(value) == to_text(candidate)) owner.*member = candidate;
      }
    };
    return std::move(*this);
  }
  Entry&& with(std::function<KeyValue(const Owner&)> read,
               std::function<void(Owner&, const KeyValue&)> write) && {
    key_.read = std::move(read);
    key_.write = std::move(write);
    return std::move(*this);
  }

  // NOLINTNEXTLINE(google-explicit-constructor): lets a list of entries read as a list of keys.
  operator Key<Owner>() && { return std::move(key_); }

 private:
  Key<Owner> key_;
};

}  // namespace lsmtuned::config
