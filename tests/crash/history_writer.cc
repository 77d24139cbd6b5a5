// Records decisions for as long as it lives, for the test that kills it.
//
//   history_writer DIRECTORY
//
// Continues after the newest decision it finds. Each goes from intended through applied to kept;
// after every record() that returned, one line "ID STATUS" is written to standard output.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "daemon/history.h"

int main(int argc, char** argv) {
  using lsmtuned::controller::DecisionStatus;
  if (argc != 2) return 2;
  auto history = lsmtuned::daemon::History::open(argv[1]);
  if (!history) {
    std::fprintf(stderr, "%s\n", history.error().text().c_str());
    return 1;
  }
  const auto newest = (*history)->decisions("main", 0, 1);
  if (!newest) return 1;
  lsmtuned::controller::Decision decision;
  decision.target = "main";
  decision.kind = lsmtuned::controller::DecisionKind::proposal;
  decision.id = newest->empty() ? 0 : newest->front().id;
  for (;;) {
    ++decision.id;
    for (const auto status :
         {DecisionStatus::intended, DecisionStatus::applied, DecisionStatus::kept}) {
      decision.status = status;
      decision.explanation = std::string(decision.id % 7 * 500, 'e');
      if (const auto recorded = (*history)->record(decision); !recorded) {
        std::fprintf(stderr, "%s\n", recorded.error().text().c_str());
        return 1;
      }
      const std::string line =
          std::to_string(decision.id) + " " + lsmtuned::controller::to_text(status) + "\n";
      if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return 1;
    }
  }
}
