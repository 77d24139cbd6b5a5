// Vectors that are plain arithmetic on figures of the documents: nothing of it is a model's.
#include <numeric>

#include "golden.h"
#include "model/published/device.h"
#include "model/published/statistics.h"
#include "model/units.h"

namespace lsmtuned::model::published::testing {
namespace {

Computed one(const char* name, double value) {
  return {{{name, value}}, {}};
}

double quotient(const Given& given) {
  return given.number("num") / given.number("den");
}

Computed bytes_total(const Given& given) {
  const double bytes = given.number("ops") * given.number("record");
  return one("total", bytes / (given.unit_of_expected("total") == "GB" ? 1e9 : kGiB));
}

Computed samples(const Given& given) {
  const double seconds = given.number("retention") * 86400;
  return one("saved", given.number("series") * (seconds / given.number("interval_a") -
                                                seconds / given.number("interval_b")));
}

// The complete byte ledger in the time-sharing device bound: 1 / (w / B_w + r / B_r).
Computed ledger_bound(const Given& given) {
  const double user = given.number("user");
  const double w =
      (given.number("flush_write") + given.number("compaction_write") + given.number("wal_write")) /
      user;
  const double r = given.number("compaction_read") / user;
  const double mixed = harmonic_bandwidth(r / (w + r), given.number("b_r"), given.number("b_w"));
  return {{{"w", w}, {"r", r}, {"s_max", mixed / (w + r)}}, {}};
}

}  // namespace

const std::map<std::string, Compute>& arithmetic_kinds() {
  static const std::map<std::string, Compute> kinds = {
      {"bytes_total", bytes_total},
      {"samples", samples},
      {"ledger_bound", ledger_bound},
      {"ratio", [](const Given& given) { return one("ratio", quotient(given)); }},
      {"percent", [](const Given& given) { return one("percent", quotient(given) * 100); }},
      {"inverse", [](const Given& given) { return one("inverse", 1 / given.number("x")); }},
      {"ops_per_second",
       [](const Given& given) { return one("rate", given.number("ops") / given.number("time")); }},
      {"littles_law",
       [](const Given& given) {
         return one("in_flight", given.number("rate") * given.number("latency") * 1e-6);
       }},
      {"hours", [](const Given& given) { return one("hours", given.number("time") / 3600); }},
      {"us_to_ms",
       [](const Given& given) { return one("latency", given.number("latency") / 1000); }},
      {"mib_to_gb",
       [](const Given& given) { return one("rate", given.number("rate") * kMiB / 1e9); }},
      {"sum",
       [](const Given& given) {
         const auto terms = given.numbers("terms");
         return one("sum", std::accumulate(terms.begin(), terms.end(), 0.0));
       }},
      {"mean",
       [](const Given& given) { return one("mean", mean(given.numbers("terms")).value()); }},
      {"growth",
       [](const Given& given) {
         return one("growth", (given.number("end") / given.number("start") - 1) * 100);
       }},
      {"difference",
       [](const Given& given) { return one("difference", given.number("a") - given.number("b")); }},
      {"product",
       [](const Given& given) { return one("product", given.number("a") * given.number("b")); }},
      {"dual_structure",
       [](const Given& given) {
         return one("available", given.number("physical") * given.number("availability"));
       }},
      {"mix",
       [](const Given& given) {
         const double hit = given.number("hit");
         return one("mean",
                    hit * given.number("hit_latency") + (1 - hit) * given.number("miss_latency"));
       }},
      {"downtime",
       [](const Given& given) {
         return one("downtime", (1 - given.number("availability")) * given.number("period"));
       }},
  };
  return kinds;
}

}  // namespace lsmtuned::model::published::testing
