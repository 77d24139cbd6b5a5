#include "actuators/device/sampler.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace lsmtuned::actuators {
namespace {

// Fixed by the kernel's interface, whatever the device's own sector size.
constexpr double kSectorBytes = 512;
constexpr std::size_t kLargestFile = 4u << 20;

std::optional<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::string text;
  char part[4096];
  while (text.size() < kLargestFile && (file.read(part, sizeof(part)) || file.gcount() > 0))
    text.append(part, static_cast<std::size_t>(file.gcount()));
  return text;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

std::optional<double> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return static_cast<double>(number);
}

struct Device {
  unsigned major_number = 0;
  unsigned minor_number = 0;
  std::string label() const {
    return std::to_string(major_number) + ":" + std::to_string(minor_number);
  }
};

// Field numbers of Documentation/admin-guide/iostats.rst, counted after major, minor and name.
bool read_diskstats(const std::string& proc, const Device& device, model::DeviceSample& sample) {
  const auto text = read_text(proc + "/diskstats");
  if (!text) return false;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    if (words.size() < 14 || number_of(words[0]) != device.major_number ||
        number_of(words[1]) != device.minor_number)
      continue;
    const auto field = [&](std::size_t n) { return number_of(words[2 + n]).value_or(0); };
    sample.name = words[2];
    sample.read_bytes = field(3) * kSectorBytes;
    sample.write_bytes = field(7) * kSectorBytes;
    sample.in_flight = field(9);
    sample.busy_seconds = field(10) / 1000.0;
    sample.weighted_io_seconds = field(11) / 1000.0;
    return true;
  }
  return false;
}

bool read_process_io(const std::string& process, model::DeviceSample& sample) {
  const auto text = read_text(process + "/io");
  if (!text) return false;
  std::istringstream lines(*text);
  bool found = false;
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    if (words.size() != 2) continue;
    if (words[0] == "read_bytes:") {
      sample.process_read_bytes = number_of(words[1]).value_or(0);
      found = true;
    } else if (words[0] == "write_bytes:") {
      sample.process_write_bytes = number_of(words[1]).value_or(0);
    }
  }
  return found;
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=123" -> 0.000123 s
std::optional<double> read_pressure(const std::string& path) {
  const auto text = read_text(path);
  if (!text) return std::nullopt;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    if (words.empty() || words[0] != "some") continue;
    constexpr std::string_view kTotal = "total=";
    for (const auto& word : words)
      if (word.starts_with(kTotal))
        if (const auto micros = number_of(std::string_view(word).substr(kTotal.size())))
          return *micros / 1e6;
  }
  return std::nullopt;
}

// A mounted cgroup hierarchy: where it is, and which part of the hierarchy is mounted there.
struct Hierarchy {
  std::string mount_point;
  std::string root;
};
struct Hierarchies {
  std::optional<Hierarchy> unified;
  std::optional<Hierarchy> blkio;
};

// mountinfo escapes space, tab, newline and backslash as three octal digits.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7';
    };
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      plain.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                        (text[i + 3] - '0')));
      i += 3;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

bool lists(const std::string& commas, std::string_view wanted) {
  std::istringstream stream(commas);
  for (std::string item; std::getline(stream, item, ',');)
    if (item == wanted) return true;
  return false;
}

// From our own mount table: the paths must be reachable by us, not by the database.
Hierarchies find_hierarchies(const std::string& proc) {
  Hierarchies found;
  const auto text = read_text(proc + "/self/mountinfo");
  if (!text) return found;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    const auto dash = std::ranges::find(words, "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const Hierarchy here{unescaped(words[4]), unescaped(words[3])};
    const std::string& type = dash[1];
    if (type == "cgroup2" && !found.unified) found.unified = here;
    if (type == "cgroup" && lists(dash[3], "blkio") && !found.blkio) found.blkio = here;
  }
  return found;
}

// The process's place in both hierarchies: lines "0::/path" and "4:blkio:/path".
struct Places {
  std::optional<std::string> unified;
  std::optional<std::string> blkio;
};
Places find_places(const std::string& process) {
  Places places;
  const auto text = read_text(process + "/cgroup");
  if (!text) return places;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty())
      places.unified = path;
    else if (lists(controllers, "blkio"))
      places.blkio = path;
  }
  return places;
}

// Directories from the cgroup up to the mounted root, both included. Empty where the cgroup lies
// outside the mounted part.
std::vector<std::string> directories_of(const Hierarchy& hierarchy, std::string place) {
  if (hierarchy.root != "/") {
    if (place != hierarchy.root && !place.starts_with(hierarchy.root + "/")) return {};
    place.erase(0, hierarchy.root.size());
  }
  if (place.find("..") != std::string::npos) return {};
  while (!place.empty() && place.back() == '/') place.pop_back();
  std::vector<std::string> directories;
  while (true) {
    directories.push_back(hierarchy.mount_point + place);
    if (place.empty()) return directories;
    place.erase(place.rfind('/'));
  }
}

void tighten(double& limit, double other) {
  if (other > 0 && (limit == 0 || other < limit)) limit = other;
}

