#include "actuators/wire/frame.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "actuators/wire/json.h"

namespace lsmtuned::wire {
namespace {

std::string prefix(std::uint32_t length) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>((length >> (8 * i)) & 0xff));
  return bytes;
}

TEST(Frame, LengthIsLittleEndianAndCountsThePayload) {
  EXPECT_EQ(encode_frame("{}").value(), std::string("\x02\x00\x00\x00{}", 6));
}

TEST(Frame, RefusesToEncodeEmptyAndOversized) {
  EXPECT_FALSE(encode_frame(""));
  EXPECT_TRUE(encode_frame(std::string(kMaxFrameBytes, ' ')));
  EXPECT_FALSE(encode_frame(std::string(kMaxFrameBytes + 1, ' ')));
}

TEST(Frame, LargestFrameIsTaken) {
  FrameDecoder decoder;
  decoder.feed(encode_frame(std::string(kMaxFrameBytes, 'x')).value());
  EXPECT_EQ(decoder.next().value().value().size(), kMaxFrameBytes);
}

TEST(Frame, BadLengthsBreakTheStreamForGood) {
  for (const std::uint32_t length : {0u, static_cast<std::uint32_t>(kMaxFrameBytes) + 1, ~0u}) {
    FrameDecoder decoder;
    decoder.feed(prefix(length));
    EXPECT_FALSE(decoder.next()) << length;
    decoder.feed(encode_frame("{}").value());
    EXPECT_FALSE(decoder.next()) << length;
  }
}

TEST(Frame, AnySplitOfTheBytesGivesTheSameFrames) {
  const bool holds = rc::check([] {
    const auto payloads = *rc::gen::container<std::vector<std::string>>(
        rc::gen::nonEmpty(rc::gen::arbitrary<std::string>()));
    std::string stream;
    for (const auto& payload : payloads) stream += encode_frame(payload).value();
    FrameDecoder decoder;
    std::vector<std::string> decoded;
    while (!stream.empty()) {
      const auto size =
          *rc::gen::inRange<std::size_t>(1, std::min<std::size_t>(stream.size(), 9) + 1);
      decoder.feed(std::string_view(stream).substr(0, size));
      stream.erase(0, size);
      // Sometimes several frames are left to be taken later.
      if (!stream.empty() && *rc::gen::arbitrary<bool>()) continue;
      while (true) {
        auto frame = decoder.next().value();
        if (!frame) break;
        decoded.push_back(*std::move(frame));
      }
    }
    RC_ASSERT(decoded == payloads);
  });
  EXPECT_TRUE(holds);
}

TEST(Payload, MustBeOneObjectOfValidUtf8AndModestDepth) {
  EXPECT_TRUE(parse_payload(R"({"type":"hello","more":[1,2]})"));
  for (const char* bad :
       {"", "[]", "1", "{", "{} {}", "{\"a\":nan}", "{\"a\":\"\xff\"}", "{'a':1}"})
    EXPECT_FALSE(parse_payload(bad)) << bad;
  const auto nested = [](int depth) {
    return "{\"a\":" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  EXPECT_TRUE(parse_payload(nested(kMaxJsonDepth - 1)));
  EXPECT_FALSE(parse_payload(nested(kMaxJsonDepth)));
  EXPECT_FALSE(parse_payload(nested(100000)));
}

TEST(Payload, MembersOfTheWrongKindAreAbsent) {
  const auto object = parse_payload(R"({"a":-1,"b":1.5,"c":"x","d":7,"e":true})").value();
  EXPECT_EQ(count_member(object, "a"), std::nullopt);
  EXPECT_EQ(count_member(object, "b"), std::nullopt);
  EXPECT_EQ(count_member(object, "c"), std::nullopt);
  EXPECT_EQ(count_member(object, "d"), 7u);
  EXPECT_EQ(count_member(object, "z"), std::nullopt);
  EXPECT_EQ(text_member(object, "c"), "x");
  EXPECT_EQ(text_member(object, "d"), "");
  EXPECT_TRUE(true_member(object, "e"));
  EXPECT_FALSE(true_member(object, "d"));
}

}  // namespace
}  // namespace lsmtuned::wire
