#!/usr/bin/env python3
"""The main job: tune a live, unmodified db_bench on a slow device, and show before and after.

Three stretches on one running database: an observed window without any change, tuning, and a
frozen window. Both windows last at least 120 s and end where an L0 compaction ends, so that whole
compaction cycles are compared.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import control
import daemon
import database
import device
import picture
import report
import windows

MIB = 1 << 20
WRITE_LIMIT = 24 * MIB
READ_LIMIT = 48 * MIB
DEVICE_BYTES = 6 << 30
WINDOW_S = 120
WARM_UP_S = 40
SETTLE_S = 25
MEMORY_BUDGET = "256 MiB"

CONFIGURATION = """\
[defaults]
memory_budget = "{budget}"

# Trials are shorter than an operator would want: the whole run has to fit into minutes.
[[target]]
name = "demo"
path = "{database}"
statistics = "latency"
mode = "observe"
on_exit = "revert"
observation = "60 s"
cooldown = "5 s"
trust_region_factor = 32
trial_min_cycles = 2
trial_min = "45 s"
trial_max = "150 s"
settle_max = "60 s"
"""


class Interrupted(Exception):
    pass


class Demo:
    def __init__(self, arguments):
        self.arguments = arguments
        self.started = time.monotonic()
        self.build = os.path.abspath(arguments.build)
        self.work = tempfile.mkdtemp(prefix="lsmtuned-run-")
        self.state = os.path.abspath(arguments.state or f"{self.work}/state")
        self.slow = self.daemon = self.load = None
        self.samples = []  # one snapshot a second
        self.changes = []
        self.phase = self.words = ""
        self.last_line = 0.0

    # ---- set-up -----------------------------------------------------------------------------

    def say(self, text):
        print(f"[{time.monotonic() - self.started:5.0f} s] {text}", flush=True)

    def make_device(self):
        environment = {}
        try:
            if self.arguments.no_throttle:
                raise device.Unavailable("asked for with --no-throttle")
            self.slow = device.SlowDevice(DEVICE_BYTES, WRITE_LIMIT, READ_LIMIT)
            self.directory = f"{self.slow.mount}/db"
        except device.Unavailable as reason:
            self.say(f"no kernel-throttled device: {reason}")
            self.say(f"using RocksDB's rate limiter at {WRITE_LIMIT // MIB} MiB/s instead")
            self.directory = f"{self.work}/db"
            environment["LSMTUNED_RATE_LIMIT"] = str(WRITE_LIMIT)
        return environment

    def start(self):
        environment = self.make_device()
        load = database.DEMO
        self.say(f"loading {load.keys} keys of {load.key_bytes} + {load.value_bytes} B")
        database.load(self.directory, f"{self.work}/load.log")
        if self.slow:
            self.slow.throttle()
            self.say(self.slow.describe())

        self.daemon = daemon.Daemon(
            self.build,
            self.work,
            CONFIGURATION.format(budget=MEMORY_BUDGET, database=self.directory),
            self.state,
        )
        self.daemon.wait_ready()
        self.load = database.Overwrite(
            self.directory,
            f"{self.work}/db_bench.log",
            self.daemon.agent,
            {**environment, **self.daemon.environment()},
            self.arguments.seconds + 60,
        )
        if self.slow:
            self.slow.adopt(self.load.process.pid)
        self.daemon.wait_for(lambda: self.snapshot() is not None, 30, "the agent did not attach")

    # ---- watching ---------------------------------------------------------------------------

    def call(self, command, **members):
        return self.daemon.call(command, target="demo", **members)

    def snapshot(self):
        return self.daemon.snapshot("demo")

    def watch(self):
        """One second: a sample, and a line of progress where there is something to say."""
        if not self.load.running():
            raise RuntimeError(f"db_bench ended; see {self.work}/db_bench.log")
        self.daemon.check()
        sample = self.snapshot()
        if sample and (not self.samples or sample["time_s"] > self.samples[-1]["time_s"]):
            if self.samples and sample["settings"] != self.samples[-1]["settings"]:
                self.changes.append((sample["time_s"], f"{len(self.changes) + 1}"))
            self.samples.append(sample)
        status = self.call("status")
        decision = status.get("last_decision") or {}
        words = f"{decision.get('id', '')} {decision.get('status', '')}"
        now = time.monotonic()
        if words != self.words and decision.get("explanation"):
            self.say(f"decision #{decision['id']} {decision['status']}: {decision['explanation']}")
            if decision.get("evidence"):
                self.say(f"  {decision['evidence']}")
        if words != self.words or status["phase"] != self.phase or now - self.last_line >= 15:
            self.words, self.phase, self.last_line = words, status["phase"], now
            self.progress(status)
        time.sleep(1)
        return status

    def progress(self, status):
        recent = self.samples[-16:]
        rate = share = 0.0
        if len(recent) > 1:
            measured = windows.measure(recent)
            rate, share = measured["put_bytes_per_s"], measured["stall_share"]
        prediction = status.get("prediction") or {}
        s_max = prediction.get("put_bytes_per_s", 0)
        predicted = f"S_max {report.rate(s_max)} ({prediction.get('bound')})" if s_max else "S_max -"
        self.say(
            f"{self.stretch:7} {status['phase']:10} put {report.rate(rate):>12}  "
            f"stalled {100 * share:3.0f} %  {predicted}  {self.settings_line()}"
        )

    def settings_line(self):
        if not self.samples:
            return ""
        family = next(iter(self.samples[-1]["settings"]["families"].values()))
        return (
            f"W {family['write_buffer_size'] / MIB:.0f} MiB x {family['max_write_buffer_number']:.0f}"
            f"  L0 {family['level0_file_num_compaction_trigger']:.0f}"
            f"/{family['level0_slowdown_writes_trigger']:.0f}"
            f"/{family['level0_stop_writes_trigger']:.0f}"
            f"  base {family['max_bytes_for_level_base'] / MIB:.0f} MiB"
        )

    def elapsed(self):
        return time.monotonic() - self.started

    def cycles(self):
        return self.samples[-1]["state"]["l0_compactions_completed"] if self.samples else 0

    def run_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.watch()

    def to_cycle_end(self, at_most_s):
        """Goes on until an L0 compaction has just ended: like phases of the cycle are compared."""
        end, cycles = time.monotonic() + at_most_s, self.cycles()
        while self.cycles() == cycles and time.monotonic() < end:
            self.watch()

    def window(self):
        self.to_cycle_end(60)
        start = len(self.samples) - 1
        self.run_for(WINDOW_S)
        self.to_cycle_end(90)
        samples = self.samples[start:]
        for sample in samples[1:]:
            if sample["settings"] != samples[0]["settings"]:
                raise RuntimeError("settings changed inside a measuring window")
        return samples

    # ---- the run ----------------------------------------------------------------------------

    def run(self):
        self.stretch = "before"
        self.start()
        self.run_for(WARM_UP_S)
        before = self.window()

        self.stretch = "tuning"
        self.say("the daemon may act now")
        self.call("mode", mode="tune")
        self.tune()

        self.stretch = "after"
        self.call("freeze")
        self.run_for(SETTLE_S)
        after = self.window()
        self.windows = (before, after)
        return self.result(before, after)

    def tune(self):
        end = self.arguments.seconds - SETTLE_S - WINDOW_S - 100
        quiet_since = time.monotonic()
        while self.elapsed() < end or self.phase in ("applying", "settling", "verifying", "reverting"):
            if self.elapsed() > end + 100:
                break
            self.watch()
            if self.phase in ("applying", "settling", "verifying", "reverting"):
                quiet_since = time.monotonic()
            elif self.changes and time.monotonic() - quiet_since > 75:
                self.say("no better settings in sight")
                break

    def trials(self):
        found = []
        for decision in self.call("decisions", limit=200)["decisions"]:
            if decision["kind"] != "proposal" or not decision.get("measured_after"):
                continue
            if decision["status"] not in ("kept", "reverted", "inconclusive"):
                continue
            found.append(
                {
                    "id": decision["id"],
                    "settings": {
                        (f"{c['family']}." if c.get("family") else "") + c["option"]: c["new"]
                        for c in decision["changes"]
                    },
                    "changes": decision.get("explanation", ""),
                    "predicted_put_bytes_per_s": decision["predicted_after"]["put_bytes_per_s"],
                    "predicted_settled_put_bytes_per_s": decision["predicted_settled"][
                        "put_bytes_per_s"
                    ],
                    "measured_put_bytes_per_s": decision["measured_after"]["put_bytes_per_s"],
                    "outcome": decision["status"],
                    "evidence": decision.get("evidence", ""),
                    "short_trial": decision.get("short_trial", False),
                }
            )
        return sorted(found, key=lambda trial: trial["id"])

    def settings_changed(self, before, after):
        changed = []
        scopes = [("", before["settings"]["database"], after["settings"]["database"])]
        for name, values in before["settings"]["families"].items():
            scopes.append((f"{name}.", values, after["settings"]["families"][name]))
        for prefix, old, new in scopes:
            for option, value in old.items():
                if option in new and new[option] != value:
                    changed.append({"option": prefix + option, "old": value, "new": new[option]})
        return changed

    def result(self, before, after):
        return {
            "schema": 1,
            "simulated": False,
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
            "seconds": self.elapsed(),
            "device": self.slow.describe() if self.slow else "RocksDB's rate limiter, 24 MiB/s",
            "memory_budget": MEMORY_BUDGET,
            "before": windows.measure(before),
            "after": windows.measure(after),
            "settings_changed": self.settings_changed(before[-1], after[-1]),
            "trials": self.trials(),
            "failed_writes": self.load.failed_writes()
            + int(after[-1]["state"]["background_errors"]),
            "decision_log": "build/last-run/state/decisions.jsonl"
            if not self.arguments.state
            else f"{self.state}/decisions.jsonl",
        }

    def draw(self, path, result):
        first = self.samples[0]["time_s"]
        series = []
        for earlier, later in zip(self.samples, self.samples[1:]):
            seconds = later["time_s"] - earlier["time_s"]
            done = later["counters"]["user_bytes"] - earlier["counters"]["user_bytes"]
            series.append((later["time_s"] - first, done / seconds))
        spans = []
        for label, samples in (("before", self.windows[0]), ("after", self.windows[1])):
            spans.append(
                (
                    samples[0]["time_s"] - first,
                    samples[-1]["time_s"] - first,
                    label,
                    result[label]["put_bytes_per_s"],
                )
            )
        changes = [(when - first, label) for when, label in self.changes]
        picture.draw(path, series, spans, changes, "db_bench overwrite, tuned by lsmtuned while it runs")

    # ---- the end ----------------------------------------------------------------------------

    def close(self):
        """Baseline back first, while the database lives; then everything in reverse order."""
        if self.daemon and not self.daemon.stop():
            self.say("lsmtuned did not end in time; killed (the agent's lease restores)")
        if self.load:
            self.load.stop()
        if self.slow:
            for problem in self.slow.close():
                self.say(f"clean-up: {problem}")


def arguments():
    parser = argparse.ArgumentParser(prog="./dev run")
    parser.add_argument("--build", default="build/release", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=840, help="bound on the run (at least 540)")
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON")
    parser.add_argument("--picture", metavar="FILE", help="write a picture of the run as SVG")
    parser.add_argument("--state", metavar="DIR", help="keep the daemon's state and decision log here")
    parser.add_argument("--no-throttle", action="store_true", help="use RocksDB's rate limiter")
    parsed = parser.parse_args()
    if parsed.seconds < 540:
        parser.error("--seconds: two windows of 120 s, a warm-up and a trial need at least 540")
    for path in (parsed.json, parsed.picture):
        if path and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            parser.error(f"{path}: its directory does not exist")
    return parsed


def main():
    parsed = arguments()
    demo = Demo(parsed)

    def interrupt(number, _frame):
        raise Interrupted(signal.Signals(number).name)

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    code = 0
    try:
        result = demo.run()
        print()
        print(report.text(result))
        if parsed.json:
            with open(parsed.json, "w", encoding="utf-8") as file:
                json.dump(result, file, indent=1)
                file.write("\n")
            print(f"result written to {parsed.json}")
        if parsed.picture:
            demo.draw(parsed.picture, result)
            print(f"picture written to {parsed.picture}")
    except Interrupted as name:
        demo.say(f"{name}: restoring the baseline and cleaning up")
        code = 130
    except (RuntimeError, daemon.Failed, control.ControlError, device.Unavailable, OSError) as error:
        print(f"./dev run: {error}", file=sys.stderr)
        code = 1
    finally:
        # A second Ctrl-C must not stop the clean-up half way.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        demo.close()
    if code == 130:
        shutil.rmtree(demo.work, ignore_errors=True)
    if code == 0 and not parsed.state:
        kept = os.path.abspath("build/last-run")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(demo.work, kept, ignore=shutil.ignore_patterns("*.sock", "db"))
        shutil.rmtree(demo.work, ignore_errors=True)
        print(f"logs and decision log: {kept}")
    sys.exit(code)


if __name__ == "__main__":
    main()
