#include "model/estimate/limits.h"

#include <algorithm>
#include <cmath>

#include "model/estimate/filter.h"
#include "model/estimate/ratios.h"

namespace lsmtuned::model {
namespace {

// A cgroup limits reads and writes apart, so they overlap; section 4's p for that is large.
constexpr double kSeparateLimitsExponent = 8;
constexpr double kReadToWritePrior = 2;
constexpr double kIdleShare = 0.7;
constexpr double kRateError = 0.03;       // standard deviation of ln rate over a long interval
constexpr double kCycleError = 0.3;       // of ln rate over one L0 cycle
constexpr double kSpeedError = 0.2;       // of ln(speed of L0 jobs / speed of deeper ones)
constexpr double kBelowForeground = 0.5;  // a client that offers less is no slower foreground
constexpr double kViolated = 2;           // standard deviations that make an inequality count
constexpr double kJacobianStep = 0.1;     // wide enough to smooth the ledger's hard minimum

double read_to_write(const Calibration& calibration) {
  return calibration.write_bandwidth > 0 && calibration.read_bandwidth > 0
             ? calibration.read_bandwidth / calibration.write_bandwidth
             : kReadToWritePrior;
}

// The model's answer without the residual, as ln S; not finite when it has none.
double modelled_log_rate(const ModelInput& input, Calibration calibration) {
  calibration.log_residual = 0;
  const auto prediction = predict(input, calibration);
  return prediction ? std::log(prediction->put_bytes_per_s) : std::nan("");
}

class LimitLesson {
 public:
  LimitLesson(Calibration& next, const Evidence& evidence) : next_(next), evidence_(evidence) {
    const double cycles = std::max(1.0, evidence.interval.l0_compactions);
    rate_variance_ = kRateError * kRateError + kCycleError * kCycleError / (cycles * cycles);
  }

  Observed run() {
    adopt_reference();
    belief_ = belief_of(next_);
    drift(belief_, evidence_.interval.seconds);
    device();
    speed_up();
    foreground();
    store(belief_, next_);
    residual();
    return observed_;
  }

 private:
  double limit() const {
    return evidence_.later.device ? evidence_.later.device->write_limit_bytes_per_s : 0;
  }
  double deviation(Parameter parameter) const {
    const int i = static_cast<int>(parameter);
    return std::sqrt(belief_.covariance(i, i) + rate_variance_);
  }
  double mean(Parameter parameter) const { return belief_.mean(static_cast<int>(parameter)); }
  bool known(Parameter parameter) const {
    return belief_.known[static_cast<std::size_t>(parameter)];
  }
  ParameterRange range(Parameter parameter) const { return range_of(parameter, limit() > 0); }

  void observe(const Observation& observation) {
    switch (update(belief_, observation)) {
      case Update::accepted:
        ++observed_.accepted;
        break;
      case Update::outlier:
        ++observed_.outliers;
        break;
      case Update::unusable:
        break;
    }
  }
  void observe(Parameter target, double value, double variance) {
    observe(direct(belief_, target, value, variance, range(target)));
  }

  // B_w is the limit where one is known; u stays what it was when the limit changes.
  void adopt_reference() {
    double& reference = next_.uncertainty.reference_write_bandwidth;
    if (limit() > 0) {
      const ParameterRange allowed = range(Parameter::utilisation);
      const double before = reference > 0 ? reference : limit();
      const double utilisation = next_.write_bandwidth > 0
                                     ? std::clamp(next_.write_bandwidth / before,
                                                  std::exp(allowed.low), std::exp(allowed.high))
                                     : 1.0;
      begin_with_limit(next_, limit(), evidence_.later.device->read_limit_bytes_per_s);
      next_.write_bandwidth *= utilisation;
      next_.read_bandwidth *= utilisation;
    } else if (next_.write_bandwidth > 0 && !(reference > 0)) {
      reference = next_.write_bandwidth;
    }
  }

  void device() {
    const Interval& interval = evidence_.interval;
    const double ratio = read_to_write(next_);
    const double seen =
        carried_bytes_per_s(next_, interval.write_amplification * interval.put_bytes_per_s,
                            interval.read_amplification * interval.put_bytes_per_s);
    if (!(seen > 0) || !std::isfinite(seen)) return;
    double& reference = next_.uncertainty.reference_write_bandwidth;
    if (!known(Parameter::utilisation)) {
      if (!evidence_.regime.device) return;
      reference = next_.write_bandwidth = seen;
      next_.read_bandwidth = seen * ratio;
      begin(belief_, Parameter::utilisation, 0, rate_variance_);
      ++observed_.accepted;
      return;
    }
    const double log_share = std::log(seen / reference);
    const double above = log_share - mean(Parameter::utilisation);
    const bool violated = !(limit() > 0) && above > kViolated * deviation(Parameter::utilisation);
    if (evidence_.regime.device || violated) {
      observe(Parameter::utilisation, log_share, rate_variance_);
    }
  }

