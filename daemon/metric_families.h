// The metric families the daemon exports: the only place that names them. metrics.cc feeds them.
//
// Families of targets carry the label db; the others are of the process.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <vector>

#include "daemon/metric_series.h"

namespace lsmtuned::daemon {

struct MetricFamilies {
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;

  prometheus::Registry registry;

  MetricSeries<Gauge> attached{registry, "lsmtuned_target_attached",
                               "1 while the database is attached."};
  MetricSeries<Gauge> phase{registry, "lsmtuned_phase",
                            "1 for the controller's present phase, 0 for the others."};
  MetricSeries<Gauge> mode{registry, "lsmtuned_mode", "1 for the mode in force, 0 for the others."};
  MetricSeries<Gauge> put_rate{registry, "lsmtuned_put_bytes_per_second",
                               "User bytes written per second, last poll."};
  MetricSeries<Gauge> put_ops{registry, "lsmtuned_put_operations_per_second",
                              "Keys written per second, last poll."};
  MetricSeries<Gauge> s_max{
      registry, "lsmtuned_predicted_put_bytes_per_second",
      "S_max over a trial's horizon: highest put rate the model predicts at the settings in force; "
      "0 unknown."};
  MetricSeries<Gauge> s_max_low{registry, "lsmtuned_predicted_put_low_bytes_per_second",
                                "Lower end of the 80 % interval of S_max."};
  MetricSeries<Gauge> s_max_high{registry, "lsmtuned_predicted_put_high_bytes_per_second",
                                 "Upper end of the 80 % interval of S_max."};
  MetricSeries<Gauge> s_max_settled{registry, "lsmtuned_predicted_settled_put_bytes_per_second",
                                    "S_max of the settled state, without growing debt; 0 unknown."};
  MetricSeries<Gauge> stall{registry, "lsmtuned_stall_ratio",
                            "Share of the last poll's time that writes were stalled."};
  MetricSeries<Gauge> worst_stall{
      registry, "lsmtuned_worst_stall_seconds",
      "Longest wait of one write in the measuring window; 0 without latency statistics."};
  MetricSeries<Gauge> put_p99{
      registry, "lsmtuned_put_p99_seconds",
      "99th percentile of put latency in the measuring window; 0 without latency statistics."};
  MetricSeries<Gauge> write_stopped{registry, "lsmtuned_writes_stopped",
                                    "1 while RocksDB has writes stopped."};
  MetricSeries<Gauge> delayed_rate{
      registry, "lsmtuned_delayed_write_bytes_per_second",
      "Rate that RocksDB holds writes to while it delays them; 0 without delay."};
  MetricSeries<Gauge> write_amp{registry, "lsmtuned_write_amplification_ratio",
                                "Bytes written to the device per user byte, last poll."};
  MetricSeries<Gauge> read_amp{registry, "lsmtuned_read_amplification_ratio",
                               "Bytes read by compactions per user byte, last poll."};
  MetricSeries<Gauge> utilisation{
      registry, "lsmtuned_device_utilisation_v4_ratio",
      "Share of the device's bytes that are user bytes (model V4), last poll."};
  MetricSeries<Gauge> device_write{registry, "lsmtuned_device_write_bytes_per_second",
                                   "Written to the device."};
  MetricSeries<Gauge> device_read{registry, "lsmtuned_device_read_bytes_per_second",
                                  "Read from the device."};
  MetricSeries<Gauge> device_busy{registry, "lsmtuned_device_busy_ratio",
                                  "Share of time the device was busy."};
  MetricSeries<Gauge> device_free{registry, "lsmtuned_device_free_bytes",
                                  "Free space of the database's file system."};
  MetricSeries<Gauge> pressure{registry, "lsmtuned_device_pressure_ratio",
                               "Share of time in which some task waited for I/O (PSI)."};
  MetricSeries<Gauge> setting{
      registry, "lsmtuned_setting",
      "Value in force of a knob (bytes, bytes per second, or a number); family is empty for "
      "database options."};
  MetricSeries<Gauge> l0_files{registry, "lsmtuned_l0_files",
                               "Files in level 0 of a column family."};
  MetricSeries<Gauge> pending{registry, "lsmtuned_pending_compaction_bytes",
                              "RocksDB's estimate of compaction debt of a column family."};
  MetricSeries<Gauge> immutable{registry, "lsmtuned_immutable_memtables",
                                "Memtables of a column family that wait for a flush."};
  MetricSeries<Gauge> level_size{registry, "lsmtuned_level_bytes",
                                 "Size of a level, all column families together."};
  MetricSeries<Gauge> families_hidden{
      registry, "lsmtuned_column_families_not_shown",
      "Column families beyond those that have series of their own."};
  MetricSeries<Gauge> error{
      registry, "lsmtuned_prediction_error_ratio",
      "Rolling |ln(measured / predicted)| of the put rate; 0 before the first comparison."};
  MetricSeries<Gauge> model_accuracy{
      registry, "lsmtuned_model_accuracy_ratio",
      "Rolling 1 - |predicted / measured - 1| of each model over spans in "
      "which writers stalled; no series before the first."};
  MetricSeries<Gauge> gate{registry, "lsmtuned_trust_gate_open",
                           "1 while the prediction error lets the controller act."};
  MetricSeries<Gauge> workload_phase{
      registry, "lsmtuned_workload_phase",
      "1 for the published phase that the workload is in, 0 for the others and while none is "
      "named."};
  MetricSeries<Gauge> workload_class{
      registry, "lsmtuned_workload_class",
      "1 for the class of load that was detected, 0 for the others."};
  MetricSeries<Gauge> raised{registry, "lsmtuned_watch_raised",
                             "1 while an alert on this figure stands (put_rate, write_bandwidth, "
                             "compaction_efficiency, device_use, debt)."};
  MetricSeries<Gauge> beside_standard{
      registry, "lsmtuned_watch_ratio",
      "The figure over what it is compared with: the best of the day, of device_use what was "
      "learned in the phase, of debt the soft limit. Absent while nothing is known."};
  MetricSeries<Gauge> level_write_amp{
      registry, "lsmtuned_level_write_amplification_ratio",
      "Bytes written to a level (0: flushes) per user byte, over the last watch_span."};
  MetricSeries<Gauge> level_read_amp{
      registry, "lsmtuned_level_read_amplification_ratio",
      "Bytes that compactions into a level read per user byte, over the last watch_span."};
  MetricSeries<Counter> decisions{registry, "lsmtuned_decisions_total",
                                  "Decisions by the status they reached and their reason."};
  MetricSeries<Counter> reverts{registry, "lsmtuned_reverts_total",
                                "Changes that were taken back."};
  MetricSeries<Counter> polls{registry, "lsmtuned_polls_total", "Polls of the database by result."};
  MetricSeries<Histogram> poll_time{registry, "lsmtuned_poll_seconds", "Time one poll took."};
  MetricSeries<Counter> searches{registry, "lsmtuned_searches_total",
                                 "Searches for better settings."};
  MetricSeries<Counter> search_time{registry, "lsmtuned_search_seconds_total",
                                    "Time spent in searches."};
  MetricSeries<Counter> search_evaluations{registry, "lsmtuned_search_evaluations_total",
                                           "Model evaluations made by searches."};
  MetricSeries<Counter> lease_expirations{
      registry, "lsmtuned_lease_expirations_total",
      "Times the database side restored the baseline because the lease ran out."};
  Counter& history_errors = prometheus::BuildCounter()
                                .Name("lsmtuned_history_errors_total")
                                .Help("Failed writes or reads of the history.")
                                .Register(registry)
                                .Add({});
  Gauge& build = prometheus::BuildGauge()
                     .Name("lsmtuned_build_info")
                     .Help("1, labelled with the version.")
                     .Register(registry)
                     .Add({{"version", LSMTUNED_VERSION}});
  Gauge& resident = prometheus::BuildGauge()
                        .Name("process_resident_memory_bytes")
                        .Help("Resident memory of the daemon.")
                        .Register(registry)
                        .Add({});
  Counter& cpu = prometheus::BuildCounter()
                     .Name("process_cpu_seconds_total")
                     .Help("User and system CPU time of the daemon.")
                     .Register(registry)
                     .Add({});

  // All series that belong to targets.
  std::vector<MetricSeries<Gauge>*> gauges() {
    return {&attached,      &phase,           &mode,           &put_rate,
            &put_ops,       &s_max,           &s_max_low,      &s_max_high,
            &s_max_settled, &stall,           &worst_stall,    &put_p99,
            &write_stopped, &delayed_rate,    &write_amp,      &read_amp,
            &utilisation,   &device_write,    &device_read,    &device_busy,
            &device_free,   &pressure,        &setting,        &l0_files,
            &pending,       &immutable,       &level_size,     &families_hidden,
            &error,         &model_accuracy,  &gate,           &workload_phase,
            &raised,        &beside_standard, &workload_class, &level_write_amp,
            &level_read_amp};
  }
  std::vector<MetricSeries<Counter>*> counters() {
    return {&decisions,          &reverts,          &polls, &searches, &search_time,
            &search_evaluations, &lease_expirations};
  }
};

}  // namespace lsmtuned::daemon
