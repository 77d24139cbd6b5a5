#include "tests/integration/rocksdb_facts/live_database.h"

#include <cstdlib>
#include <random>
#include <stdexcept>
#include <utility>

namespace lsmtuned::facts {
namespace {

std::string noise(std::size_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random() & 0xff);
  return text;
}

rocksdb::Options with_gate(rocksdb::Options options, const std::shared_ptr<Gate>& gate) {
  options.listeners.push_back(gate);
  return options;
}

rocksdb::Options stopped_options() {
  rocksdb::Options options = small_options();
  options.max_write_buffer_number = 2;
  return options;
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "lsmtuned-facts-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Gate::hold_flushes(bool hold) {
  const std::lock_guard lock(mutex_);
  hold_flushes_ = hold;
  changed_.notify_all();
}

void Gate::hold_compactions(bool hold) {
  const std::lock_guard lock(mutex_);
  hold_compactions_ = hold;
  changed_.notify_all();
}

bool Gate::flush_held() {
  const std::lock_guard lock(mutex_);
  return flushes_waiting_ > 0;
}

bool Gate::compaction_held() {
  const std::lock_guard lock(mutex_);
  return compactions_waiting_ > 0;
}

void Gate::wait(const bool& held, int& waiting) {
  std::unique_lock lock(mutex_);
  ++waiting;
  changed_.wait(lock, [&] { return !held; });
  --waiting;
}

void Gate::OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) {
  wait(hold_flushes_, flushes_waiting_);
}

void Gate::OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo&) {
  wait(hold_compactions_, compactions_waiting_);
}

LiveDatabase::LiveDatabase(rocksdb::Options options) : gate_(std::make_shared<Gate>()) {
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(with_gate(std::move(options), gate_), directory_.path(), &raw);
  if (!status.ok()) throw std::runtime_error("open: " + status.ToString());
  db_.reset(raw);
}

LiveDatabase::~LiveDatabase() {
  gate_->hold_flushes(false);
  gate_->hold_compactions(false);
}

rocksdb::Status LiveDatabase::set(const OptionTexts& options) {
  return db_->SetOptions(options);
}

rocksdb::Status LiveDatabase::set_database(const OptionTexts& options) {
  return db_->SetDBOptions(options);
}

std::uint64_t LiveDatabase::integer(const std::string& property) {
  std::uint64_t value = 0;
  if (!db_->GetIntProperty("rocksdb." + property, &value))
    throw std::runtime_error("no property " + property);
  return value;
}

std::map<std::string, std::string> LiveDatabase::map(const std::string& property) {
  std::map<std::string, std::string> values;
  if (!db_->GetMapProperty("rocksdb." + property, &values))
    throw std::runtime_error("no map " + property);
  return values;
}

std::uint64_t LiveDatabase::io_stalls(const std::string& name) {
  return std::stoull(map("cfstats").at("io_stalls." + name));
}

std::uint64_t LiveDatabase::l0_files() {
  std::string text;
  if (!db_->GetProperty("rocksdb.num-files-at-level0", &text))
    throw std::runtime_error("no num-files-at-level0");
  return std::stoull(text);
}

rocksdb::Status LiveDatabase::put(std::size_t value_bytes) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const std::uint64_t key = next_key_++;
  return db_->Put(options, "key" + std::to_string(key), noise(value_bytes, key));
}

void LiveDatabase::make_l0_file() {
  rocksdb::FlushOptions options;
  options.allow_write_stall = true;
  rocksdb::Status status = put();
  if (status.ok()) status = db_->Flush(options);
  if (!status.ok()) throw std::runtime_error("flush: " + status.ToString());
}

rocksdb::Options small_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = std::size_t{64} << 10;
  options.compression = rocksdb::kNoCompression;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.max_background_jobs = 4;
  return options;
}

std::unique_ptr<LiveDatabase> delayed_database() {
  rocksdb::Options options = small_options();
  options.level0_file_num_compaction_trigger = 4;
  options.level0_slowdown_writes_trigger = 4;
  options.level0_stop_writes_trigger = 60;
  auto live = std::make_unique<LiveDatabase>(options);
  live->gate().hold_compactions(true);
  for (int file = 0; file < 4; ++file) live->make_l0_file();
  if (!eventually([&] { return live->gate().compaction_held(); }))
    throw std::runtime_error("no compaction began");
  return live;
}

StoppedDatabase::StoppedDatabase() : live_(stopped_options()) {
  live_.gate().hold_flushes(true);
  writer_ = std::thread([this] {
    for (int i = 0; i < 64; ++i) (void)live_.put();
    writer_returned_ = true;
  });
  if (!eventually([this] { return stopped() && live_.gate().flush_held(); })) {
    release();
    writer_.join();
    throw std::runtime_error("writes did not stop");
  }
}

StoppedDatabase::~StoppedDatabase() {
  release();
  writer_.join();
}

void StoppedDatabase::release() {
  live_.gate().hold_flushes(false);
}

}  // namespace lsmtuned::facts
