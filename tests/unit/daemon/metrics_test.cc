#include "daemon/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "tests/unit/daemon/temp_dir.h"

namespace lsmtuned::daemon {
namespace {

using controller::Decision;
using controller::DecisionStatus;
using ::testing::HasSubstr;
using ::testing::Not;

// Every series of an exposition: `name{labels}` to value.
std::map<std::string, double> series(const std::string& text) {
  std::map<std::string, double> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto space = line.rfind(' ');
    const bool fresh =
        found.emplace(line.substr(0, space), std::strtod(line.c_str() + space, nullptr)).second;
    EXPECT_TRUE(fresh) << "twice: " << line;
  }
  return found;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (const auto& [name, value] : series(text)) {
    if (name.find(part) != std::string::npos) ++count;
  }
  return count;
}

controller::State make_state() {
  controller::State state;
  state.target = "main";
  state.attached = true;
  state.phase = controller::Phase::verifying;
  state.policy.mode = config::Mode::tune;
  model::Prediction prediction;
  prediction.put_bytes_per_s = 3e7;
  prediction.low_bytes_per_s = 2e7;
  prediction.high_bytes_per_s = 4e7;
  state.current_prediction = prediction;
  prediction.put_bytes_per_s = 1e7;
  state.current_settled = prediction;
  state.prediction_error_known = true;
  state.prediction_error = 0.1;
  state.workload.workload = model::WorkloadClass::overwrite;
  return state;
}

model::Snapshot make_snapshot(int families = 1) {
  model::Snapshot snapshot;
  snapshot.target = "main";
  snapshot.time_s = 100;
  for (int i = 0; i < families; ++i) {
    model::FamilySnapshot family;
    family.name = i == 0 ? "default" : "family" + std::to_string(i);
    family.id = static_cast<std::uint32_t>(i);
    family.levels.resize(7);
    family.levels[0].files = 5;
    family.levels[1].size_bytes = 1000;
    family.pending_compaction_bytes = 77;
    family.immutable_memtables = 2;
    snapshot.families.push_back(family);
    snapshot.settings.families[family.name].set(model::Knob::write_buffer_size, 4194304);
  }
  snapshot.settings.database.set(model::Knob::max_background_jobs, 2);
  model::DeviceSample device;
  device.pressure_some_seconds = 10;
  device.free_bytes = 5e9;
  snapshot.device = device;
  return snapshot;
}

model::Interval make_interval() {
  model::Interval interval;
  interval.valid = true;
  interval.seconds = 1;
  interval.put_bytes_per_s = 1e7;
  interval.put_ops_per_s = 1e4;
  interval.stall_share = 0.25;
  interval.write_amplification = 6;
  interval.read_amplification = 4;
  interval.device_write_bytes_per_s = 6e7;
  interval.device_read_bytes_per_s = 4e7;
  interval.device_busy_share = 0.9;
  return interval;
}

Decision make_decision(std::uint64_t id, DecisionStatus status, const std::string& reason) {
  Decision decision;
  decision.id = id;
  decision.target = "main";
  decision.kind = controller::DecisionKind::proposal;
  decision.status = status;
  decision.reason = reason;
  return decision;
}

// The rules of the text format and of metric naming.
void lint(const std::string& text) {
  std::set<std::string> help;
  std::map<std::string, std::string> type;
  std::string present;
  const std::regex series_line(
      R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\"n])*",?)*\})? )"
      R"((NaN|[+-]Inf|[-+0-9.eE]+))");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, keyword, name, rest;
    words >> hash >> keyword >> name;
    std::getline(words, rest);
    if (line.rfind("# HELP ", 0) == 0) {
      EXPECT_TRUE(help.insert(name).second) << "two HELP: " << line;
      EXPECT_GT(rest.size(), 2u) << line;
      present = name;
      continue;
    }
    if (line.rfind("# TYPE ", 0) == 0) {
      EXPECT_TRUE(type.emplace(name, rest.substr(1)).second) << "two TYPE: " << line;
      EXPECT_EQ(name, present);
      continue;
    }
    std::smatch match;
    ASSERT_TRUE(std::regex_match(line, match, series_line)) << line;
    std::string family = match[1];
    if (type[present] == "histogram") {
      family = std::regex_replace(family, std::regex("_(bucket|sum|count)$"), "");
    }
    EXPECT_EQ(family, present) << "series outside its family: " << line;
  }
  for (const auto& [name, kind] : type) {
    EXPECT_EQ(help.count(name), 1u) << name;
    EXPECT_TRUE(name.rfind("lsmtuned_", 0) == 0 || name.rfind("process_", 0) == 0) << name;
    EXPECT_EQ(kind == "counter", std::regex_search(name, std::regex("_total$"))) << name;
    EXPECT_FALSE(std::regex_search(
        name, std::regex("_(ms|micros|milliseconds|mib|kib|mb|kb|percent|minutes)(_|$)")))
        << name << " is not in base units";
    EXPECT_TRUE(std::regex_match(name, std::regex("[a-z][a-z0-9_]*"))) << name;
  }
  EXPECT_GT(type.size(), 30u);
}

