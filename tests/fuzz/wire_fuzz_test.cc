// Mutated bytes and messages into the frame decoder, the observation parser and a running agent
// server: nothing may crash, hang or be accepted that the protocol forbids.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "actuators/agent_server.h"
#include "actuators/observation.h"
#include "actuators/wire/frame.h"
#include "actuators/wire/json.h"
#include "fake_agent.h"
#include "support.h"

namespace lsmtuned::actuators {
namespace {

namespace json = boost::json;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = getenv(name);
  return text == nullptr ? otherwise : strtoull(text, nullptr, 10);
}

class Fuzz : public ::testing::Test {
 protected:
  Fuzz() { std::cout << "LSMTUNED_FUZZ_SEED=" << seed_ << std::endl; }

  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

  std::uint64_t iterations(std::uint64_t usual) {
    return number_from_environment("LSMTUNED_FUZZ_ITERATIONS", usual);
  }

  std::string mutated(std::string bytes) {
    const std::size_t changes = 1 + below(4);
    for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
      const std::size_t at = below(bytes.size());
      const std::size_t size = std::min(bytes.size() - at, 1 + below(16));
      switch (below(6)) {
        case 0:
          bytes[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes.erase(at, size);
          break;
        case 2:
          bytes.insert(at, bytes.substr(below(bytes.size()), size));
          break;
        case 3:
          bytes.insert(at, size, static_cast<char>(random_()));
          break;
        case 4:
          bytes.resize(at);
          break;
        default:
          std::swap(bytes[at], bytes[below(bytes.size())]);
      }
    }
    return bytes;
  }

  json::value odd_value() {
    static const std::vector<json::value> kOdd = {nullptr,
                                                  true,
                                                  -1,
                                                  0,
                                                  1e308,
                                                  -0.5,
                                                  UINT64_MAX,
                                                  INT64_MIN,
                                                  "",
                                                  "nan",
                                                  "-inf",
                                                  "1e400",
                                                  "0x10",
                                                  "12 parsecs",
                                                  "-1",
                                                  "99999999999999999999",
                                                  json::array(),
                                                  json::object(),
                                                  json::array{1, "x", nullptr},
                                                  json::object{{"", {}}}};
    return kOdd[below(kOdd.size())];
  }

  // Replaces, removes or renames something at a random place of the tree.
  void mutate(json::value& value) {
    if (value.is_object() && !value.get_object().empty() && below(8) != 0) {
      auto& object = value.get_object();
      const auto at = object.begin() + static_cast<std::ptrdiff_t>(below(object.size()));
      switch (below(6)) {
        case 0:
          object.erase(at);
          return;
        case 1: {
          const json::value moved = at->value();
          const std::string name = mutated(std::string(at->key()));
          object.erase(at);
          object[name] = moved;
          return;
        }
        default:
          return mutate(at->value());
      }
    }
    if (value.is_array() && !value.get_array().empty() && below(8) != 0)
      return mutate(value.get_array()[below(value.get_array().size())]);
    value = odd_value();
  }

  const std::uint64_t seed_ = number_from_environment("LSMTUNED_FUZZ_SEED", 20240917);
  std::mt19937_64 random_{seed_};
  const std::string observation_ =
      read_file(std::string(ACTUATORS_TEST_DATA) + "/observation.json");
};

TEST_F(Fuzz, FrameDecoderKeepsItsBounds) {
  std::uint64_t whole = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < iterations(2000); ++i) {
    std::string stream;
    for (std::size_t frames = 1 + below(4); frames > 0; --frames)
      stream +=
          wire::encode_frame(std::string(1 + below(300), static_cast<char>(random_()))).value();
    stream = mutated(std::move(stream));
    wire::FrameDecoder decoder;
    std::size_t taken = 0;
    const std::size_t total = stream.size();
    bool broken = false;
    while (!stream.empty()) {
      const std::size_t size = std::min(stream.size(), 1 + below(100));
      decoder.feed(std::string_view(stream).substr(0, size));
      stream.erase(0, size);
      while (true) {
        auto frame = decoder.next();
        broken = broken || !frame;
        if (!frame || !*frame) break;
        ASSERT_FALSE(broken) << "a broken stream must stay broken; iteration " << i;
        ASSERT_FALSE((*frame)->empty());
        ASSERT_LE((*frame)->size(), wire::kMaxFrameBytes);
        taken += (*frame)->size() + 4;
        ++whole;
        wire::parse_payload(**frame);
      }
    }
    if (broken) ++refused;
    ASSERT_LE(taken, total) << "iteration " << i;
  }
  EXPECT_GT(whole, refused) << "mutations this wild test little";
  EXPECT_GT(refused, 0u);
}

