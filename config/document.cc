// The example file and the reference page, from the registration.
#include <string>

#include "config/keys.h"
#include "config/parse.h"
#include "model/knob_coupling.h"

namespace lsmtuned::config {
namespace {

constexpr std::size_t kLineWidth = 96;

// `text` in lines that start with `prefix`, broken at blanks.
std::string wrapped(const std::string& text, const std::string& prefix) {
  std::string out;
  std::string line = prefix;
  std::size_t start = 0;
  while (start < text.size()) {
    std::size_t end = text.find(' ', start);
    if (end == std::string::npos) end = text.size();
    const std::string word = text.substr(start, end - start);
    if (line.size() > prefix.size() && line.size() + 1 + word.size() > kLineWidth) {
      out += line + "\n";
      line = prefix;
    }
    line += (line.size() > prefix.size() ? " " : "") + word;
    start = end + 1;
  }
  return out + line + "\n";
}

std::string reload_text(const KeyFacts& facts) {
  return facts.needs_restart ? "needs a restart" : "taken on reload (SIGHUP)";
}

template <class Owner>
std::string default_text(const Key<Owner>& key, const Owner& defaults) {
  return key.required ? "\"" + key.example + "\"" : toml_text(key, key.read(defaults));
}

std::string range_text(const model::KnobInfo& knob, double low, double high) {
  KeyFacts facts;
  facts.type = type_of_knob(knob);
  return "[" + toml_text(facts, KeyValue(low)) + ", " + toml_text(facts, KeyValue(high)) + "]";
}

// ---- example file

template <class Owner>
std::string example_key(const Key<Owner>& key, const Owner& defaults, const std::string& comment) {
  std::string out = wrapped(key.help, "# ");
  out += wrapped("Allowed: " + allowed_text(key) + "; " + reload_text(key) + ".", "# ");
  return out + comment + key.name + " = " + default_text(key, defaults) + "\n\n";
}

std::string example_bounds(const Key<Policy>& key) {
  std::string out = wrapped(key.help, "# ");
  out += "[defaults." + key.name + "]\n";
  for (const model::KnobInfo& knob : model::all_knobs()) {
    out += "# " + std::string(knob.option) + " = " + range_text(knob, knob.minimum, knob.maximum) +
           "\n";
  }
  return out + "\n";
}

// ---- reference page

template <class Owner>
std::string page_key(const Key<Owner>& key, const Owner& defaults) {
  std::string out = "### `" + key.name + "`\n\n" + key.help + "\n\n";
  out += "- type: " + type_name(key.type) + "\n";
  if (key.type != ValueType::flag) out += "- allowed: " + allowed_text(key) + "\n";
  if (key.required) {
    out += "- required; example: `" + default_text(key, defaults) + "`\n";
  } else if (key.type == ValueType::knob_bounds) {
    out += "- default: empty: the absolute bounds\n";
  } else {
    out += "- default: `" + default_text(key, defaults) + "`\n";
  }
  return out + "- " + reload_text(key) + "\n\n";
}

template <class Owner>
std::string page_keys(const std::vector<Key<Owner>>& keys, const Owner& defaults) {
  std::string out;
  for (const auto& key : keys) out += page_key(key, defaults);
  return out;
}

std::string page_knobs() {
  std::string out =
      "## Options that may be changed\n\n"
      "The absolute bounds are those outside which RocksDB 7.8 hangs, aborts or takes a value to "
      "mean something else. `bounds` may only narrow them.\n\n"
      "| option | absolute bounds | moved by default | effect | risk | bound to others |\n"
      "|---|---|---|---|---|---|\n";
  const Policy defaults;
  for (const model::KnobInfo& knob : model::all_knobs()) {
    bool moved = false;
    for (const model::Knob candidate : defaults.knobs) moved = moved || candidate == knob.knob;
    const ValueType type = type_of_knob(knob);
    out += "| `" + std::string(knob.option) + "` | " + number_of_type(type, knob.minimum) + " to " +
           number_of_type(type, knob.maximum) + " | " + (moved ? "yes" : "no") + " | " +
           knob.effect + " | " + knob.risk + " | " + model::coupling(knob.knob).rule + " |\n";
  }
  return out;
}

constexpr const char* kExampleHead =
    "# lsmtuned configuration. Every key is shown at its default; docs/configuration.md is the\n"
    "# same text as a page. Check a change with: lsmtuned --check-config --config FILE\n"
    "# Sizes: \"64 MiB\" (powers of 1024) or \"64 MB\" (powers of 1000); durations: \"200 ms\", "
    "\"30 s\",\n# \"2 min\", \"1.5 h\", \"90 d\"; rates: \"24 MiB/s\"; shares: \"5 %\" or 0.05.\n"
    "# Without units, numbers are bytes and seconds.\n\n";

constexpr const char* kDefaultsIntro =
    "# ---- policy of every target -----------------------------------------------------------\n"
    "# A [[target]] may set each of these keys again for itself.\n[defaults]\n\n";

constexpr const char* kTargetIntro =
    "# ---- targets --------------------------------------------------------------------------\n"
    "# One [[target]] a database that may be advised on or tuned. It takes every key of\n"
    "# [defaults] too, and [target.bounds].\n# [[target]]\n";

constexpr const char* kPageHead =
    "# Configuration\n\n"
    "Generated from the registration in `config/daemon_keys.cc` and `config/policy_keys.cc`; do "
    "not "
    "edit. `lsmtuned "
    "--print-default-config` prints an example file with the same text, `lsmtuned --check-config "
    "--config FILE` checks one and reports every error at once with its line, column and remedy. "
    "SIGHUP "
    "reloads; a file with errors changes nothing.\n\n"
    "| value | written as | without a unit |\n|---|---|---|\n"
    "| size | `\"64 MiB\"` (B, KiB, MiB, GiB, TiB: powers of 1024), `\"64 MB\"` (kB, MB, GB, TB: "
    "powers of 1000) | integer: bytes |\n"
    "| duration | `\"200 ms\"`, `\"30 s\"`, `\"2 min\"`, `\"1.5 h\"`, `\"90 d\"` | number: seconds "
    "|\n"
    "| rate | `\"24 MiB/s\"` | integer: bytes per second |\n"
    "| share | `\"5 %\"` | number: 0.05 |\n\n";

}  // namespace

std::string default_config_text() {
  const DaemonConfig defaults;
  std::string out = kExampleHead;
  out += "[daemon]\n\n";
  for (const auto& key : daemon_keys()) out += example_key(key, defaults, "");
  out += kDefaultsIntro;
  for (const auto& key : policy_keys()) {
    out += key.type == ValueType::knob_bounds ? example_bounds(key)
                                              : example_key(key, defaults.defaults, "");
  }
  out += kTargetIntro;
  const TargetConfig target;
  for (const auto& key : target_keys()) {
    out += "#\n" + wrapped(key.help, "# ");
    out += wrapped("Allowed: " + allowed_text(key) + "; " + reload_text(key) + ".", "# ");
    out += "# " + key.name + " = " + default_text(key, target) + "\n";
  }
  return out;
}

std::string reference_page_markdown() {
  const DaemonConfig defaults;
  std::string out = kPageHead;
  out += "## `[daemon]`\n\n" + page_keys(daemon_keys(), defaults);
  out +=
      "## `[defaults]`\n\nThe policy of every target. Each key may be set again in a "
      "`[[target]]`.\n\n";
  out += page_keys(policy_keys(), defaults.defaults);
  out +=
      "## `[[target]]`\n\nOne a database that may be advised on or tuned. Takes every key of "
      "`[defaults]` besides its own:\n\n";
  out += page_keys(target_keys(), TargetConfig{});
  return out + page_knobs();
}

}  // namespace lsmtuned::config
