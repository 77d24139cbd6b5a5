// The agent preloaded into real, unmodified programs: our small host, db_bench, balboa-rocksdb,
// mariadbd with its own RocksDB, shells, statically linked ones.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/agent/test_daemon.h"

namespace lsmtuned::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Environment = std::map<std::string, std::string>;

constexpr const char* kAgent = LSMTUNED_TEST_AGENT;  // path of liblsmtuned_agent.so
constexpr const char* kHost = LSMTUNED_TEST_HOST;

// A child process with its output in a file; killed, at the latest, at the end of the scope.
class Process {
 public:
  Process(std::vector<std::string> arguments, Environment environment, std::string output)
      : output_(std::move(output)) {
    pid_ = fork();
    if (pid_ != 0) return;
    const int file = open(output_.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  ~Process() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { kill(pid_, number); }
  bool running() {
    if (pid_ <= 0) return false;
    if (waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
    return pid_ > 0;
  }
  // Exit status, or 256 + signal; -1 when it does not end in time.
  int wait(std::chrono::seconds patience = kPatience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (running()) {
      if (std::chrono::steady_clock::now() > until) return -1;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 256 + WTERMSIG(status_);
  }
  std::string output() const {
    std::ifstream file(output_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

 private:
  std::string output_;
  pid_t pid_ = -1;
  int status_ = 0;
};

bool installed(const std::string& program) {
  return fs::exists(program);
}

std::string text_of(const boost::json::value& message, const char* member) {
  const auto& text = message.at(member).as_string();
  return {text.data(), text.size()};
}

class PreloadTest : public ::testing::Test {
 protected:
  PreloadTest() : daemon_(dir_ / "agent.sock") {}

  Environment preloaded(Environment more = {}) const {
    Environment environment = {{"LD_PRELOAD", kAgent},
                               {"LSMTUNED_SOCKET", dir_ / "agent.sock"},
                               {"LSMTUNED_LOG", "stderr"}};
    for (const auto& [name, value] : more) environment[name] = value;
    return environment;
  }
  Process run(std::vector<std::string> arguments, Environment more = {}) {
    return Process(std::move(arguments), preloaded(std::move(more)),
                   dir_ / ("output-" + std::to_string(++runs_)));
  }
  Process host(const std::string& scenario, const std::string& seconds, Environment more = {}) {
    return run({kHost, scenario, dir_.path(), seconds}, std::move(more));
  }

  // The number of the first database whose path ends like this; waits for it to open.
  std::uint64_t database(const boost::json::object& hello, const std::string& ending) {
    for (const auto& candidate : hello.at("databases").as_array())
      if (text_of(candidate, "path").ends_with(ending))
        return candidate.at("db").to_number<std::uint64_t>();
    while (true) {
      const auto opened = daemon_.wait_type("opened");
      if (text_of(opened.at("database"), "path").ends_with(ending))
        return opened.at("database").at("db").to_number<std::uint64_t>();
    }
  }

  int flushes(std::uint64_t db) {
    return daemon_.observe(db).at("jobs").at("flushes").to_number<int>();
  }

  bool soon(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(milliseconds(50));
    }
    return true;
  }

  TempDir dir_;
  TestDaemon daemon_;
  int runs_ = 0;
};

TEST_F(PreloadTest, ProgramsWithoutRocksDbNeverNotice) {
  EXPECT_EQ(run({"/bin/true"}).wait(), 0);
  Process shell = run({"/bin/sh", "-c", "echo hello | cat; exit 3"});
  EXPECT_EQ(shell.wait(), 3);
  EXPECT_EQ(shell.output(), "hello\n");
  Process fixed = run({LSMTUNED_TEST_STATIC_HOST});
  EXPECT_EQ(fixed.wait(), 0);
  EXPECT_EQ(fixed.output(), "static\n");
}

TEST_F(PreloadTest, EveryWayOfOpeningForWritingIsSeen) {
  for (const char* scenario : {"write", "transaction", "optimistic", "ttl"}) {
    Process program = host(scenario, "1");
    const std::uint64_t db = database(daemon_.meet(), "/db");
    const auto seen = daemon_.observe(db);
    EXPECT_FALSE(seen.contains("error")) << scenario;
    EXPECT_EQ(family_setting(seen, "default", "write_buffer_size"), "4194304") << scenario;
    EXPECT_EQ(text_of(daemon_.apply(db, family_value("default", "write_buffer_size", "2097152")),
                      "status"),
              "ok")
        << scenario;
    EXPECT_EQ(program.wait(), 0) << scenario << program.output();
    fs::remove_all(dir_ / "db");
  }
}

TEST_F(PreloadTest, ReadOnlyOpensAreNotTouched) {
  ASSERT_EQ(host("write", "0.1", {{"LSMTUNED_DISABLE", "1"}}).wait(), 0);
  const auto listing = [&] {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_ / "db"))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  };
  const auto before = listing();
  Process program = host("read-only", "1");
  EXPECT_FALSE(daemon_.accept_within(milliseconds(1500)));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_THAT(program.output(), IsEmpty());
  EXPECT_EQ(listing(), before);
}

TEST_F(PreloadTest, SwitchedOffByTheEnvironment) {
  Process program = host("write", "1", {{"LSMTUNED_DISABLE", "yes"}});
  EXPECT_FALSE(daemon_.accept_within(milliseconds(1500)));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_THAT(program.output(), IsEmpty());
}

TEST_F(PreloadTest, AMissingImplementationIsSaidAndSurvived) {
  Process program = host("write", "0.2", {{"LSMTUNED_AGENT_DIR", dir_ / "nothing-here"}});
  EXPECT_EQ(program.wait(), 0);
  EXPECT_THAT(program.output(), HasSubstr("no implementation at"));
  Process silent =
      host("write", "0.2", {{"LSMTUNED_AGENT_DIR", dir_ / "nothing-here"}, {"LSMTUNED_LOG", ""}});
  EXPECT_EQ(silent.wait(), 0);
  EXPECT_THAT(silent.output(), IsEmpty()) << "the host's stderr stays clean unless asked";
}

TEST_F(PreloadTest, ABrokenImplementationIsSurvived) {
  std::ofstream(dir_ / "liblsmtuned_agent_rocksdb7.8.so") << "not a library";
  Process program = host("write", "0.2", {{"LSMTUNED_AGENT_DIR", dir_.path()}});
  EXPECT_EQ(program.wait(), 0);
  EXPECT_THAT(program.output(), HasSubstr("cannot be loaded"));
}

TEST_F(PreloadTest, AnotherRocksDbVersionPassesThrough) {
  Process program = run({LSMTUNED_TEST_OTHER_HOST});
  EXPECT_EQ(program.wait(), 0) << program.output();
  EXPECT_THAT(program.output(), HasSubstr("RocksDB 9.9"));
}

// The agent's counters need a few bytes of the space that the C library keeps for such libraries.
TEST_F(PreloadTest, WithoutSpaceForThreadLocalDataItPassesThroughAndSaysSo) {
  Process program = host("full-static-tls", "0.2");
  EXPECT_EQ(program.wait(), 0) << program.output();
  EXPECT_THAT(program.output(), HasSubstr("static TLS block"));
  EXPECT_THAT(program.output(), HasSubstr("cannot be loaded"));
  EXPECT_THAT(program.output(), HasSubstr("database left alone"));
  EXPECT_THAT(program.output(), Not(HasSubstr("attached to")));
}

TEST_F(PreloadTest, ADatabaseMayCloseInAStaticObjectsDestructor) {
  for (int round = 0; round < 3; ++round) {
    Process program = host("static-close", "0.2");
    EXPECT_EQ(program.wait(), 0) << program.output();
    EXPECT_THAT(program.output(), HasSubstr("attached to"));
  }
}

TEST_F(PreloadTest, NoDaemonIsNoTrouble) {
  Process program = host("write", "0.5", {{"LSMTUNED_SOCKET", dir_ / "no-such.sock"}});
  EXPECT_EQ(program.wait(), 0);
  Process long_path = host("write", "0.5", {{"LSMTUNED_SOCKET", std::string(300, 'x')}});
  EXPECT_EQ(long_path.wait(), 0);
}

TEST_F(PreloadTest, ExitWithoutClosingWhileCommandsRun) {
  for (int round = 0; round < 10; ++round) {
    Process program = host("exit", "0.3");
    const std::uint64_t db = database(daemon_.meet(), "/db");
    for (int i = 0; i < 200; ++i) {
      daemon_.send({{"type", "observe"}, {"seq", daemon_.next_seq()}, {"db", db}});
      daemon_.send(
          {{"type", "apply"},
           {"seq", daemon_.next_seq()},
           {"db", db},
           {"set", family_value("default", "write_buffer_size", std::to_string((i % 8 + 1) << 20))},
           {"deadline_s", 5},
           {"revert", false}});
    }
    EXPECT_EQ(program.wait(), 0) << "round " << round << program.output();
  }
}

TEST_F(PreloadTest, AForkedChildHasAnAgentOfItsOwn) {
  Process program = host("fork", "4");
  const auto parent = daemon_.meet();
  database(parent, "/parent");
  // The child is another process with another connection, and knows only its own database. The
  // parent's agent, hung up on here, comes back as well.
  auto child = daemon_.meet();
  for (int i = 0; i < 50 && child.at("pid") == parent.at("pid"); ++i) child = daemon_.meet();
  EXPECT_NE(parent.at("pid"), child.at("pid"));
  ASSERT_EQ(child.at("databases").as_array().size(), 1u);
  EXPECT_THAT(text_of(child.at("databases").at(0), "path"), ::testing::EndsWith("/child"));
  EXPECT_EQ(program.wait(), 0) << program.output();
}

TEST_F(PreloadTest, AForkedChildThatOnlyReadsHurtsNobody) {
  Process program = host("child-only", "1");
  database(daemon_.meet(), "/parent");
  EXPECT_EQ(program.wait(), 0) << program.output();
}

TEST_F(PreloadTest, ReopeningManyTimes) {
  Process program = host("reopen", "2");
  EXPECT_EQ(program.wait(), 0) << program.output();
}

TEST_F(PreloadTest, ACloseThatRocksDbRefusesLeavesTheAgentAttached) {
  Process program = host("snapshot-close", "2");
  const std::uint64_t db = database(daemon_.meet(), "/db");
  EXPECT_TRUE(soon([&] { return !daemon_.observe(db).contains("error"); }));
  EXPECT_EQ(
      text_of(daemon_.apply(db, family_value("default", "write_buffer_size", "2097152")), "status"),
      "ok");
  EXPECT_EQ(program.wait(), 0) << program.output();
}

TEST_F(PreloadTest, AKilledDaemonSideEndsInTheBaseline) {
  Process program = host("write", "30");
  const std::uint64_t db = database(daemon_.meet(1), "/db");
  ASSERT_EQ(
      text_of(daemon_.apply(db, family_value("default", "write_buffer_size", "2097152")), "status"),
      "ok");
  daemon_.hang_up();
  ASSERT_TRUE(soon([&] { return program.output().find("lease ran out") != std::string::npos; }));
  // The agent came back at once and waits in the backlog with what it said then.
  daemon_.meet(60);
  daemon_.hang_up();
  const auto hello = daemon_.meet(60);
  EXPECT_TRUE(hello.at("databases").at(0).at("ours").at("families").as_object().empty());
  EXPECT_EQ(family_setting(daemon_.observe(db), "default", "write_buffer_size"), "4194304");
  EXPECT_THAT(program.output(), HasSubstr("lease ran out"));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 256 + SIGTERM) << "signals reach the program as before";
}

// One of the counters that RocksDB keeps without statistics.
double database_counter(const boost::json::object& seen, const char* name) {
  return std::stod(text_of(seen.at("database").at("dbstats").as_object(), name));
}

TEST_F(PreloadTest, DbBenchReadChangeReadBackAndBehaviour) {
  if (!installed("/usr/bin/db_bench")) GTEST_SKIP() << "package rocksdb-tools is not installed";
  Process bench =
      run({"/usr/bin/db_bench", "--benchmarks=overwrite", "--num=1000000000", "--duration=120",
           "--value_size=1000", "--disable_wal=1", "--write_buffer_size=67108864",
           "--db=" + (dir_ / "db"), "--benchmark_write_rate_limit=20000000"});
  const std::uint64_t db = database(daemon_.meet(), "/db");
  EXPECT_EQ(family_setting(daemon_.observe(db), "default", "write_buffer_size"), "67108864");
  // Flushes for the bytes written, before and after: a 32nd of the buffer, so many more flushes.
  const auto sample = [&] {
    const auto seen = daemon_.observe(db);
    return std::pair(seen.at("jobs").at("flushes").to_number<double>(),
                     database_counter(seen, "db.user_bytes_written"));
  };
  const auto flushes_per_byte = [&](double bytes) {
    const auto begin = sample();
    auto end = begin;
    EXPECT_TRUE(soon([&] {
      end = sample();
      return end.second - begin.second >= bytes;
    }));
    return (end.first - begin.first) / (end.second - begin.second);
  };
  const double before = flushes_per_byte(100e6);
  const auto applied = daemon_.apply(db, family_value("default", "write_buffer_size", "2097152"));
  ASSERT_EQ(text_of(applied, "status"), "ok") << text_of(applied, "error");
  EXPECT_EQ(family_setting(daemon_.observe(db), "default", "write_buffer_size"), "2097152");
  const double after = flushes_per_byte(40e6);
  EXPECT_GT(after, 4 * before);
  bench.signal(SIGTERM);
  bench.wait();
}

int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(probe, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  close(probe);
  return ntohs(address.sin_port);
}

TEST_F(PreloadTest, BalboaUnderLoad) {
  if (!installed("/usr/bin/balboa-rocksdb"))
    GTEST_SKIP() << "package balboa-backend-rocksdb is not installed";
  if (!installed("/usr/bin/python3")) GTEST_SKIP() << "python3 is not installed";
  const std::string port = std::to_string(free_port());
  Process server =
      run({"/usr/bin/balboa-rocksdb", "-d", dir_ / "db", "-l", "127.0.0.1", "-p", port});
  const std::uint64_t db = database(daemon_.meet(), "/db");
  Process load({"/usr/bin/python3", LSMTUNED_TEST_BALBOA_LOAD, port, "60"}, {},
               dir_ / "load-output");
  const auto keys = [&] { return database_counter(daemon_.observe(db), "db.user_keys_written"); };
  ASSERT_TRUE(soon([&] { return keys() > 1000; })) << load.output() << server.output();
  ASSERT_EQ(family_setting(daemon_.observe(db), "default", "write_buffer_size"), "33554432");
  const int before = flushes(db);
  const auto applied = daemon_.apply(db, family_value("default", "write_buffer_size", "1048576"));
  ASSERT_EQ(text_of(applied, "status"), "ok") << text_of(applied, "error");
  EXPECT_EQ(family_setting(daemon_.observe(db), "default", "write_buffer_size"), "1048576");
  EXPECT_TRUE(soon([&] { return flushes(db) >= before + 4; })) << load.output();
  EXPECT_TRUE(server.running());
  load.signal(SIGKILL);
  server.signal(SIGTERM);
  server.wait();
}

TEST_F(PreloadTest, MariadbWithItsOwnRocksDbIsUnharmed) {
  if (!installed("/usr/sbin/mariadbd") || !installed("/usr/lib/mysql/plugin/ha_rocksdb.so"))
    GTEST_SKIP() << "packages mariadb-server and mariadb-plugin-rocksdb are not installed";
  const bool root = geteuid() == 0;
  if (root) {
    fs::permissions(dir_.path(), fs::perms::all);
  }
  std::vector<std::string> install = {"mariadb-install-db", "--no-defaults",
                                      "--datadir=" + (dir_ / "data"),
                                      "--auth-root-authentication-method=normal", "--skip-test-db"};
  if (root) install.emplace_back("--user=mysql");
  Process installing(install, {}, dir_ / "install-output");
  ASSERT_EQ(installing.wait(std::chrono::seconds(120)), 0) << installing.output();
  std::vector<std::string> command = {"/usr/sbin/mariadbd",
                                      "--no-defaults",
                                      "--datadir=" + (dir_ / "data"),
                                      "--socket=" + (dir_ / "my.sock"),
                                      "--pid-file=" + (dir_ / "my.pid"),
                                      "--skip-networking",
                                      "--plugin-load-add=ha_rocksdb.so",
                                      "--innodb-buffer-pool-size=32M",
                                      "--performance-schema=OFF"};
  if (root) command.emplace_back("--user=mysql");
  Process server = run(command);
  const auto sql = [&](const std::string& statement) {
    Process client(
        {"mariadb", "--no-defaults", "-S", dir_ / "my.sock", "-uroot", "-N", "-e", statement}, {},
        dir_ / "client-output");
    const int status = client.wait();
    return std::pair(status, client.output());
  };
  ASSERT_TRUE(soon([&] { return !server.running() || sql("SELECT 1").first == 0; }));
  ASSERT_TRUE(server.running()) << server.output();
  const auto result = sql(
      "CREATE DATABASE d; USE d; CREATE TABLE kv (k CHAR(32) PRIMARY KEY, v VARCHAR(250)) "
      "ENGINE=ROCKSDB; INSERT INTO kv SELECT MD5(seq), REPEAT(SHA1(seq),5) FROM seq_1_to_20000; "
      "SET GLOBAL rocksdb_force_flush_memtable_now=1; SELECT COUNT(*) FROM kv;");
  EXPECT_EQ(result.first, 0) << result.second << server.output();
  EXPECT_EQ(result.second, "20000\n");
  EXPECT_FALSE(daemon_.accept_within(milliseconds(500))) << "not a RocksDB that we know";
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0) << server.output();
}

}  // namespace
}  // namespace lsmtuned::testing
