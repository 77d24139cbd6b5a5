// Which search method finds what, and what that costs: figures, not assertions.
//
//   search_bench cost [--seeds N] [--method NAME]
//       the default search at its default size on every request: CPU time of the thread
//   search_bench compare [--seeds N] [--evaluations 200,600,2000]
//       every method on the same requests with the same evaluations; docs/results/search.md
//
// Values are judged by simulations of files over full horizons (controller/search_method.h), so no
// method is paid for errors of its own short ones. 0.05 is worth 5 % of the put rate, or what the
// objective counts. A proposal that the judge refuses counts as none, and is counted beside.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/search/requests.h"
#include "controller/search_method.h"

namespace lsmtuned::bench {
namespace {

using controller::SearchAlgorithm;
using controller::SearchMethod;

struct NamedMethod {
  std::string name;
  SearchMethod method;
  bool largest_only = false;  // compared at the largest size
};

struct Tried {
  double value = 0;  // judged; 0 where nothing is proposed or the judge refuses
  bool refused = false;
  double cpu_ms = 0;
  double work = 0;
  int evaluations = 0;
};

double thread_cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

// One request and its judge, which remembers what it was asked.
class Bench {
 public:
  explicit Bench(NamedRequest named) : named_(std::move(named)), judge_(named_.request) {}

  const std::string& name() const { return named_.name; }

  Tried run(const SearchMethod& method, std::uint64_t seed, int evaluations) {
    controller::SearchRequest request = named_.request;
    request.seed = seed;
    if (evaluations > 0) request.policy.search_evaluations = evaluations;
    const double before = thread_cpu_ms();
    const auto outcome = controller::search_by(method, request);
    Tried tried;
    tried.cpu_ms = thread_cpu_ms() - before;
    tried.work = outcome.work;
    tried.evaluations = outcome.result.evaluations;
    if (outcome.result.best.empty()) return tried;
    const auto key = model::describe(outcome.result.best);
    if (judged_.count(key) == 0) judged_[key] = judge_(outcome.result.best);
    const auto& verdict = judged_[key];
    tried.refused = !verdict.rejected.empty();
    if (!tried.refused) tried.value = verdict.value;
    return tried;
  }

