#include "actuators/agent/observe.h"

#include <rocksdb/convenience.h>
#include <rocksdb/statistics.h>
#include <rocksdb/utilities/options_type.h>

#include <array>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "actuators/agent/rocksdb_access.h"

namespace lsmtuned::agent {
namespace {

constexpr std::array kDatabaseProperties = {
    "num-running-flushes", "num-running-compactions",   "actual-delayed-write-rate",
    "is-write-stopped",    "background-errors",         "block-cache-capacity",
    "block-cache-usage",   "is-file-deletions-enabled",
};

constexpr std::array kFamilyProperties = {
    "num-immutable-mem-table",
    "mem-table-flush-pending",
    "compaction-pending",
    "cur-size-active-mem-table",
    "cur-size-all-mem-tables",
    "size-all-mem-tables",
    "estimate-pending-compaction-bytes",
    "base-level",
    "live-sst-files-size",
    "total-sst-files-size",
    "estimate-live-data-size",
    "num-live-versions",
    "current-super-version-number",
    "estimate-table-readers-mem",
};

constexpr std::array kHistograms = {
    rocksdb::DB_WRITE,
    rocksdb::WRITE_STALL,
    rocksdb::FLUSH_TIME,
    rocksdb::COMPACTION_TIME,
    rocksdb::COMPACTION_CPU_TIME,
    rocksdb::WAL_FILE_SYNC_MICROS,
    rocksdb::COMPACTION_OUTFILE_SYNC_MICROS,
    rocksdb::MANIFEST_FILE_SYNC_MICROS,
    rocksdb::NUM_FILES_IN_SINGLE_COMPACTION,
};

const char* style_name(rocksdb::CompactionStyle style) {
  switch (style) {
    case rocksdb::kCompactionStyleLevel:
      return "level";
    case rocksdb::kCompactionStyleUniversal:
      return "universal";
    case rocksdb::kCompactionStyleFIFO:
      return "fifo";
    case rocksdb::kCompactionStyleNone:
      return "none";
  }
  return "none";
}

std::string compression_name(rocksdb::CompressionType type) {
  std::string name;
  if (!rocksdb::GetStringFromCompressionType(&name, type).ok()) return "";
  return name;
}

struct Integers {
  boost::json::object json;
  std::map<std::string, std::uint64_t> values;
};

template <std::size_t N>
Integers integers(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family,
                  const std::array<const char*, N>& names) {
  Integers found;
  for (const char* name : names) {
    std::uint64_t value = 0;
    if (!db->GetIntProperty(family, std::string("rocksdb.") + name, &value)) continue;
    found.json[name] = value;
    found.values[name] = value;
  }
  return found;
}

boost::json::object map_property(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family,
                                 const char* name) {
  std::map<std::string, std::string> entries;
  boost::json::object json;
  if (!db->GetMapProperty(family, name, &entries)) return json;
  for (const auto& [key, text] : entries) json[key] = text;
  return json;
}

boost::json::array per_level(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family,
                             const char* prefix, int levels, bool whole) {
  boost::json::array list;
  for (int level = 0; level < levels; ++level) {
    std::string text;
    if (!db->GetProperty(family, prefix + std::to_string(level), &text)) break;
    if (whole) {
      list.push_back(std::strtoull(text.c_str(), nullptr, 10));
    } else {
      list.push_back(std::strtod(text.c_str(), nullptr));
    }
  }
  return list;
}

boost::json::object facts_of(const rocksdb::Options& options) {
  return {
      {"compaction_style", style_name(options.compaction_style)},
      {"min_write_buffer_number_to_merge", options.min_write_buffer_number_to_merge},
      {"num_levels", options.num_levels},
      {"level_compaction_dynamic_level_bytes", options.level_compaction_dynamic_level_bytes},
      {"disable_auto_compactions", options.disable_auto_compactions},
      {"arena_block_size", options.arena_block_size},
      {"compression", compression_name(options.compression)},
      {"compaction_readahead_size", options.compaction_readahead_size},
  };
}

boost::json::array bucket_list(const BucketCounts& counts) {
  boost::json::array list;
  const std::vector<std::uint64_t> all = counts.all();
  for (std::uint32_t bucket = 0; bucket < all.size(); ++bucket) {
    if (all[bucket] == 0) continue;
    list.push_back(bucket);
    list.push_back(all[bucket]);
  }
  return list;
}

void add_statistics(const Parts& parts, boost::json::object& body) {
  if (parts.statistics == nullptr) return;
  std::map<std::string, std::uint64_t> tickers;
  if (parts.statistics->getTickerMap(&tickers)) {
    boost::json::object json;
    for (const auto& [name, count] : tickers)
      if (count != 0) json[name] = count;
    body["tickers"] = std::move(json);
  }
  if (parts.level == "tickers") return;
  boost::json::object histograms;
  for (const auto& [type, name] : rocksdb::HistogramsNameMap) {
    if (std::find(kHistograms.begin(), kHistograms.end(), type) == kHistograms.end()) continue;
    rocksdb::HistogramData data;
    parts.statistics->histogramData(type, &data);
    if (data.count == 0) continue;
    histograms[name] = boost::json::object{{"count", data.count},      {"sum", data.sum},
                                           {"p50", data.median},       {"p95", data.percentile95},
                                           {"p99", data.percentile99}, {"max", data.max}};
  }
  if (!histograms.empty()) body["histograms"] = std::move(histograms);
  if (parts.latency != nullptr) {
    body["latency"] = boost::json::object{{"put_us", bucket_list(parts.latency->writes())},
                                          {"stall_us", bucket_list(parts.latency->stalls())}};
  }
}

std::size_t size_of(const boost::json::value& json) {
  return boost::json::serialize(json).size();
}

struct FamilyReadings {
  std::string name;
  Texts texts;
  boost::json::object facts;
  boost::json::object readings;
};

// False when the gate began to close: what was read so far is of no use any more.
bool read_family(Database& database, std::uint32_t id, rocksdb::ColumnFamilyHandle* family,
                 FamilyReadings& into) {
  rocksdb::DB* const db = database.root();
  const auto closing = [&database] { return database.gate().closing(); };
  into.name = family->GetName();
  const rocksdb::Options options = db->GetOptions(family);
  into.texts = family_texts(options);
  into.facts = facts_of(options);
  if (closing()) return false;
  into.readings["id"] = id;
  boost::json::object properties;
  for (const char* name : kFamilyProperties) {
    if (closing()) return false;
    std::uint64_t value = 0;
    if (db->GetIntProperty(family, std::string("rocksdb.") + name, &value))
      properties[name] = value;
  }
  into.readings["properties"] = std::move(properties);
  if (closing()) return false;
  into.readings["files_at_level"] =
      per_level(db, family, "rocksdb.num-files-at-level", options.num_levels, true);
  if (closing()) return false;
  into.readings["compression_at_level"] =
      per_level(db, family, "rocksdb.compression-ratio-at-level", options.num_levels, false);
  if (closing()) return false;
  into.readings["cfstats"] = map_property(db, family, "rocksdb.cfstats");
  return !closing();
}

}  // namespace

Result<boost::json::object> observe(Database& database, std::size_t budget) {
  const Error closed{"database is closing", ""};
  boost::json::object body;
  boost::json::object settings;
  boost::json::object facts;
  boost::json::object families;

  body["uptime_s"] = database.uptime_s();
  add_statistics(database.parts(), body);
  {
    const Gate::Use use(database.gate());
    if (!use) return closed;
    rocksdb::DB* const db = database.root();
    settings["database"] = to_json(database_texts(db->GetDBOptions()));
    rocksdb::ColumnFamilyHandle* const family = db->DefaultColumnFamily();
    Integers integers_of_db = integers(db, family, kDatabaseProperties);
    const bool flushing = integers_of_db.values["num-running-flushes"] > 0;
    const bool compacting = integers_of_db.values["num-running-compactions"] > 0;
    integers_of_db.json["dbstats"] = map_property(db, family, "rocksdb.dbstats");
    body["database"] = std::move(integers_of_db.json);
    if (const auto& listener = database.parts().listener) {
      const JobCounts counts = listener->counts(flushing, compacting);
      body["jobs"] = boost::json::object{{"flushes", counts.flushes},
                                         {"compactions", counts.compactions},
                                         {"l0_compactions", counts.l0_compactions},
                                         {"oldest_running_s", counts.oldest_running_s},
                                         {"manual_running", counts.manual_running},
                                         {"range_deletions", counts.range_deletions},
                                         {"stall_changes", counts.stall_changes}};
    }
  }

  std::size_t used = size_of(body) + size_of(settings) + 256;
  std::uint64_t left_out = 0;
  for (const std::uint32_t id : database.candidate_ids()) {
    FamilyReadings family;
    {
      const Gate::Use use(database.gate());
      if (!use) return closed;
      const FamilyHandle handle = family_handle(database.root(), id);
      if (handle == nullptr) {
        database.missed_family(id);
        continue;
      }
      if (!read_family(database, id, handle.get(), family)) return closed;
    }
    database.saw_family(id, family.name, family.texts);
    boost::json::object texts = to_json(family.texts);
    const std::size_t common =
        size_of(texts) + size_of(family.facts) + 3 * size_of(boost::json::string(family.name)) + 16;
    std::size_t size = common + size_of(family.readings);
    if (used + size > budget) {
      family.readings.erase("cfstats");
      size = common + size_of(family.readings);
    }
    if (used + size > budget) {
      ++left_out;
      continue;
    }
    used += size;
    facts[family.name] = std::move(family.facts);
    families[family.name] = std::move(family.readings);
    if (!settings.contains("families")) settings["families"] = boost::json::object();
    settings["families"].as_object()[family.name] = std::move(texts);
  }
  body["settings"] = std::move(settings);
  body["facts"] = std::move(facts);
  body["families"] = std::move(families);
  if (left_out > 0) body["families_left_out"] = left_out;
  return {Result<boost::json::object>::in_place_value, std::move(body)};
}

}  // namespace lsmtuned::agent
