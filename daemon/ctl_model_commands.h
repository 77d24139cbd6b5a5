// lsmtunectl's commands over the models, each in a file of its own: predict, models, simulate,
// sensitivity, plan, bottleneck, recommend, gain, accuracy, calibrate.
//
// Each adds a subcommand whose run sets `code`. `call` and `code` must outlive the parse. Those
// that need a problem take --input FILE (- is standard input); without it they ask the daemon for
// the present problem of --target. All print JSON with --json.
#pragma once

#include <CLI/CLI.hpp>

#include "daemon/ctl_call.h"

namespace lsmtuned::daemon {

void add_predict(CLI::App& cli, const Call& call, int& code);
void add_models(CLI::App& cli, const Call& call, int& code);
void add_simulate(CLI::App& cli, const Call& call, int& code);
void add_sensitivity(CLI::App& cli, const Call& call, int& code);
void add_plan(CLI::App& cli, const Call& call, int& code);
void add_bottleneck(CLI::App& cli, const Call& call, int& code);
void add_gain(CLI::App& cli, const Call& call, int& code);
void add_accuracy(CLI::App& cli, const Call& call, int& code);
void add_recommend(CLI::App& cli, const Call& call, int& code);
void add_calibrate(CLI::App& cli, const Call& call, int& code);

}  // namespace lsmtuned::daemon