 private:
  NamedRequest named_;
  controller::Judge judge_;
  std::map<std::string, controller::Judge::Verdict> judged_;
};

std::vector<std::unique_ptr<Bench>> benches() {
  std::vector<std::unique_ptr<Bench>> all;
  for (auto& named : search_requests()) all.push_back(std::make_unique<Bench>(std::move(named)));
  return all;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double worst(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

// What each algorithm does with the ledger's evaluations. Steps of one, totals and files are the
// same for all.
std::vector<NamedMethod> methods() {
  const SearchMethod usual;
  const auto alone = [&](SearchAlgorithm algorithm) {
    SearchMethod method = usual;
    method.explore = algorithm;
    method.explore_share = usual.explore_share + usual.ledger_refine_share;
    method.ledger_refine_share = 0;
    return method;
  };
  const auto then_subplex = [&](SearchAlgorithm algorithm) {
    SearchMethod method = usual;
    method.explore = algorithm;
    return method;
  };
  const auto refined_by = [&](SearchAlgorithm algorithm) {
    SearchMethod method = usual;
    method.refine = algorithm;
    return method;
  };
  SearchMethod stepped = usual;
  stepped.refine_share = 0;
  SearchMethod in_any_order = usual;
  in_any_order.by_influence = false;
  SearchMethod everywhere = usual;
  everywhere.explore_fewest = 0;
  return {
      {"CRS2, then subplex", then_subplex(SearchAlgorithm::crs2)},
      {"DIRECT-L, then subplex", then_subplex(SearchAlgorithm::direct)},
      {"ISRES, then subplex", then_subplex(SearchAlgorithm::isres)},
      {"CRS2", alone(SearchAlgorithm::crs2)},
      {"DIRECT-L", alone(SearchAlgorithm::direct)},
      {"ISRES", alone(SearchAlgorithm::isres)},
      {"MLSL (multistart of subplex)", alone(SearchAlgorithm::mlsl)},
      {"COBYLA", alone(SearchAlgorithm::cobyla)},
      {"BOBYQA", alone(SearchAlgorithm::bobyqa)},
      {"subplex", alone(SearchAlgorithm::subplex)},
      {"default, COBYLA refines", refined_by(SearchAlgorithm::cobyla), true},
      {"default, BOBYQA refines", refined_by(SearchAlgorithm::bobyqa), true},
      {"default, CRS2 refines", refined_by(SearchAlgorithm::crs2), true},
      {"default, totals by steps alone", stepped, true},
      {"default, no order of influence", in_any_order, true},
      {"default, every knob explored", everywhere, true},
  };
}

void compare(int seeds, const std::vector<int>& sizes) {
  auto all = benches();
  const auto entries = methods();
  // By size, method, request: the seeds.
  std::map<int, std::vector<std::vector<std::vector<Tried>>>> tried;
  std::vector<double> best(all.size(), 0);
  for (const int size : sizes) {
    auto& of_size = tried[size];
    of_size.resize(entries.size());
    for (std::size_t m = 0; m < entries.size(); ++m) {
      if (entries[m].largest_only && size != sizes.back()) continue;
      for (std::size_t r = 0; r < all.size(); ++r) {
        auto& runs = of_size[m].emplace_back();
        for (int seed = 1; seed <= seeds; ++seed) {
          runs.push_back(all[r]->run(entries[m].method, static_cast<std::uint64_t>(seed), size));
          best[r] = std::max(best[r], runs.back().value);
        }
      }
      std::fprintf(stderr, "%d %s\n", size, entries[m].name.c_str());
    }
  }
  for (const int size : sizes) {
    std::printf("\n%d evaluations, %zu requests, %d seeds\n\n", size, all.size(), seeds);
    std::printf(
        "| algorithm | mean short of best | worst | within 0.02 of best | refused |"
        " CPU median ms | worst ms |\n|---|---|---|---|---|---|---|\n");
    for (std::size_t m = 0; m < entries.size(); ++m) {
      if (tried[size][m].empty()) continue;
      double sum = 0;
      double most = 0;
      int count = 0;
      int wins = 0;
      int refused = 0;
      std::vector<double> cpu;
      for (std::size_t r = 0; r < all.size(); ++r) {
        for (const Tried& one : tried[size][m][r]) {
          const double lost = best[r] - one.value;
          sum += lost;
          most = std::max(most, lost);
          ++count;
          wins += lost <= 0.02 ? 1 : 0;
          refused += one.refused ? 1 : 0;
          cpu.push_back(one.cpu_ms);
        }
      }
      std::printf("| %s | %.3f | %.3f | %d of %d | %d | %.0f | %.0f |\n", entries[m].name.c_str(),
                  sum / count, most, wins, count, refused, median(cpu), worst(cpu));
    }
  }
}

void cost(const SearchMethod& method, int seeds, int evaluations) {
  std::vector<double> cpu;
  std::vector<double> work;
  double sum = 0;
  int refused = 0;
  std::printf(
      "| request | judged value by seed | CPU median ms | worst ms | work | evaluations |\n"
      "|---|---|---|---|---|---|\n");
  for (const auto& bench : benches()) {
    std::vector<double> own;
    std::string values;
    Tried last;
    for (int seed = 1; seed <= seeds; ++seed) {
      last = bench->run(method, static_cast<std::uint64_t>(seed), evaluations);
      own.push_back(last.cpu_ms);
      work.push_back(last.work);
      sum += last.value;
      refused += last.refused ? 1 : 0;
      char text[32];
      std::snprintf(text, sizeof text, last.refused ? " refused" : " %.3f", last.value);
      values += text;
    }
    std::printf("| %s |%s | %.0f | %.0f | %.0f | %d |\n", bench->name().c_str(), values.c_str(),
                median(own), worst(own), last.work, last.evaluations);
    std::fflush(stdout);
    cpu.insert(cpu.end(), own.begin(), own.end());
  }
  std::printf(
      "\nCPU time of a search: median %.0f ms, worst %.0f ms; work: median %.0f, worst %.0f;"
      " mean value %.4f, refused %d\n",
      median(cpu), worst(cpu), median(work), worst(work), sum / static_cast<double>(cpu.size()),
      refused);
}

std::vector<int> numbers(const std::string& text) {
  std::vector<int> result;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    result.push_back(std::max(2, std::atoi(text.substr(at, end - at).c_str())));
    at = end + 1;
  }
  return result;
}

int run(const std::vector<std::string>& arguments) {
  int seeds = 3;
  std::vector<int> sizes;
  SearchMethod method;
  for (std::size_t i = 1; i + 1 < arguments.size(); i += 2) {
    if (arguments[i] == "--seeds") seeds = std::max(1, std::atoi(arguments[i + 1].c_str()));
    if (arguments[i] == "--evaluations") sizes = numbers(arguments[i + 1]);
    for (const auto& known : methods())
      if (arguments[i] == "--method" && arguments[i + 1] == known.name) method = known.method;
  }
  const std::string what = arguments.empty() ? "cost" : arguments[0];
  if (what == "cost") {
    cost(method, seeds, sizes.empty() ? 0 : sizes.front());
  } else if (what == "compare") {
    compare(seeds, sizes.empty() ? std::vector<int>{200, 600, 2000} : sizes);
  } else {
    std::fprintf(stderr, "usage: search_bench cost|compare [--seeds N] [--evaluations N,...]\n");
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace lsmtuned::bench

int main(int argc, char** argv) {
  try {
    return lsmtuned::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "search_bench: %s\n", problem.what());
    return 1;
  }
}
