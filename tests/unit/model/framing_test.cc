#include "model/framing.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lsmtuned::model {
namespace {

// 16 + 1024 B: 12 header, 1 tag, 1 key length, 2 value length.
TEST(Framing, OneRecordABatch) {
  EXPECT_DOUBLE_EQ(user_bytes_from_batch_bytes(1000.0 * 1056, 1000, 1000), 1000.0 * 1040);
}

// 16 + 100 B: the value length takes one byte.
TEST(Framing, SmallValues) {
  EXPECT_DOUBLE_EQ(user_bytes_from_batch_bytes(1000.0 * 131, 1000, 1000), 1000.0 * 116);
}

// Ten records behind one header.
TEST(Framing, HeadersAreSharedByAGroup) {
  EXPECT_DOUBLE_EQ(user_bytes_from_batch_bytes(100.0 * (12 + 10 * 1044), 1000, 100), 1000.0 * 1040);
}

TEST(Framing, StaysWithinTheBatchBytes) {
  EXPECT_EQ(user_bytes_from_batch_bytes(0, 10, 10), 0);
  EXPECT_EQ(user_bytes_from_batch_bytes(-5, 10, 10), 0);
  EXPECT_EQ(user_bytes_from_batch_bytes(100, 0, 2), 76);
  EXPECT_EQ(user_bytes_from_batch_bytes(5, 10, 10), 0);
}

RC_GTEST_PROP(FramingProperty, RecoversWhatWasWritten, ()) {
  const double keys = *rc::gen::inRange(1, 1'000'000);
  const double value = *rc::gen::inRange(200, 100'000);
  // Away from the sizes where the unknown key length decides the length of the value's varint.
  RC_PRE(value < 16'000 || value > 17'000);
  const double varint = value < 16'384 ? 2 : 3;
  const double batch_bytes = keys * (12 + 1 + 1 + 20 + varint + value);
  RC_ASSERT(std::abs(user_bytes_from_batch_bytes(batch_bytes, keys, keys) - keys * (20 + value)) <
            1e-6 * batch_bytes);
}

}  // namespace
}  // namespace lsmtuned::model
