#include "actuators/wire/frame.h"

#include <utility>

namespace lsmtuned::wire {
namespace {

constexpr std::size_t kPrefixBytes = 4;

std::uint32_t read_length(std::string_view bytes) {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < kPrefixBytes; ++i)
    length |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return length;
}

}  // namespace

Result<std::string> encode_frame(std::string_view json) {
  if (json.empty()) return Error{"a frame must not be empty", ""};
  if (json.size() > kMaxFrameBytes)
    return Error{"a frame of " + std::to_string(json.size()) + " bytes is over the limit of " +
                     std::to_string(kMaxFrameBytes),
                 ""};
  std::string frame;
  frame.reserve(kPrefixBytes + json.size());
  const auto length = static_cast<std::uint32_t>(json.size());
  for (std::size_t i = 0; i < kPrefixBytes; ++i)
    frame.push_back(static_cast<char>((length >> (8 * i)) & 0xff));
  frame.append(json);
  // Named, because an Error can be made from a string too.
  return {Result<std::string>::in_place_value, std::move(frame)};
}

void FrameDecoder::feed(std::string_view bytes) {
  if (broken_) return;
  // Taken frames are dropped here, not in next(), so that many small frames in one read cost one
  // move of the rest and not one each.
  if (consumed_ > 0) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
  buffer_.append(bytes);
}

Result<std::optional<std::string>> FrameDecoder::next() {
  if (broken_) return Error{"the stream is unusable after a bad frame", ""};
  const std::string_view rest = std::string_view(buffer_).substr(consumed_);
  if (rest.size() < kPrefixBytes) return std::optional<std::string>();
  const std::size_t length = read_length(rest);
  if (length == 0 || length > kMaxFrameBytes) {
    broken_ = true;
    buffer_.clear();
    buffer_.shrink_to_fit();
    consumed_ = 0;
    return Error{"a frame announces " + std::to_string(length) + " bytes, outside 1 to " +
                     std::to_string(kMaxFrameBytes),
                 "the peer does not speak this protocol"};
  }
  if (rest.size() < kPrefixBytes + length) return std::optional<std::string>();
  std::string payload(rest.substr(kPrefixBytes, length));
  consumed_ += kPrefixBytes + length;
  return std::optional<std::string>(std::move(payload));
}

}  // namespace lsmtuned::wire
