#include "model/published/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lsmtuned::model::published {
namespace {

const InputField& field_of(std::optional<double> PublishedInputs::*member) {
  const auto fields = input_fields();
  return *std::find_if(fields.begin(), fields.end(),
                       [&](const InputField& field) { return field.member == member; });
}

}  // namespace

Evaluation::Evaluation(const PublishedInputs& given) : inputs(given) {
  prediction.inputs = given;
  prediction.record_bytes = get_or(&PublishedInputs::record_bytes, kPublishedRecordBytes);
}

double Evaluation::need(std::optional<double> PublishedInputs::*field) {
  if (const auto& value = inputs.*field) return *value;
  const InputField& about = field_of(field);
  missing.push_back(std::string(about.name) + " is missing: " + about.meaning + ", " +
                    allowed_range(about));
  return std::numeric_limits<double>::quiet_NaN();
}

double Evaluation::get_or(std::optional<double> PublishedInputs::*field, double otherwise) const {
  return (inputs.*field).value_or(otherwise);
}

PhaseChoice Evaluation::use_phase() {
  prediction.phase = choose_phase(inputs.phase, inputs.detected_phase, inputs.runtime_minutes);
  if (prediction.phase->source == PhaseSource::assumed) {
    note("neither phase nor runtime is known: middle is assumed, as published");
  }
  return *prediction.phase;
}

void Evaluation::add(std::string name, double value, const char* unit) {
  if (std::isfinite(value)) prediction.details.push_back({std::move(name), value, unit});
}

void Evaluation::note(const std::string& text) {
  if (!prediction.note.empty()) prediction.note += "; ";
  prediction.note += text;
}

void Evaluation::finish_mib(double mib_per_s) {
  prediction.value = prediction.user_mib_per_s = mib_per_s;
  prediction.unit = RateUnit::mib_per_s;
  prediction.ops_per_s = ops_per_second(mib_per_s, prediction.record_bytes);
  add_measured_levels();
}

void Evaluation::finish_ops(double ops_per_s) {
  prediction.value = prediction.ops_per_s = ops_per_s;
  prediction.unit = RateUnit::ops_per_s;
  prediction.user_mib_per_s = mib_per_second(ops_per_s, prediction.record_bytes);
  add_measured_levels();
}

void Evaluation::add_measured_levels() {
  for (std::size_t l = 0; l < inputs.levels.size(); ++l) {
    const LevelInputs& level = inputs.levels[l];
    if (!level.measured_wa && !level.measured_ra) continue;
    if (prediction.levels.size() <= l) prediction.levels.resize(l + 1);
    prediction.levels[l].measured_wa = level.measured_wa;
    prediction.levels[l].measured_ra = level.measured_ra;
  }
}

}  // namespace lsmtuned::model::published
