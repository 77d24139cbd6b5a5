#include "daemon/codec.h"

#include "daemon/codec_form.h"
#include "daemon/codec_members.h"

namespace lsmtuned::daemon {

namespace {

namespace json = boost::json;
using controller::Decision;
using controller::PersistentState;
using controller::WindowMeasure;
using model::Calibration;
using model::ChangeSet;
using model::Prediction;
using model::Settings;
using model::published::PhaseThresholds;

constexpr form::Style kStyle = form::Style::history;

}  // namespace

json::object to_json(const Decision& decision) {
  return form::write(decision, kStyle).as_object();
}
json::object to_json(const PersistentState& state) {
  return form::write(state, kStyle).as_object();
}
json::object to_json(const Settings& settings) {
  return form::write(settings, kStyle).as_object();
}
json::array to_json(const ChangeSet& changes) {
  return form::write(changes, kStyle).as_array();
}
json::object to_json(const Prediction& prediction) {
  return form::write(prediction, kStyle).as_object();
}
json::object to_json(const WindowMeasure& measure) {
  return form::write(measure, kStyle).as_object();
}
json::object to_json(const Calibration& calibration) {
  return form::write(calibration, kStyle).as_object();
}
json::object to_json(const PhaseThresholds& thresholds) {
  return form::write(thresholds, kStyle).as_object();
}

Result<Decision> decision_from_json(const json::value& value) {
  return form::from_json<Decision>("decision", value, kStyle);
}
Result<PersistentState> state_from_json(const json::value& value) {
  return form::from_json<PersistentState>("state", value, kStyle);
}
Result<Settings> settings_from_json(const json::value& value) {
  return form::from_json<Settings>("settings", value, kStyle);
}
Result<ChangeSet> changes_from_json(const json::value& value) {
  return form::from_json<ChangeSet>("changes", value, kStyle);
}
Result<Prediction> prediction_from_json(const json::value& value) {
  return form::from_json<Prediction>("prediction", value, kStyle);
}
Result<WindowMeasure> measure_from_json(const json::value& value) {
  return form::from_json<WindowMeasure>("measure", value, kStyle);
}
Result<Calibration> calibration_from_json(const json::value& value) {
  return form::from_json<Calibration>("calibration", value, kStyle);
}
Result<PhaseThresholds> phase_thresholds_from_json(const json::value& value) {
  return form::from_json<PhaseThresholds>("thresholds", value, kStyle);
}

}  // namespace lsmtuned::daemon
