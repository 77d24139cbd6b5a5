// How long the models take: figures, not assertions.
//
// ./build/release/bench/model_speed/model_speed   (aims: ledger 2 us; small tree 0.1 ms by totals
// and 1 to 2 ms with files; large tree 50 ms with files; all single simulations)
#include <benchmark/benchmark.h>

#include <string>

#include "bench/model_speed/problems.h"
#include "model/simulator/simulate.h"

namespace lsmtuned::bench {
namespace {

void run(benchmark::State& state, const model::Problem& problem, model::SimulationLayer layer) {
  model::SimulationOptions options;
  options.layer = layer;
  for (auto _ : state) {
    const auto simulation = model::simulate(problem, options);
    if (!simulation) {
      state.SkipWithError(simulation.error().text().c_str());
      return;
    }
    benchmark::DoNotOptimize(simulation->put_bytes_per_s);
  }
}

void ledger_prediction(benchmark::State& state) {
  const model::ModelInput input = ledger_input();
  const model::Calibration calibration = ledger_calibration();
  for (auto _ : state) {
    const auto prediction = model::predict(input, calibration);
    if (!prediction) {
      state.SkipWithError(prediction.error().text().c_str());
      return;
    }
    benchmark::DoNotOptimize(prediction->put_bytes_per_s);
  }
}

void two_minutes_of_1_GB_by_totals(benchmark::State& state) {
  run(state, small_tree(), model::SimulationLayer::totals);
}
void two_minutes_of_1_GB_with_files(benchmark::State& state) {
  run(state, small_tree(), model::SimulationLayer::files);
}
void ten_minutes_of_100_GB_by_totals(benchmark::State& state) {
  run(state, large_tree(), model::SimulationLayer::totals);
}
void ten_minutes_of_100_GB_with_files(benchmark::State& state) {
  run(state, large_tree(), model::SimulationLayer::files);
}

BENCHMARK(ledger_prediction)->Unit(benchmark::kMicrosecond);
BENCHMARK(two_minutes_of_1_GB_by_totals)->Unit(benchmark::kMillisecond);
BENCHMARK(two_minutes_of_1_GB_with_files)->Unit(benchmark::kMillisecond);
BENCHMARK(ten_minutes_of_100_GB_by_totals)->Unit(benchmark::kMillisecond);
BENCHMARK(ten_minutes_of_100_GB_with_files)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lsmtuned::bench

BENCHMARK_MAIN();
