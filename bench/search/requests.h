// Search requests as the controller makes them: saturated databases of different size, device,
// budget and objective, in the state that the simulator leaves them in after minutes of load.
//
// Simulated, not measured. Pure and deterministic; bytes, seconds.
#pragma once

#include <string>
#include <vector>

#include "controller/search.h"

namespace lsmtuned::bench {

struct NamedRequest {
  std::string name;
  controller::SearchRequest request;
};

// Throws std::runtime_error where the simulator refuses one of the problems.
std::vector<NamedRequest> search_requests();

}  // namespace lsmtuned::bench
