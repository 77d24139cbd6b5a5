// The few members that we need of one EVENT_LOG_v1 message, found without building a document.
//
// RocksDB's JSONWriter writes `"name": value` with one blank, in a fixed order, and quotes no
// quotes inside; so members are searched forwards from the last one found, and from the beginning
// where that fails. Ask for members in RocksDB's order. Pure; thread rules: one thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace lsmtuned::model {

// memmem: string_view::find stops at every occurrence of the first character, which makes it
// several times slower on these texts.
std::size_t find_fast(std::string_view text, std::string_view wanted, std::size_t from = 0);

class EventFields {
 public:
  explicit EventFields(std::string_view json) : json_(json) {}

  // RocksDB ends an event with the brace that opened it, after one brace for each inner object; a
  // torn one has lost them.
  bool complete(std::size_t inner_objects = 0) const;

  // `name` with quotes and colon: "\"job\": ". Whole and within 2^53, else absent; an absent member
  // and a hostile number are told apart by bad().
  std::optional<double> whole(std::string_view name);
  double whole_or_zero(std::string_view name) { return whole(name).value_or(0); }
  std::string_view text(std::string_view name);   // without quotes; empty when absent
  std::string_view array(std::string_view name);  // between the brackets; empty when absent
  bool has(std::string_view name) { return !after(name).empty(); }
  bool bad() const { return bad_; }  // a member was there, but not a number we can hold

 private:
  std::string_view after(std::string_view name);

  std::string_view json_;
  std::size_t cursor_ = 0;
  bool bad_ = false;
};

}  // namespace lsmtuned::model
