#include <gtest/gtest.h>

#include "tests/integration/rocksdb_facts/child_process.h"

int main(int argc, char** argv) {
  const int child = lsmtuned::facts::child_main(argc, argv);
  if (child >= 0) return child;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