// Either an error that says something, or a snapshot in which every number is usable.
TEST_F(Fuzz, ObservationIsSoundOrRefused) {
  const json::value original = json::parse(observation_);
  std::uint64_t accepted = 0;
  const std::uint64_t total = iterations(1500);
  for (std::uint64_t i = 0; i < total; ++i) {
    json::value body = original;
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) mutate(body);
    if (!body.is_object()) continue;
    const auto snapshot = parse_observation(body.get_object());
    if (!snapshot) {
      ASSERT_NE(snapshot.error().what, "") << "iteration " << i;
      continue;
    }
    ++accepted;
    ASSERT_FALSE(snapshot->families.empty());
    const auto& counters = snapshot->counters;
    for (const double number :
         {snapshot->database_uptime_s, counters.user_bytes, counters.batch_bytes,
          counters.keys_written, counters.stall_seconds, counters.compaction_write_bytes,
          snapshot->state.delayed_write_rate, snapshot->families[0].pending_compaction_bytes}) {
      ASSERT_TRUE(std::isfinite(number)) << "iteration " << i;
      ASSERT_GE(number, 0) << "iteration " << i;
    }
  }
  EXPECT_GT(accepted, 0u) << "mutations this wild test nothing behind the first check";
  EXPECT_LT(accepted, total);
}

TEST_F(Fuzz, ObservationTextMutatedByteByByte) {
  for (std::uint64_t i = 0; i < iterations(300); ++i) {
    const auto body = wire::parse_payload(mutated(observation_));
    if (body) parse_observation(*body);
  }
}

TEST_F(Fuzz, AgentServerSurvivesAnything) {
  const TempDir directory;
  Loop loop;
  AgentServerOptions options;
  options.socket_path = directory / "agent.sock";
  std::size_t found = 0;
  std::size_t lost = 0;
  const model::ChangeSet change = {{"default", model::Knob::write_buffer_size, 1, 2}};
  AgentServer::Callbacks callbacks;
  callbacks.found = [&](const std::shared_ptr<Target>& target) {
    ++found;
    // Requests wait while the connection falls apart.
    boost::asio::co_spawn(
        loop.executor(),
        [target, change]() -> boost::asio::awaitable<void> {
          co_await target->observe(std::chrono::milliseconds(2000));
          co_await target->apply(change, false, std::chrono::milliseconds(2000), nullptr);
        },
        boost::asio::detached);
  };
  callbacks.lost = [&](const std::shared_ptr<Target>&, const std::string&) { ++lost; };
  auto server = loop.on_loop([&] {
    auto made = std::make_unique<AgentServer>(loop.executor(), options, callbacks);
    EXPECT_TRUE(made->start());
    return made;
  });

  const json::object hello = {{"type", "hello"},
                              {"protocol", wire::kProtocolVersion},
                              {"agent", "0"},
                              {"pid", 1},
                              {"executable", "/x"},
                              {"rocksdb", "7.8.3"},
                              {"databases", {FakeAgent::database(1, "/data/one")}}};
  json::object observation = json::parse(observation_).as_object();
  observation["type"] = "observation";
  observation["seq"] = 1;
  const std::vector<json::object> messages = {
      hello,
      observation,
      {{"type", "opened"}, {"database", FakeAgent::database(2, "/data/two")}},
      {{"type", "closed"}, {"db", 1}},
      {{"type", "applied"}, {"seq", 2}, {"db", 1}, {"status", "ok"}, {"values", {}}},
      {{"type", "applied"}, {"seq", 2}, {"db", 1}, {"status", "pending"}},
      {{"type", "lease_expired"}, {"db", 1}, {"status", "ok"}, {"values", {}}},
      {{"type", "error"}, {"seq", 1}, {"error", "no"}}};
  for (std::uint64_t i = 0; i < iterations(300); ++i) {
    FakeAgent agent(options.socket_path);
    ASSERT_TRUE(agent.connected()) << "the server is gone; iteration " << i;
    if (below(4) != 0) agent.send(hello);
    for (std::size_t count = 1 + below(5); count > 0; --count) {
      json::value message = messages[below(messages.size())];
      if (below(2) == 0) mutate(message);
      std::string bytes = json::serialize(message);
      if (below(3) == 0) bytes = mutated(std::move(bytes));
      std::string frame = wire::encode_frame(bytes.empty() ? " " : bytes).value();
      if (below(6) == 0) frame = mutated(std::move(frame));
      agent.send_bytes(frame);
    }
  }

  // Still at work: a well-behaved agent is welcomed.
  FakeAgent last(options.socket_path);
  last.send(hello);
  EXPECT_EQ(last.receive("welcome").at("protocol"), wire::kProtocolVersion);
  last.disconnect();
  EXPECT_TRUE(eventually([&] { return loop.on_loop([&] { return found > 0 && found == lost; }); }));
  loop.on_loop([&] { server.reset(); });
  loop.finish();
}

}  // namespace
}  // namespace lsmtuned::actuators
