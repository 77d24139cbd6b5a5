// A family of Prometheus metrics, and the series made in it by target, so that those of a target
// that went away can be removed.
//
// Thread rules: one at a time; the series themselves may be read and set from any thread until they
// are removed.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <map>
#include <string>
#include <type_traits>

namespace lsmtuned::daemon {

template <class Metric>
class MetricSeries {
 public:
  MetricSeries(prometheus::Registry& registry, const char* name, const char* help)
      : family_(make(registry, name, help)) {}

  template <class... Args>
  Metric& at(const std::string& target, prometheus::Labels labels = {}, const Args&... args) {
    auto& mine = made_[target];
    if (auto found = mine.find(labels); found != mine.end()) return *found->second;
    const prometheus::Labels key = labels;
    labels["db"] = target;
    Metric& metric = family_.Add(labels, args...);
    mine.emplace(key, &metric);
    return metric;
  }
  void remove(const std::string& target) {
    const auto found = made_.find(target);
    if (found == made_.end()) return;
    for (const auto& [labels, metric] : found->second) family_.Remove(metric);
    made_.erase(found);
  }
  // Removes the target's series whose labels the predicate picks.
  void remove_if(const std::string& target,
                 const std::function<bool(const prometheus::Labels&)>& picked) {
    auto& mine = made_[target];
    for (auto i = mine.begin(); i != mine.end();) {
      if (picked(i->first)) {
        family_.Remove(i->second);
        i = mine.erase(i);
      } else {
        ++i;
      }
    }
  }

 private:
  static prometheus::Family<Metric>& make(prometheus::Registry& registry, const char* name,
                                          const char* help) {
    if constexpr (std::is_same_v<Metric, prometheus::Gauge>) {
      return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    } else if constexpr (std::is_same_v<Metric, prometheus::Counter>) {
      return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    } else {
      return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    }
  }
  prometheus::Family<Metric>& family_;
  std::map<std::string, std::map<prometheus::Labels, Metric*>> made_;
};

}  // namespace lsmtuned::daemon
