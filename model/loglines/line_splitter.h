// Bytes in chunks to lines, whatever way the chunks are cut.
//
// A line longer than the limit is handed over once, cut to the limit and marked, so that the answer
// does not depend on chunk borders. Memory: at most the limit. The views passed on live only during
// the call. Thread rules: one thread at a time.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace lsmtuned::model {

enum class LineEnd : unsigned char { newline, too_long, end_of_input };

class LineSplitter {
 public:
  // RocksDB 7.8 writes at most 64 KiB a message.
  static constexpr std::size_t kLongestLine = 256 * 1024;

  // Calls on_line(std::string_view, LineEnd) for each whole line, without newline and carriage
  // return.
  template <class OnLine>
  void feed(std::string_view chunk, const OnLine& on_line) {
    while (!chunk.empty()) {
      const void* const found = std::memchr(chunk.data(), '\n', chunk.size());
      if (found == nullptr) {
        keep(chunk);
        return;
      }
      const auto size = static_cast<std::size_t>(static_cast<const char*>(found) - chunk.data());
      if (pending_.empty()) {
        hand_over(chunk.substr(0, size), LineEnd::newline, on_line);
      } else {
        keep(chunk.substr(0, size));
        hand_over(pending_, LineEnd::newline, on_line);
        pending_.clear();
      }
      chunk.remove_prefix(size + 1);
    }
  }

  // The last line, if it has no newline.
  template <class OnLine>
  void finish(const OnLine& on_line) {
    if (!pending_.empty()) hand_over(pending_, LineEnd::end_of_input, on_line);
    pending_.clear();
  }

 private:
  // One byte more than the limit is kept, which is how a line that is too long is known.
  void keep(std::string_view part) {
    const std::size_t room = kLongestLine + 1 - pending_.size();
    pending_.append(part.substr(0, room));
  }

  template <class OnLine>
  static void hand_over(std::string_view line, LineEnd end, const OnLine& on_line) {
    if (line.size() > kLongestLine) {
      on_line(line.substr(0, kLongestLine), LineEnd::too_long);
      return;
    }
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    on_line(line, end);
  }

  std::string pending_;
};

}  // namespace lsmtuned::model