// "8:0 rbps=1048576 wbps=max riops=max wiops=max"
void read_io_max(const std::string& path, const Device& device, model::DeviceSample& sample) {
  const auto text = read_text(path);
  if (!text) return;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    if (words.empty() || words[0] != device.label()) continue;
    for (const auto& word : words) {
      if (word.starts_with("rbps="))
        tighten(sample.read_limit_bytes_per_s, number_of(word.substr(5)).value_or(0));
      if (word.starts_with("wbps="))
        tighten(sample.write_limit_bytes_per_s, number_of(word.substr(5)).value_or(0));
    }
  }
}

// "7:0 25165824"
void read_throttle(const std::string& path, const Device& device, double& limit) {
  const auto text = read_text(path);
  if (!text) return;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    if (words.size() == 2 && words[0] == device.label())
      tighten(limit, number_of(words[1]).value_or(0));
  }
}

// Limits bind whole disks, so a partition's limit is looked up under the disk it lies on.
Device whole_disk(const std::string& sys, const Device& device) {
  const std::string entry = sys + "/dev/block/" + device.label();
  if (!read_text(entry + "/partition")) return device;
  const auto text = read_text(entry + "/../dev");
  if (!text) return device;
  const auto colon = text->find(':');
  const auto end = text->find_last_not_of(" \n");
  if (colon == std::string::npos || end == std::string::npos || end <= colon) return device;
  const auto major_number = number_of(std::string_view(*text).substr(0, colon));
  const auto minor_number = number_of(std::string_view(*text).substr(colon + 1, end - colon));
  if (!major_number || !minor_number) return device;
  return {static_cast<unsigned>(*major_number), static_cast<unsigned>(*minor_number)};
}

}  // namespace

DeviceSampler::DeviceSampler(std::string database_path, int pid, KernelPaths paths)
    : database_path_(std::move(database_path)), pid_(pid), paths_(std::move(paths)) {}

Result<model::DeviceSample> DeviceSampler::sample() {
  const auto note = [this](const std::string& text) {
    if (std::ranges::find(missing_, text) == missing_.end()) missing_.push_back(text);
  };
  struct stat status {};
  if (stat(database_path_.c_str(), &status) != 0)
    return Error{
        "the database directory " + database_path_ + " cannot be examined: " + std::strerror(errno),
        "let the daemon's user search its parent directories"};

  model::DeviceSample sample;
  const Device device{major(status.st_dev), minor(status.st_dev)};
  sample.name = device.label();
  if (!read_diskstats(paths_.proc, device, sample)) {
    if (device.major_number == 0)
      note(database_path_ + " lies on a file system without a block device of its own (" +
           device.label() + ", as overlay, btrfs, tmpfs and network file systems are): no disk" +
           " statistics and no device limits");
    else
      note("device " + device.label() + " of " + database_path_ + " is not in " + paths_.proc +
           "/diskstats: no disk statistics");
  }
  struct statvfs space {};
  if (statvfs(database_path_.c_str(), &space) == 0)
    sample.free_bytes = static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize);
  else
    note("free space of " + database_path_ + " is unknown: " + std::strerror(errno));

  const std::string process = paths_.proc + "/" + std::to_string(pid_);
  if (pid_ > 0 && !read_process_io(process, sample))
    note(process + "/io cannot be read (other user or process gone): no I/O of the process");

  const Hierarchies hierarchies = find_hierarchies(paths_.proc);
  // Of an unknown process only what binds everyone can be said: the root groups.
  const Places places = pid_ > 0 ? find_places(process) : Places{"/", "/"};
  const auto directories = [](const auto& hierarchy, const auto& place) {
    return hierarchy && place ? directories_of(*hierarchy, *place) : std::vector<std::string>();
  };
  const auto unified = directories(hierarchies.unified, places.unified);
  const auto blkio = directories(hierarchies.blkio, places.blkio);

  std::optional<double> pressure;
  // The root group has no pressure file of its own; the system's is the same thing.
  if (unified.size() > 1) pressure = read_pressure(unified.front() + "/io.pressure");
  sample.pressure_is_cgroup = pressure.has_value();
  if (!pressure) {
    note("no io.pressure of the database's cgroup: pressure is of the whole system");
    pressure = read_pressure(paths_.proc + "/pressure/io");
    if (!pressure) note(paths_.proc + "/pressure/io is missing: no I/O pressure");
  }
  sample.pressure_some_seconds = pressure.value_or(0);

  const Device disk = whole_disk(paths_.sys, device);
  for (const auto& directory : unified) read_io_max(directory + "/io.max", disk, sample);
  for (const auto& directory : blkio) {
    read_throttle(directory + "/blkio.throttle.read_bps_device", disk,
                  sample.read_limit_bytes_per_s);
    read_throttle(directory + "/blkio.throttle.write_bps_device", disk,
                  sample.write_limit_bytes_per_s);
  }
  if (pid_ <= 0)
    note("the process of the database is unknown: only limits that bind everyone are seen");
  else if (unified.empty() && blkio.empty())
    note("the cgroup of the database is unknown: limits of the device are not seen");
  return sample;
}

}  // namespace lsmtuned::actuators