TEST(Metrics, SeriesExistAtZeroFromTheFirstAttach) {
  Metrics metrics;
  metrics.target_seen("main");
  const auto found = series(metrics.text());
  for (const char* name :
       {"lsmtuned_put_bytes_per_second{db=\"main\"}", "lsmtuned_stall_ratio{db=\"main\"}",
        "lsmtuned_reverts_total{db=\"main\"}",
        "lsmtuned_polls_total{db=\"main\",result=\"failed\"}",
        "lsmtuned_lease_expirations_total{db=\"main\"}", "lsmtuned_history_errors_total",
        "lsmtuned_phase{db=\"main\",phase=\"observing\"}",
        "lsmtuned_l0_files{db=\"main\",family=\"default\"}"}) {
    ASSERT_EQ(found.count(name), 1u) << name;
    EXPECT_EQ(found.at(name), 0) << name;
  }
}

TEST(Metrics, ShowsWhatTheLoopKnows) {
  Metrics metrics;
  metrics.update(make_state(), make_snapshot(), make_interval());
  auto later = make_snapshot();
  later.time_s += 10;
  later.device->pressure_some_seconds += 4;
  metrics.update(make_state(), later, make_interval());
  const auto found = series(metrics.text());
  EXPECT_EQ(found.at("lsmtuned_put_bytes_per_second{db=\"main\"}"), 1e7);
  EXPECT_EQ(found.at("lsmtuned_predicted_put_bytes_per_second{db=\"main\"}"), 3e7);
  EXPECT_EQ(found.at("lsmtuned_predicted_put_low_bytes_per_second{db=\"main\"}"), 2e7);
  EXPECT_EQ(found.at("lsmtuned_predicted_put_high_bytes_per_second{db=\"main\"}"), 4e7);
  EXPECT_EQ(found.at("lsmtuned_predicted_settled_put_bytes_per_second{db=\"main\"}"), 1e7);
  EXPECT_EQ(found.at("lsmtuned_stall_ratio{db=\"main\"}"), 0.25);
  EXPECT_EQ(found.at("lsmtuned_write_amplification_ratio{db=\"main\"}"), 6);
  EXPECT_EQ(found.at("lsmtuned_device_busy_ratio{db=\"main\"}"), 0.9);
  EXPECT_NEAR(found.at("lsmtuned_device_pressure_ratio{db=\"main\"}"), 0.4, 1e-9);
  EXPECT_NEAR(found.at("lsmtuned_device_utilisation_v4_ratio{db=\"main\"}"), 0.1, 1e-9);
  EXPECT_EQ(found.at("lsmtuned_l0_files{db=\"main\",family=\"default\"}"), 5);
  EXPECT_EQ(found.at("lsmtuned_level_bytes{db=\"main\",level=\"1\"}"), 1000);
  EXPECT_EQ(found.at("lsmtuned_setting{db=\"main\",family=\"default\",knob=\"write_buffer_size\"}"),
            4194304);
  EXPECT_EQ(found.at("lsmtuned_setting{db=\"main\",family=\"\",knob=\"max_background_jobs\"}"), 2);
  EXPECT_EQ(found.at("lsmtuned_mode{db=\"main\",mode=\"tune\"}"), 1);
  EXPECT_EQ(found.at("lsmtuned_trust_gate_open{db=\"main\"}"), 1);
  EXPECT_EQ(found.at("lsmtuned_workload_class{class=\"overwrite\",db=\"main\"}"), 1);
  EXPECT_EQ(found.at("lsmtuned_workload_class{class=\"unknown\",db=\"main\"}"), 0);
  EXPECT_GT(found.at("process_resident_memory_bytes"), 1e6);
  double phases = 0;
  for (const auto& [name, value] : found) {
    if (name.rfind("lsmtuned_phase{", 0) == 0) phases += value;
  }
  EXPECT_EQ(phases, 1);
  EXPECT_EQ(found.at("lsmtuned_phase{db=\"main\",phase=\"verifying\"}"), 1);
}

