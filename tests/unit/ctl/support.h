// Runs lsmtunectl in this process, on the examples of the documentation or on a text.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/ctl_run.h"

namespace lsmtuned::daemon::testing {

namespace json = boost::json;

inline std::string example(const std::string& name) {
  return std::string(LSMTUNED_EXAMPLES) + "/" + name;
}

inline std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Commands : public ::testing::Test {
 protected:
  Commands() {
    char name[] = "/tmp/lsmtuned-ctl-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~Commands() override { std::filesystem::remove_all(folder_); }

  int run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--socket", folder_ + "/no-daemon.sock"});
    out_.str("");
    err_.str("");
    return run_ctl(arguments, out_, err_);
  }
  json::object answer() const { return json::parse(out_.str()).as_object(); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  std::string program(const std::string& name, const std::string& text) const {
    const std::string made = file(name, text);
    ::chmod(made.c_str(), 0755);
    return made;
  }
  // The example with one member replaced: edited({"device", "write_bytes_per_s"}, 0).
  std::string edited(const std::vector<std::string>& where, json::value value) const {
    json::value document = json::parse(text_of_file(example("problem.json")));
    json::value* at = &document;
    for (const std::string& name : where) at = &at->as_object()[name];
    *at = std::move(value);
    return file("edited.json", json::serialize(document));
  }

  std::string folder_;
  std::ostringstream out_;
  std::ostringstream err_;
};

}  // namespace lsmtuned::daemon::testing
