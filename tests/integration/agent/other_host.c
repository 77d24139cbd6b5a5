/* Uses the library with another RocksDB version's name. */
int other_rocksdb_run(void);

int main(void) {
  return other_rocksdb_run();
}
