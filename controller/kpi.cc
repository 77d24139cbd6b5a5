#include "controller/kpi.h"

#include <algorithm>
#include <cmath>

namespace lsmtuned::controller {
namespace {

constexpr double kBound80 = 1.28;  // two-sided 80 % interval
constexpr double kLeastRateBand = 0.02;
constexpr double kStallBand = 0.02;  // absolute
constexpr double kOtherBand = 0.05;
constexpr double kLeastUnstalled = 0.02;  // a demand beyond 50 times the rate says nothing

using Value = std::optional<double>;

Value known(bool is_known, double value) {
  return is_known && std::isfinite(value) ? Value(value) : std::nullopt;
}

Value put_rate(const WindowMeasure& m) {
  return known(m.seconds > 0, m.put_bytes_per_s);
}
Value efficiency(const WindowMeasure& m) {
  return known(m.seconds > 0 && m.write_amplification > 0, 1 / m.write_amplification);
}
Value stability(const WindowMeasure& m) {
  return known(m.seconds > 0, 1 - m.stall_share);
}
Value memory(const WindowMeasure& m) {
  return known(m.seconds > 0 && m.memory_bytes > 0, m.memory_bytes);
}
Value bandwidth_use(Value rate, Value per_written_byte, double bandwidth) {
  if (!rate || !per_written_byte) return std::nullopt;
  return known(bandwidth > 0, *rate / *per_written_byte / bandwidth);
}

Value predicted_stability(const KpiInputs& inputs) {
  const WindowMeasure& before = inputs.before;
  const double unstalled = 1 - before.stall_share;
  if (!(before.seconds > 0) || !(before.put_bytes_per_s > 0) || unstalled < kLeastUnstalled)
    return std::nullopt;
  const double demand = before.put_bytes_per_s / unstalled;
  return std::clamp(inputs.predicted.put_bytes_per_s / demand, 0.0, 1.0);
}

// Sign of the move beyond the band: -1, 0 or 1.
int moved(double from, double to, double band) {
  if (std::abs(to - from) <= band) return 0;
  return to > from ? 1 : -1;
}

KpiJudgement judgement(int better) {
  if (better == 0) return KpiJudgement::same;
  return better > 0 ? KpiJudgement::better : KpiJudgement::worse;
}

// Relative band; `direction` 1: higher is better, -1: lower is.
void judge(Kpi& kpi, double band, int direction) {
  const Value& now = kpi.after ? kpi.after : kpi.predicted;
  if (!kpi.before || !now) return;
  kpi.judgement = judgement(direction * moved(*kpi.before, *now, band));
}

double rate_band(const KpiInputs& inputs, double rate) {
  const double errors = std::hypot(inputs.before.standard_error, inputs.after.standard_error);
  return std::max(kBound80 * errors, kLeastRateBand * rate);
}

}  // namespace

Kpis kpis_of(const KpiInputs& inputs) {
  Kpis kpis;
  const WindowMeasure& before = inputs.before;
  const WindowMeasure& after = inputs.after;
  kpis.put_rate.before = put_rate(before);
  kpis.compaction_efficiency.before = efficiency(before);
  kpis.stability.before = stability(before);
  kpis.resource_use.before = memory(before);
  kpis.write_bandwidth_use.before = bandwidth_use(
      kpis.put_rate.before, kpis.compaction_efficiency.before, inputs.write_bandwidth);
  if (!inputs.changes) return kpis;

  const model::Prediction& predicted = inputs.predicted;
  if (predicted.put_bytes_per_s > 0) {
    kpis.put_rate.predicted = predicted.put_bytes_per_s;
    kpis.compaction_efficiency.predicted =
        known(predicted.write_amplification > 0, 1 / predicted.write_amplification);
    kpis.stability.predicted = predicted_stability(inputs);
    kpis.write_bandwidth_use.predicted = bandwidth_use(
        kpis.put_rate.predicted, kpis.compaction_efficiency.predicted, inputs.write_bandwidth);
  }
  if (kpis.resource_use.before)
    kpis.resource_use.predicted =
        std::max(0.0, *kpis.resource_use.before + inputs.memory_growth_bytes);

  kpis.put_rate.after = put_rate(after);
  kpis.compaction_efficiency.after = efficiency(after);
  kpis.stability.after = stability(after);
  kpis.resource_use.after = memory(after);
  kpis.write_bandwidth_use.after =
      bandwidth_use(kpis.put_rate.after, kpis.compaction_efficiency.after, inputs.write_bandwidth);

  judge(kpis.put_rate, rate_band(inputs, kpis.put_rate.before.value_or(0)), 1);
  judge(kpis.compaction_efficiency, kOtherBand * kpis.compaction_efficiency.before.value_or(0), 1);
  judge(kpis.stability, kStallBand, 1);
  judge(kpis.resource_use, kOtherBand * kpis.resource_use.before.value_or(0), -1);
  Kpi& use = kpis.write_bandwidth_use;
  judge(use, kOtherBand * use.before.value_or(0), -1);
  const KpiJudgement rate = kpis.put_rate.judgement;
  if (use.judgement == KpiJudgement::worse && rate == KpiJudgement::better)
    use.judgement = KpiJudgement::better;
  else if (use.judgement == KpiJudgement::better && rate == KpiJudgement::worse)
    use.judgement = KpiJudgement::worse;
  return kpis;
}

const std::array<NamedKpi, 5>& kpi_names() {
  static constexpr std::array<NamedKpi, 5> kNames = {{
      {"put_rate", &Kpis::put_rate},
      {"write_bandwidth_use", &Kpis::write_bandwidth_use},
      {"compaction_efficiency", &Kpis::compaction_efficiency},
      {"stability", &Kpis::stability},
      {"resource_use", &Kpis::resource_use},
  }};
  return kNames;
}

const char* to_text(KpiJudgement judgement) {
  switch (judgement) {
    case KpiJudgement::unknown:
      return "unknown";
    case KpiJudgement::better:
      return "better";
    case KpiJudgement::same:
      return "same";
    case KpiJudgement::worse:
      return "worse";
  }
  return "unknown";
}

}  // namespace lsmtuned::controller