  // Speeds are those of the jobs only while nothing slower than they holds them up.
  void speed_up() {
    const Deltas& deltas = evidence_.deltas;
    const bool jobs_own_speed = (!evidence_.regime.held_back || evidence_.regime.cpu) &&
                                evidence_.interval.device_busy_share < kIdleShare;
    if (!jobs_own_speed || deltas.base >= deltas.levels.size()) return;
    const double parts =
        std::max(1.0, evidence_.later.settings.database.get_or(Knob::max_subcompactions, 1));
    const LevelStats& base = deltas.levels[deltas.base];
    double deeper_read = 0;
    double deeper_seconds = 0;
    for (std::size_t level = deltas.base + 1; level < deltas.levels.size(); ++level) {
      deeper_read += deltas.levels[level].read_bytes;
      deeper_seconds += deltas.levels[level].compaction_seconds;
    }
    const bool both =
        base.read_bytes > 0 && base.compaction_seconds > 0 && deeper_read > 0 && deeper_seconds > 0;
    if (parts > 1 && both) {
      const double log_parts = std::log(parts);
      const double log_speed_up = std::log(base.read_bytes / base.compaction_seconds) -
                                  std::log(deeper_read / deeper_seconds);
      const double variance = rate_variance_ + kSpeedError * kSpeedError;
      observe(Parameter::l0_speed_up, log_speed_up / log_parts, variance / (log_parts * log_parts));
    }
    const double speed_up = std::pow(parts, mean(Parameter::l0_speed_up));
    move_speed(next_.job_bytes_per_second, base.read_bytes + deeper_read,
               base.compaction_seconds * speed_up + deeper_seconds);
    // RocksDB books flushes as L0's own work.
    const LevelStats& l0 = deltas.levels.front();
    move_speed(next_.flush_bytes_per_second, l0.write_bytes, l0.compaction_seconds);
  }

  void move_speed(double& speed, double bytes, double seconds) const {
    if (!(bytes > 0) || !(seconds > 0)) return;
    speed = speed > 0 ? moved_towards(speed, bytes / seconds, evidence_.gain) : bytes / seconds;
  }

  void foreground() {
    const Interval& interval = evidence_.interval;
    if (evidence_.regime.free) {
      const double log_put = std::log(interval.put_bytes_per_s);
      if (!known(Parameter::foreground)) {
        next_.foreground_bytes_per_second = interval.put_bytes_per_s;
        begin(belief_, Parameter::foreground, log_put, rate_variance_);
        ++observed_.accepted;
        return;
      }
      // Lower rates are mostly a client that offers less: they count little, and an idle hour no
      // more than a quiet one.
      const double below = mean(Parameter::foreground) - log_put;
      if (below > 0) {
        observe(Parameter::foreground,
                mean(Parameter::foreground) - std::min(below, kBelowForeground),
                kBelowForeground * kBelowForeground);
      } else {
        observe(Parameter::foreground, log_put, rate_variance_);
      }
    } else if (known(Parameter::foreground)) {
      // While stalled the foreground would have offered this much: its limit cannot be below.
      const double offered =
          std::log(interval.put_bytes_per_s / std::max(0.05, 1 - interval.stall_share));
      const double above = offered - mean(Parameter::foreground);
      if (above > kViolated * deviation(Parameter::foreground)) {
        observe(Parameter::foreground, offered, rate_variance_);
      }
    }
  }

  // The model's error at the present settings, over this very interval. Takes next_ as stored.
  void residual() {
    if (!evidence_.regime.held_back) return;
    const ModelInput input = input_of(evidence_, next_);
    const double modelled = modelled_log_rate(input, next_);
    if (!std::isfinite(modelled)) return;
    Observation observation;
    observation.target = Parameter::residual;
    observation.innovation =
        std::log(evidence_.interval.put_bytes_per_s) - modelled - mean(Parameter::residual);
    for (int i = 0; i < static_cast<int>(Parameter::residual); ++i) {
      if (!belief_.known[static_cast<std::size_t>(i)]) continue;
      ParameterVector step = ParameterVector::Zero();
      step(i) = kJacobianStep;
      observation.jacobian(i) =
          (modelled_log_rate(input, with_parameters(next_, belief_.mean + step)) -
           modelled_log_rate(input, with_parameters(next_, belief_.mean - step))) /
          (2 * kJacobianStep);
    }
    observation.jacobian(static_cast<int>(Parameter::residual)) = 1;
    observation.variance = rate_variance_ + next_.relative_error * next_.relative_error;
    observation.range = range(Parameter::residual);
    observe(observation);
    store(belief_, next_);
  }

  Calibration& next_;
  const Evidence& evidence_;
  Belief belief_;
  Observed observed_;
  double rate_variance_ = 0;
};

}  // namespace

double carried_bytes_per_s(const Calibration& calibration, double written, double read) {
  const double p = calibration.mix_exponent;
  return std::pow(std::pow(written, p) + std::pow(read / read_to_write(calibration), p), 1 / p);
}

ModelInput input_of(const Evidence& evidence, const Calibration& calibration) {
  ModelInput input;
  input.settings = evidence.earlier.settings;
  if (const auto* family = find_family(evidence.earlier, evidence.deltas.now->name)) {
    input.family = *family;
  }
  input.cpu_cores = calibration.background_cores;
  input.horizon_s = evidence.interval.seconds;
  input.l0_settled = true;
  return input;
}

Observed learn_limits(Calibration& next, const Evidence& evidence) {
  return LimitLesson(next, evidence).run();
}

void begin_with_limit(Calibration& next, double write_limit, double read_limit) {
  next.uncertainty.reference_write_bandwidth = write_limit;
  next.write_bandwidth = write_limit;
  next.read_bandwidth = read_limit > 0 ? read_limit : kReadToWritePrior * write_limit;
  next.mix_exponent = kSeparateLimitsExponent;
}

}  // namespace lsmtuned::model
