#include "actuators/embedded_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "support.h"

namespace lsmtuned::actuators {
namespace {

using model::Knob;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kLong{30000};
const model::ChangeSet kGrow = {{"default", Knob::write_buffer_size, 4194304, 16777216}};

class EmbeddedTargetTest : public ::testing::Test {
 protected:
  EmbeddedTargetTest() {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = 4194304;
    rocksdb::DB* db = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, path_, &db).ok());
    rocksdb::ColumnFamilyHandle* family = nullptr;
    EXPECT_TRUE(db->CreateColumnFamily(options, "events", &family).ok());
    for (int i = 0; i < 1000; ++i)
      EXPECT_TRUE(db->Put({}, std::to_string(i), std::string(100, 'v')).ok());
    EXPECT_TRUE(db->Flush({}).ok());
    EXPECT_TRUE(db->DestroyColumnFamilyHandle(family).ok());
    delete db;
  }
  ~EmbeddedTargetTest() override { release(); }

  Result<std::shared_ptr<Target>> open() {
    EmbeddedOptions options;
    options.name = "mine";
    options.path = path_;
    options.lease_expired = [this](const std::shared_ptr<Target>&) { ++expired_; };
    return open_embedded_target(loop_.executor(), workers_, options);
  }
  void release() {
    if (target_) loop_.on_loop([this] { target_.reset(); });
  }
  double write_buffer() {
    return loop_.run(target_->observe(kLong))
        .value()
        .settings.get("default", Knob::write_buffer_size)
        .value();
  }
  ApplyReport apply(const model::ChangeSet& changes) {
    return loop_.run(target_->apply(changes, false, kLong, nullptr));
  }

  // What RocksDB itself wrote down after the last options call.
  std::string newest_options() {
    std::string newest;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      const std::string name = entry.path().filename();
      if (name.starts_with("OPTIONS-") && !name.ends_with(".dbtmp"))
        newest = std::max(newest, name);
    }
    return read_file(path_ + "/" + newest);
  }

  TempDir directory_;
  std::string path_ = directory_ / "db";
  boost::asio::thread_pool workers_{2};
  Loop loop_;
  std::atomic<int> expired_ = 0;
  std::shared_ptr<Target> target_;
};

TEST_F(EmbeddedTargetTest, ObservesEveryFamily) {
  target_ = open().value();
  EXPECT_EQ(target_->info().name, "mine");
  EXPECT_EQ(target_->info().kind, "embedded");
  EXPECT_NE(target_->info().database_id, "");
  EXPECT_EQ(target_->info().statistics, "counters");
  const auto first = loop_.run(target_->observe(kLong)).value();
  EXPECT_EQ(first.families.size(), 2u);
  EXPECT_EQ(first.families[0].levels[0].files, 1);
  const auto second = loop_.run(target_->observe(kLong)).value();
  EXPECT_EQ(model::refuse_reason(&first, second), "");
}

TEST_F(EmbeddedTargetTest, AppliesReadsBackAndRestores) {
  target_ = open().value();
  const auto report = apply(kGrow);
  EXPECT_EQ(report.status, ApplyStatus::ok) << report.error;
  EXPECT_EQ(report.applied, kGrow);
  EXPECT_EQ(write_buffer(), 16777216);
  EXPECT_EQ(loop_.run(target_->attachment(kLong)).value().ours, kGrow);
  EXPECT_EQ(loop_.run(target_->restore(false, kLong, nullptr)).applied, model::reversed(kGrow));
  EXPECT_EQ(write_buffer(), 4194304);
}

TEST_F(EmbeddedTargetTest, LethalValuesAreNotSent) {
  target_ = open().value();
  const auto report = apply({{"default", Knob::level0_stop_writes_trigger, 36, 2}});
  EXPECT_EQ(report.status, ApplyStatus::not_sent);
  EXPECT_NE(report.error, "");
}

TEST_F(EmbeddedTargetTest, BaselineComesBackWhenHeartbeatsStop) {
  target_ = open().value();
  loop_.on_loop([this] { target_->heartbeat(milliseconds(300)); });
  ASSERT_EQ(apply(kGrow).status, ApplyStatus::ok);
  EXPECT_TRUE(eventually([this] { return expired_ == 1; }));
  EXPECT_EQ(write_buffer(), 4194304);
  EXPECT_TRUE(loop_.run(target_->attachment(kLong)).value().ours.empty());
}

// The loop hangs; the lease must not depend on it.
TEST_F(EmbeddedTargetTest, BaselineComesBackWithAHungLoop) {
  target_ = open().value();
  loop_.on_loop([this] { target_->heartbeat(milliseconds(300)); });
  ASSERT_EQ(apply(kGrow).status, ApplyStatus::ok);
  loop_.on_loop([this] {
    EXPECT_TRUE(eventually([this] {
      return newest_options().find("write_buffer_size=16777216") == std::string::npos;
    }));
  });
  EXPECT_EQ(write_buffer(), 4194304);
}

TEST_F(EmbeddedTargetTest, KeptValuesStay) {
  target_ = open().value();
  loop_.on_loop([this] { target_->heartbeat(milliseconds(300)); });
  ASSERT_EQ(apply(kGrow).status, ApplyStatus::ok);
  EXPECT_TRUE(loop_.run(target_->keep_without_lease(kLong)));
  std::this_thread::sleep_for(milliseconds(900));
  EXPECT_EQ(write_buffer(), 16777216);
  release();
  target_ = open().value();
  EXPECT_EQ(write_buffer(), 16777216);
}

TEST_F(EmbeddedTargetTest, ClosingPutsTheBaselineBack) {
  target_ = open().value();
  ASSERT_EQ(apply(kGrow).status, ApplyStatus::ok);
  release();
  target_ = open().value();
  EXPECT_EQ(write_buffer(), 4194304);
}

TEST_F(EmbeddedTargetTest, EveryOpenIsAnIncarnation) {
  target_ = open().value();
  const auto first = target_->info().incarnation;
  release();
  target_ = open().value();
  EXPECT_NE(target_->info().incarnation, first);
}

TEST_F(EmbeddedTargetTest, AdoptedValueIsNotPutBack) {
  target_ = open().value();
  ASSERT_EQ(apply(kGrow).status, ApplyStatus::ok);
  EXPECT_TRUE(loop_.run(target_->adopt(kGrow, kLong)));
  EXPECT_TRUE(loop_.run(target_->restore(false, kLong, nullptr)).applied.empty());
  EXPECT_EQ(write_buffer(), 16777216);
}

TEST_F(EmbeddedTargetTest, OpenElsewhereIsAnErrorWithARemedy) {
  target_ = open().value();
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().remedy, HasSubstr("attach the agent"));
}

TEST_F(EmbeddedTargetTest, NoDatabaseThereIsAnError) {
  EmbeddedOptions options;
  options.path = directory_ / "nothing";
  EXPECT_FALSE(open_embedded_target(loop_.executor(), workers_, options));
  EXPECT_FALSE(std::filesystem::exists(options.path + "/CURRENT"));
}

}  // namespace
}  // namespace lsmtuned::actuators
