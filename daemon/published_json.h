// The published models (model/published/registry.h) as JSON: their inputs, the V4.2 document, and
// their answers.
//
// Inputs are read from the section "published" of a problem document, or from a V4.2 document,
// whose keys are those of its printed samples. Thread rules: pure functions.
#pragma once

#include <boost/json.hpp>

#include "daemon/json_input.h"
#include "model/published/registry.h"

namespace lsmtuned::daemon {

// Every member of PublishedInputs by its registered name; phase, workload, levels and v3 too. What
// the section gives replaces what `inputs` holds, also level by level.
void read_published(const boost::json::object& section, const std::string& place,
                    model::published::PublishedInputs& inputs, InputErrors& errors);

// Whether a document is one of V4.2's rather than a problem.
bool is_v42_document(const boost::json::object& document);
model::published::PublishedInputs read_v42(const boost::json::object& document,
                                           InputErrors& errors);

// Metadata of every prediction; for V4.2 also the keys of its printed output sample.
boost::json::object published_json(const model::published::PublishedPrediction& prediction);

}  // namespace lsmtuned::daemon