TEST(Metrics, ShowWhatIsWatched) {
  Metrics metrics;
  TargetWatch watch;
  metrics.watched("main", watch);
  EXPECT_EQ(count_of(metrics.text(), "lsmtuned_workload_phase{"), 3U);
  auto state = make_state();
  state.policy.workload_phases.middle_from_minutes = 0;
  state.policy.workload_phases.final_from_minutes = 0;
  model::Snapshot before = make_snapshot();
  for (int i = 0; i < 12; ++i) {
    model::Snapshot now = before;
    now.time_s += 10;
    now.counters.user_bytes += 1e8;
    now.counters.flush_write_bytes += 1e8;
    now.counters.compaction_write_bytes += 3e8;
    now.families[0].levels[0].write_bytes += 1e8;
    now.families[0].levels[1].write_bytes += 3e8;
    now.families[0].levels[1].read_bytes += 4e8;
    watch.sample(state, &before, now);
    before = now;
  }
  metrics.watched("main", watch);
  const auto found = series(metrics.text());
  const auto of_level = [&](const std::string& direction, const std::string& level) {
    return found.at("lsmtuned_level_" + direction + "_amplification_ratio{db=\"main\",level=\"" +
                    level + "\"}");
  };
  EXPECT_EQ(found.at("lsmtuned_workload_phase{db=\"main\",phase=\"final\"}"), 1);
  EXPECT_NEAR(of_level("write", "0"), 1, 1e-9);
  EXPECT_NEAR(of_level("write", "1"), 3, 1e-9);
  EXPECT_NEAR(of_level("read", "1"), 4, 1e-9);
  EXPECT_EQ(found.at("lsmtuned_watch_raised{db=\"main\",figure=\"put_rate\"}"), 0);
  // Nothing was compared yet.
  EXPECT_EQ(found.count("lsmtuned_watch_ratio{db=\"main\",figure=\"put_rate\"}"), 0U);
}

TEST(Metrics, TheTrustGateShutsOnError) {
  Metrics metrics;
  auto state = make_state();
  state.prediction_error = 0.5;
  metrics.update(state, make_snapshot(), make_interval());
  EXPECT_EQ(series(metrics.text()).at("lsmtuned_trust_gate_open{db=\"main\"}"), 0);
}

TEST(Metrics, EachModelHasItsRollingAccuracy) {
  Metrics metrics;
  auto state = make_state();
  state.model_accuracy = {{"files", 0.96, 3, 1e7, 1e7}, {"v4", 0.18, 3, 1e6, 1e7}};
  metrics.update(state, make_snapshot(), make_interval());
  const auto found = series(metrics.text());
  EXPECT_EQ(found.at("lsmtuned_model_accuracy_ratio{db=\"main\",model=\"files\"}"), 0.96);
  EXPECT_EQ(found.at("lsmtuned_model_accuracy_ratio{db=\"main\",model=\"v4\"}"), 0.18);
}

TEST(Metrics, AnInvalidIntervalChangesNoRate) {
  Metrics metrics;
  metrics.update(make_state(), make_snapshot(), make_interval());
  metrics.update(make_state(), make_snapshot(), model::Interval{});
  EXPECT_EQ(series(metrics.text()).at("lsmtuned_put_bytes_per_second{db=\"main\"}"), 1e7);
}

TEST(Metrics, DecisionsCountOnceForEachStatus) {
  Metrics metrics;
  for (const auto status :
       {DecisionStatus::intended, DecisionStatus::intended, DecisionStatus::applied,
        DecisionStatus::reverted, DecisionStatus::reverted}) {
    metrics.decision(make_decision(1, status, "gain"));
  }
  metrics.decision(make_decision(2, DecisionStatus::kept, "gain"));
  const auto found = series(metrics.text());
  const auto total = [&](const std::string& outcome) {
    return found.at("lsmtuned_decisions_total{db=\"main\",outcome=\"" + outcome +
                    "\",reason=\"gain\"}");
  };
  EXPECT_EQ(total("intended"), 1);
  EXPECT_EQ(total("applied"), 1);
  EXPECT_EQ(total("reverted"), 1);
  EXPECT_EQ(total("kept"), 1);
  EXPECT_EQ(found.at("lsmtuned_reverts_total{db=\"main\"}"), 1);
}

