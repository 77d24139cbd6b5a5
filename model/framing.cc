#include "model/framing.h"

#include <algorithm>

namespace lsmtuned::model {
namespace {

constexpr double kBatchHeaderBytes = 12;
constexpr double kTagBytes = 1;
constexpr double kKeyLengthBytes = 1;  // keys up to 127 bytes
constexpr double kTypicalKeyBytes = 16;

double varint_bytes(double value) {
  double bytes = 1;
  while (value >= 128) {
    value /= 128;
    ++bytes;
  }
  return bytes;
}

}  // namespace

double user_bytes_from_batch_bytes(double batch_bytes, double keys, double writes) {
  if (!(batch_bytes > 0)) return 0;
  if (!(keys > 0)) {
    return std::clamp(batch_bytes - kBatchHeaderBytes * std::max(writes, 0.0), 0.0, batch_bytes);
  }
  const double headers = kBatchHeaderBytes * std::max(writes, 0.0) / keys;
  const double record = batch_bytes / keys - headers - kTagBytes - kKeyLengthBytes;
  // The value's length decides the length of its own varint: settle it by one substitution.
  const double key_bytes = std::min(kTypicalKeyBytes, std::max(record, 0.0) / 2);
  double value_varint = 1;
  for (int i = 0; i < 3; ++i) value_varint = varint_bytes(record - value_varint - key_bytes);
  return std::clamp((record - value_varint) * keys, 0.0, batch_bytes);
}

}  // namespace lsmtuned::model
