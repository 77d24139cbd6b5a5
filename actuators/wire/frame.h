// Frames of the agent and control protocols: u32 little-endian length, then that many bytes of
// UTF-8 JSON (docs/protocol.md). At most 1 MiB; an empty or longer frame ends the connection.
//
// No I/O here: encoding and an incremental decoder, so that the agent (plain sockets), the daemon
// (Asio) and lsmtunectl share it and a fuzzer can drive it. Thread rules: one decoder, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/result.h"

namespace lsmtuned::wire {

inline constexpr std::size_t kMaxFrameBytes = 1 << 20;
inline constexpr int kProtocolVersion = 1;
// Nesting deeper than this is refused by everyone who parses a frame.
inline constexpr int kMaxJsonDepth = 16;

// Length prefix + payload. Error: payload empty or over kMaxFrameBytes.
Result<std::string> encode_frame(std::string_view json);

class FrameDecoder {
 public:
  // Appends bytes from the stream. Memory stays below kMaxFrameBytes + the largest feed.
  void feed(std::string_view bytes);
  // The next whole frame, none yet, or an error after which the stream is unusable.
  Result<std::optional<std::string>> next();

 private:
  std::string buffer_;
  std::size_t consumed_ = 0;
  bool broken_ = false;
};

}  // namespace lsmtuned::wire