TEST(Metrics, SeriesAreBounded) {
  Metrics metrics;
  metrics.update(make_state(), make_snapshot(500), make_interval());
  for (std::uint64_t id = 1; id <= 500; ++id) {
    metrics.decision(make_decision(id, DecisionStatus::noted, "reason" + std::to_string(id)));
  }
  metrics.decision(make_decision(501, DecisionStatus::noted, "a sentence, not a word"));
  const auto text = metrics.text();
  EXPECT_EQ(count_of(text, "lsmtuned_l0_files{"), 16u);
  EXPECT_EQ(count_of(text, "lsmtuned_setting{"), 17u);
  EXPECT_LE(count_of(text, "lsmtuned_decisions_total{"), 25u);
  EXPECT_EQ(series(text).at("lsmtuned_column_families_not_shown{db=\"main\"}"), 484);
  EXPECT_THAT(text, Not(HasSubstr("sentence")));
}

TEST(Metrics, ADroppedFamilyLosesItsSeries) {
  Metrics metrics;
  metrics.update(make_state(), make_snapshot(2), make_interval());
  EXPECT_THAT(metrics.text(), HasSubstr("family1"));
  metrics.update(make_state(), make_snapshot(1), make_interval());
  EXPECT_THAT(metrics.text(), Not(HasSubstr("family1")));
}

TEST(Metrics, ARemovedTargetLosesItsSeriesAndMayComeBack) {
  Metrics metrics;
  metrics.target_seen("other");
  metrics.update(make_state(), make_snapshot(), make_interval());
  metrics.decision(make_decision(1, DecisionStatus::kept, "gain"));
  metrics.poll("main", 0.01, true);
  metrics.target_removed("main");
  EXPECT_THAT(metrics.text(), Not(HasSubstr("\"main\"")));
  EXPECT_THAT(metrics.text(), HasSubstr("\"other\""));
  metrics.target_seen("main");
  EXPECT_EQ(series(metrics.text()).at("lsmtuned_put_bytes_per_second{db=\"main\"}"), 0);
  metrics.target_removed("never seen");
}

TEST(Metrics, CountsPollsSearchesAndFailures) {
  Metrics metrics;
  metrics.poll("main", 0.02, true);
  metrics.poll("main", 5, false);
  metrics.search("main", 1.5, 700);
  metrics.history_error();
  metrics.lease_expired("main");
  const auto found = series(metrics.text());
  EXPECT_EQ(found.at("lsmtuned_polls_total{db=\"main\",result=\"ok\"}"), 1);
  EXPECT_EQ(found.at("lsmtuned_poll_seconds_count{db=\"main\"}"), 2);
  EXPECT_EQ(found.at("lsmtuned_search_seconds_total{db=\"main\"}"), 1.5);
  EXPECT_EQ(found.at("lsmtuned_search_evaluations_total{db=\"main\"}"), 700);
  EXPECT_EQ(found.at("lsmtuned_history_errors_total"), 1);
  EXPECT_EQ(found.at("lsmtuned_lease_expirations_total{db=\"main\"}"), 1);
}

TEST(Metrics, TheTextKeepsTheRules) {
  Metrics metrics;
  auto state = make_state();
  state.target = "quote\" back\\slash\nline";  // a path may hold anything
  metrics.update(state, make_snapshot(3), make_interval());
  auto bad = make_interval();
  bad.put_bytes_per_s = std::numeric_limits<double>::infinity();
  bad.stall_share = std::nan("");
  metrics.update(make_state(), make_snapshot(), bad);
  metrics.decision(make_decision(1, DecisionStatus::kept, "gain"));
  metrics.poll("main", std::nan(""), true);
  const auto text = metrics.text();
  lint(text);
  EXPECT_THAT(text, Not(HasSubstr("NaN")));
  EXPECT_EQ(series(text).at("lsmtuned_put_bytes_per_second{db=\"main\"}"), 0);
}

TEST(Metrics, PromtoolAgrees) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "promtool is not installed";
  }
  Metrics metrics;
  metrics.update(make_state(), make_snapshot(2), make_interval());
  const testing::TempDir dir;
  testing::write_all(dir.file("metrics"), metrics.text());
  EXPECT_EQ(std::system(("promtool check metrics < " + dir.file("metrics")).c_str()), 0);
}

TEST(Metrics, UpdateAndTextMayRunAtOnce) {
  Metrics metrics;
  std::thread updater([&] {
    for (int i = 0; i < 200; ++i) {
      metrics.update(make_state(), make_snapshot(1 + i % 3), make_interval());
      metrics.decision(make_decision(static_cast<std::uint64_t>(i), DecisionStatus::kept, "gain"));
      if (i % 50 == 49) metrics.target_removed("main");
      metrics.history_error();
    }
  });
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(metrics.text().empty());
  updater.join();
}

}  // namespace
}  // namespace lsmtuned::daemon
