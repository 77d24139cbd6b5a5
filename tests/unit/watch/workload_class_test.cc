#include "model/watch/workload_class.h"

#include <gtest/gtest.h>

#include "tests/unit/estimate/plant.h"

namespace lsmtuned::model {
namespace {

// A load by its rates per second; compactions take `rewritten` records for each one written.
struct Load {
  double puts = 0;
  double reads = 0;
  double dropped = 0;  // for each record written
  double rewritten = 5;
  double moved = 0;  // share of the bytes that leave a level
};

struct Database {
  Snapshot snapshot = testing::Plant().now();
  WorkloadWatch watched;

  void run(const Load& load, double minutes) {
    for (int i = 0; i < minutes * 60; ++i) {
      Snapshot next = snapshot;
      next.time_s += 1;
      next.database_uptime_s += 1;
      next.counters.keys_written += load.puts;
      next.counters.user_bytes += 1000 * load.puts;
      next.counters.reads += load.reads;
      LevelStats& level = next.families[0].levels[1];
      level.keys_in += (1 - load.moved) * load.rewritten * load.puts;
      level.keys_dropped += load.dropped * load.puts;
      level.read_from_upper_bytes += (1 - load.moved) * 1000 * load.puts;
      level.moved_bytes += load.moved * 1000 * load.puts;
      watch(watched, snapshot, next);
      snapshot = next;
    }
  }
};

WorkloadClass class_of(const Load& load) {
  Database database;
  database.run(load, 10);
  return database.watched.workload;
}

TEST(WorkloadClass, IsNamedFromWhatIsMeasured) {
  EXPECT_EQ(class_of({}), WorkloadClass::idle);
  EXPECT_EQ(class_of({.puts = 5000}), WorkloadClass::random_load);
  EXPECT_EQ(class_of({.puts = 5000, .dropped = 0.9}), WorkloadClass::overwrite);
  EXPECT_EQ(class_of({.puts = 5000, .moved = 0.95}), WorkloadClass::sequential_load);
  EXPECT_EQ(class_of({.puts = 5000, .reads = 5000, .dropped = 0.9}),
            WorkloadClass::update_with_reads);
  EXPECT_EQ(class_of({.puts = 5000, .reads = 5000}), WorkloadClass::mixed);
  EXPECT_EQ(class_of({.puts = 500, .reads = 50000}), WorkloadClass::read_mostly);
  // Nothing was compacted yet.
  EXPECT_EQ(class_of({.puts = 5000, .rewritten = 0}), WorkloadClass::unknown);
}

TEST(WorkloadClass, AMomentDoesNotChangeIt) {
  Database database;
  database.run({.puts = 5000, .dropped = 0.9}, 20);
  database.run({.puts = 500, .reads = 100000}, 0.5);
  database.run({.puts = 5000, .dropped = 0.9}, 20);
  EXPECT_EQ(database.watched.workload, WorkloadClass::overwrite);
  database.run({.puts = 500, .reads = 100000}, 20);
  EXPECT_EQ(database.watched.workload, WorkloadClass::read_mostly);
}

TEST(WorkloadClass, OnlyNamedOnesDiffer) {
  EXPECT_TRUE(different(WorkloadClass::overwrite, WorkloadClass::mixed));
  EXPECT_FALSE(different(WorkloadClass::overwrite, WorkloadClass::overwrite));
  EXPECT_FALSE(different(WorkloadClass::overwrite, WorkloadClass::idle));
  EXPECT_FALSE(different(WorkloadClass::unknown, WorkloadClass::mixed));
}

}  // namespace
}  // namespace lsmtuned::model
