#!/usr/bin/env python3
"""A real db_bench on a device that the kernel limits, tuned by the real daemon.

recovery: the database begins with settings that an accident might leave (level0_slowdown_writes_trigger
4, write buffers of 1 MiB). In mode tune the daemon must leave both behind, keep what it found, and the
put rate must be at least 1.5 times the one before.

revert: a healthy database under a paced load; an operator tries settings that cannot carry it
(lsmtunectl try). The trial must end reverted, by its own verdict, and the old values must be back in
the database: in its newest OPTIONS file.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))
import control  # noqa: E402
import daemon as daemons  # noqa: E402
import database  # noqa: E402
import device  # noqa: E402
import processors  # noqa: E402
import windows  # noqa: E402

MIB = 1 << 20
WRITE_LIMIT, READ_LIMIT = 24 * MIB, 48 * MIB
DEVICE_BYTES = 2 << 30
# Small, so that cycles are short: the largest write buffer that the budget allows is a fifth of it.
WORKLOAD = database.Workload(
    keys=200_000, key_bytes=16, value_bytes=1000, compression="snappy", wal=False
)
POLICY = """\
[[target]]
name = "main"
path = "{path}"
statistics = "latency"
mode = "{mode}"
memory_budget = "96 MiB"
observation = "{observation} s"
cooldown = "5 s"
trust_region_factor = 32
trial_min_cycles = 2
trial_min = "15 s"
trial_max = "60 s"
settle_max = "20 s"
on_exit = "keep"
"""
RECOVERY_RATIO = 1.5
PLANTED = {
    "write_buffer_size": MIB,
    "max_write_buffer_number": 2,
    "level0_file_num_compaction_trigger": 4,
    "level0_slowdown_writes_trigger": 4,
    "level0_stop_writes_trigger": 12,
    "max_bytes_for_level_base": 16 * MIB,
    "target_file_size_base": 2 * MIB,
    "max_background_jobs": 2,
}
HEALTHY = {**PLANTED, "write_buffer_size": 8 * MIB, "level0_slowdown_writes_trigger": 20,
           "level0_stop_writes_trigger": 36, "max_write_buffer_number": 4,
           "max_bytes_for_level_base": 64 * MIB}
PACED_BYTES_PER_S = 5 * MIB
# Levels of 1, 10 and 100 MiB below small L0 files: about ten device bytes for each byte put, twice
# what the device can do at this load. Five files a second meet triggers that leave no room for the
# length of a compaction, so that writers feel it from the first seconds on.
HARMFUL = {"write_buffer_size": "1 MiB", "max_bytes_for_level_base": "1 MiB",
           "level0_slowdown_writes_trigger": "8", "level0_stop_writes_trigger": "10"}


class Failure(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Failure(message)


def options_in_force(directory, names):
    """Of the newest OPTIONS file: RocksDB writes one at every change."""
    files = [p for p in pathlib.Path(directory).glob("OPTIONS-*") if p.name[8:].isdigit()]
    text = max(files, key=lambda path: int(path.name[8:])).read_text(encoding="utf-8")
    return {name: float(re.search(rf"^\s*{name}=([\d.]+)", text, re.M).group(1)) for name in names}


class World:
    """A slow device, a daemon and a db_bench, taken down in reverse."""

    def __init__(self, build, options, mode, observation, bytes_per_s=0):
        self.build = build
        self.work = tempfile.mkdtemp(prefix="lsmtuned-tuning-")
        self.slow = self.daemon = self.load = None
        self.started = time.monotonic()
        try:
            self.slow = device.SlowDevice(DEVICE_BYTES, WRITE_LIMIT, READ_LIMIT, label="lsmtuned-test")
            self.directory = f"{self.slow.mount}/db"
            database.load(self.directory, f"{self.work}/load.log", WORKLOAD, options, settle=True)
            self.slow.throttle()
            self.daemon = daemons.Daemon(
                build, self.work,
                POLICY.format(path=self.directory, mode=mode, observation=observation),
            )
            processors.prefer(self.daemon.process.pid)
            self.daemon.wait_ready()
            self.load = database.Overwrite(
                self.directory, f"{self.work}/db_bench.log", self.daemon.agent,
                self.daemon.environment(), 600, WORKLOAD, options, bytes_per_s, seed=1,
            )
            processors.prefer(self.load.process.pid)
            self.slow.adopt(self.load.process.pid)
            self.daemon.wait_for(lambda: self.snapshot() is not None, 30, "the agent did not attach")
        except Exception:
            self.close()
            raise

    def say(self, text):
        print(f"[{time.monotonic() - self.started:4.0f} s] {text}", flush=True)

    def snapshot(self):
        return self.daemon.snapshot("main")

    def call(self, command, **members):
        return self.daemon.call(command, target="main", **members)

    def proposals(self):
        listed = self.call("decisions", limit=100)["decisions"]
        return sorted((d for d in listed if d["kind"] == "proposal"), key=lambda d: d["id"])

    def window(self, seconds):
        first = self.snapshot()
        time.sleep(seconds)
        return windows.measure([first, self.snapshot()])

    def wait_for(self, condition, seconds, message):
        self.daemon.wait_for(condition, seconds, message)

    def ctl(self, *words):
        done = subprocess.run(
            [f"{self.build}/daemon/lsmtunectl", "--socket", self.daemon.socket, *words],
            capture_output=True, text=True, check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def check_writes(self):
        expect(self.load.running(), f"db_bench ended: {self.tail('db_bench.log')}")
        expect(self.load.failed_writes() == 0, f"writes failed: {self.tail('db_bench.log')}")

    def tail(self, name):
        return pathlib.Path(f"{self.work}/{name}").read_text(encoding="utf-8", errors="replace")[-1500:]

    def close(self):
        if self.slow:
            self.slow.release()
        if self.load:
            self.load.stop()
        if self.daemon:
            self.daemon.stop()
        problems = self.slow.close() if self.slow else []
        shutil.rmtree(self.work, ignore_errors=True)
        for problem in problems:
            print(f"clean-up: {problem}")


def recovery(world):
    time.sleep(5)
    before = world.window(15)
    world.say(f"planted: {before['put_bytes_per_s'] / MIB:.2f} MiB/s, stalled {before['stall_share']:.0%}")

    def kept():
        return any(decision["status"] == "kept" for decision in world.proposals())

    world.wait_for(kept, 110, "no change was kept")
    for decision in world.proposals():
        world.say(f"decision {decision['id']} {decision['status']}: {decision['explanation']}; "
                  f"{decision['evidence']}")
    # What is kept is measured; a trial of the next step must not be in the way.
    world.call("mode", mode="advise")
    world.wait_for(
        lambda: world.call("status")["phase"] in ("steady", "cooldown"), 100, "a trial does not end"
    )
    after = world.window(20)
    ratio = after["put_bytes_per_s"] / before["put_bytes_per_s"]
    world.say(f"recovered: {after['put_bytes_per_s'] / MIB:.2f} MiB/s, {ratio:.2f} times the planted")
    found = options_in_force(world.directory, ("level0_slowdown_writes_trigger", "write_buffer_size"))
    expect(found["level0_slowdown_writes_trigger"] > 4, f"the slowdown trigger is still planted: {found}")
    expect(found["write_buffer_size"] > MIB, f"the write buffer is still planted: {found}")
    expect(ratio >= RECOVERY_RATIO, f"{ratio:.2f} times the planted put rate, not {RECOVERY_RATIO}")
    world.check_writes()


def revert(world):
    world.wait_for(lambda: world.call("status")["phase"] == "steady", 60, "never steady")
    time.sleep(10)
    before = world.window(10)
    world.say(f"healthy: {before['put_bytes_per_s'] / MIB:.2f} MiB/s, stalled {before['stall_share']:.1%}")
    old = options_in_force(world.directory, HARMFUL)

    code, said = world.ctl("try", "level0_stop_writes_trigger=2")
    expect(code == 4, f"a proposal that breaks an ordering was not refused: {code} {said}")
    code, said = world.ctl("try", *(f"{name}={value}" for name, value in HARMFUL.items()))
    expect(code == 0, f"lsmtunectl try: {code} {said}")
    world.say(said.strip())
    world.wait_for(lambda: world.proposals(), 70, "nothing was sent")
    decision = world.proposals()[-1]["id"]
    world.wait_for(
        lambda: options_in_force(world.directory, HARMFUL) != old, 30, "the change never took hold"
    )

    def ended():
        return world.call("explain", id=decision)["decision"]["ended_wall_time_s"] > 0

    world.wait_for(ended, 150, "the trial does not end")
    record = world.call("explain", id=decision)["decision"]
    world.say(f"decision {decision} {record['status']}: {record['explanation']}; {record['evidence']}")
    expect(record["status"] == "reverted", f"the trial ended as {record['status']}: {record['evidence']}")
    expect(record["initiator"].startswith("try by "), f"initiator {record['initiator']}")
    expect("worse" in record["evidence"], f"not reverted by its verdict: {record['evidence']}")
    found = options_in_force(world.directory, HARMFUL)
    expect(found == old, f"not back in the database: {found}, were {old}")
    reported = world.snapshot()["settings"]["families"]["default"]
    expect(
        all(reported[name] == value for name, value in old.items()),
        f"not back in what the daemon sees: {reported}",
    )
    world.check_writes()


CASES = {
    "recovery": (recovery, {"options": PLANTED, "mode": "tune", "observation": 25}),
    "revert": (
        revert,
        {"options": HEALTHY, "mode": "advise", "observation": 5, "bytes_per_s": PACED_BYTES_PER_S},
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", choices=list(CASES))
    arguments = parser.parse_args()
    build = str(pathlib.Path(arguments.build).resolve())
    if shutil.which("db_bench") is None:
        print("skipped: db_bench is not installed (Debian: rocksdb-tools)")
        return 77
    for name, (case, how) in CASES.items():
        if arguments.only and name != arguments.only:
            continue
        print(f"== {name}", flush=True)
        try:
            world = World(build, **how)
        except device.Unavailable as reason:
            print(f"skipped: no device can be limited here: {reason}")
            return 77
        try:
            case(world)
        except (Failure, daemons.Failed, control.ControlError) as error:
            print(f"FAILED: {name}: {error}\n{world.tail('lsmtuned.log')}")
            return 1
        finally:
            world.close()
        print(f"== {name} passed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
