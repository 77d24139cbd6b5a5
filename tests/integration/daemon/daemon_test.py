#!/usr/bin/env python3
"""The real lsmtuned and lsmtunectl with a real db_bench under the preloaded agent.

What is shown: a second daemon is refused; diagnose tells attached from not attached; a bad
configuration changes nothing on SIGHUP; the daemon is killed with -9 in each phase of a trial and
started again, and every option is then the baseline's or one that a recorded decision sent; SIGTERM
puts the baseline back; a database that is closed and opened again is found again; an embedded
database is served.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))
import control  # noqa: E402

BASELINE = {
    "write_buffer_size": 1 << 20,
    "max_write_buffer_number": 4,
    "level0_file_num_compaction_trigger": 4,
    "level0_slowdown_writes_trigger": 20,
    "level0_stop_writes_trigger": 36,
    "max_bytes_for_level_base": 4 << 20,
    "target_file_size_base": 1 << 20,
}

CONFIGURATION = """\
[daemon]
agent_socket = "{work}/agent.sock"
control_socket = "{work}/control.sock"
state_directory = "{work}/state"
metrics_listen = ""
log_target = "stderr"

[defaults]
memory_budget = "64 MiB"
lease = "6 s"
apply_deadline = "2 s"
observation = "4 s"
cooldown = "2 s"
trust_gate = 0.99
trust_region_factor = 4
reverts_per_hour_limit = 60
failed_memory = "1 s"
trial_min_cycles = 2
trial_min = "{trial}"
trial_max = "60 s"
settle_max = "20 s"
on_exit = "revert"

[[target]]
name = "main"
path = "{work}/db"
mode = "tune"
"""


class Failure(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Failure(message)


class World:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.work = tempfile.mkdtemp(prefix="lsmtuned-daemon-")
        self.config = f"{self.work}/lsmtuned.toml"
        self.socket = f"{self.work}/control.sock"
        self.log = open(f"{self.work}/lsmtuned.log", "a", encoding="utf-8")
        self.daemon = self.database = None
        self.write_configuration()

    def write_configuration(self, trial="15 s", extra=""):
        text = CONFIGURATION.format(work=self.work, trial=trial) + extra
        pathlib.Path(self.config).write_text(text, encoding="utf-8")

    def lsmtuned(self, *arguments):
        return subprocess.Popen(
            [f"{self.build}/daemon/lsmtuned", "--config", self.config, *arguments],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def ctl(self, *arguments):
        return subprocess.run(
            [f"{self.build}/daemon/lsmtunectl", "--socket", self.socket, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def start_daemon(self):
        self.daemon = self.lsmtuned()
        self.wait(lambda: self.ask("targets") is not None, 20, "the daemon does not answer")

    def kill_daemon(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def start_database(self, preload=True):
        environment = dict(os.environ)
        if preload:
            environment["LD_PRELOAD"] = f"{self.build}/actuators/agent/liblsmtuned_agent.so"
            environment["LSMTUNED_SOCKET"] = f"{self.work}/agent.sock"
            environment["LSMTUNED_RATE_LIMIT"] = str(16 << 20)
        output = open(f"{self.work}/db_bench.log", "a", encoding="utf-8")
        options = [f"--{name}={value}" for name, value in BASELINE.items()]
        self.database = subprocess.Popen(
            [
                "db_bench", "--benchmarks=overwrite", f"--db={self.work}/db", "--num=100000",
                "--key_size=16", "--value_size=1024", "--duration=900", "--max_background_jobs=2",
                "--disable_wal=1", "--compression_type=none", *options,
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )

    def stop_database(self):
        self.database.terminate()
        self.database.wait()

    def ask(self, command, **members):
        try:
            return control.call(self.socket, command, **members)
        except control.ControlError:
            return None

    def phase(self):
        status = self.ask("status", target="main")
        return status["phase"] if status else None

    def log_text(self):
        return pathlib.Path(f"{self.work}/lsmtuned.log").read_text(encoding="utf-8")

    def wait(self, condition, seconds, message, pause_s=0.02):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(pause_s)
        raise Failure(f"{message}; status {json.dumps(self.ask('status', target='main'))[:3000]}")

    def options_in_force(self):
        """The newest OPTIONS file: RocksDB rewrites it with every change."""
        for _ in range(20):
            files = list(pathlib.Path(f"{self.work}/db").glob("OPTIONS-??????"))
            newest = max(files, key=lambda path: int(path.name.split("-")[1]))
            try:
                text = newest.read_text(encoding="utf-8")
                return {
                    name: int(re.search(rf"^\s*{name}=(\d+)", text, re.M).group(1))
                    for name in BASELINE
                }
            except (FileNotFoundError, AttributeError):
                time.sleep(0.05)  # replaced while it was read
        raise Failure("no OPTIONS file can be read")

    def recorded_values(self):
        """Every value that a decision on disk names, by option."""
        values = {}
        for decision in self.ask("decisions", target="main", limit=500)["decisions"]:
            for change in decision["changes"]:
                values.setdefault(change["option"], set()).update((change["new"], change["old"]))
        return values

    def stop(self):
        for process in (self.daemon, self.database):
            if process and process.poll() is None:
                process.kill()
                process.wait()


def second_daemon(world):
    second = world.lsmtuned()
    expect(second.wait(20) == 1, "a second daemon was not refused")
    log = world.log_text()
    expect(f"pid {world.daemon.pid}" in log, "the message does not name the first daemon")
    expect(world.ask("targets") is not None, "the first daemon was disturbed")


def diagnose(world):
    attached = world.ctl("diagnose", str(world.database.pid))
    expect(attached.returncode == 0, f"diagnose of an attached process: {attached.stdout}")
    stranger = world.ctl("diagnose", str(os.getpid()))
    expect(stranger.returncode == 1, f"diagnose of a stranger: {stranger.stdout}")
    expect(world.ctl("diagnose", "4194305").returncode == 4, "diagnose of no process")


def bad_reload(world):
    with open(world.config, "a", encoding="utf-8") as file:
        file.write("no_such_key = 1\n")
    world.daemon.send_signal(signal.SIGHUP)
    time.sleep(1)
    expect(world.ask("status", target="main")["mode"] == "tune", "a bad file changed the mode")
    log = world.log_text()
    expect("no_such_key" in log and "the running configuration stays" in log, "no message")
    world.write_configuration()


def crash_in(world, phase):
    # A fresh record each time: what earlier crashes taught must not close the trust gate.
    world.daemon.terminate()
    world.daemon.wait(20)
    shutil.rmtree(f"{world.work}/state")
    world.start_daemon()
    # The log, not the socket: `applying` lasts a few milliseconds, and its line comes before the
    # intent is written.
    start = len(world.log_text())
    world.wait(
        lambda: f"-> {phase}" in world.log_text()[start:], 240, f"no {phase}", pause_s=0.0005
    )
    world.kill_daemon()
    world.start_daemon()
    world.wait(
        lambda: (world.ask("status", target="main") or {}).get("attached"), 30, "not attached again"
    )
    # The lease has been taken over, or it ran out: either way the values are explained.
    time.sleep(1)
    recorded = world.recorded_values()
    for name, value in world.options_in_force().items():
        expect(
            value == BASELINE[name] or value in recorded.get(name, ()),
            f"after a crash in {phase}: {name} is {value}, which no decision explains",
        )
    expect(world.database.poll() is None, f"the database ended after a crash in {phase}")
    ids = [decision["id"] for decision in world.ask("decisions", target="main", limit=500)["decisions"]]
    expect(len(ids) == len(set(ids)), "a decision id was used twice")


def crash_without_successor(world):
    world.wait(lambda: world.phase() in ("settling", "verifying"), 200, "no trial")
    world.wait(lambda: world.options_in_force() != BASELINE, 10, "nothing was changed")
    world.kill_daemon()
    # Time with writes stopped does not count, and this database stops most of the time.
    world.wait(lambda: world.options_in_force() == BASELINE, 90, "the lease did not restore")
    world.start_daemon()


def revert_at_the_end(world):
    world.wait(lambda: world.phase() in ("settling", "verifying"), 200, "no trial")
    world.daemon.terminate()
    expect(world.daemon.wait(20) == 0, "SIGTERM: exit code")
    expect(world.options_in_force() == BASELINE, "SIGTERM did not put the baseline back")
    expect(world.ctl("check").returncode == 3, "check without a daemon")


def stopped(world):
    world.daemon.terminate()
    expect(world.daemon.wait(20) == 0, "SIGTERM: exit code")
    expect(world.options_in_force() == BASELINE, "SIGTERM did not leave the baseline")
    expect(world.ctl("check").returncode == 3, "check without a daemon")


def reopened(world):
    world.start_daemon()
    # A write stop at that very moment is a problem too, so it may take a few tries.
    world.wait(lambda: world.ctl("check").returncode == 0, 60, "check is not content")
    before = world.ask("status", target="main")["incarnation"]
    world.stop_database()
    world.wait(lambda: world.ctl("check").returncode == 1, 20, "check missed a closed database")
    world.start_database()
    world.wait(
        lambda: (world.ask("status", target="main") or {}).get("incarnation", before) != before,
        30,
        "the database was not found again",
    )
    world.stop_database()
    world.daemon.terminate()
    world.daemon.wait(20)


def embedded(world):
    path = f"{world.work}/embedded"
    # It takes the directory as it is: db_bench has made it, so its keys are still there.
    shutil.copytree(f"{world.work}/db", path, ignore=shutil.ignore_patterns("LOCK"))
    world.write_configuration(
        extra=f'\n[[target]]\nname = "inner"\nkind = "embedded"\npath = "{path}"\nmode = "observe"\n'
    )
    world.start_daemon()
    world.wait(
        lambda: (world.ask("snapshot", target="inner") or {}).get("snapshot"), 30, "no snapshot"
    )
    status = world.ask("status", target="inner")
    expect(status["kind"] == "embedded" and status["attached"], f"embedded: {status}")
    world.daemon.terminate()
    expect(world.daemon.wait(20) == 0, "SIGTERM with an embedded database: exit code")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--trials", action="store_true", help="also kill it in each phase of a trial")
    parsed = parser.parse_args()
    build = parsed.build
    if shutil.which("db_bench") is None:
        print("skipped: db_bench is not installed (package rocksdb-tools)")
        return 77
    if not os.path.exists(f"{build}/actuators/agent/liblsmtuned_agent.so"):
        print("skipped: the agent is not built")
        return 77
    world = World(build)
    steps = [("two daemons", second_daemon), ("diagnose", diagnose), ("bad reload", bad_reload)]
    if parsed.trials:
        for phase in ("applying", "settling", "verifying"):
            steps.append((f"kill -9 in {phase}", lambda w, p=phase: crash_in(w, p)))
        steps.append(("kill -9 without a successor", crash_without_successor))
        steps.append(("SIGTERM in a trial", revert_at_the_end))
    else:
        steps.append(("SIGTERM", stopped))
    steps += [("closed and opened again", reopened), ("embedded", embedded)]
    good, name = False, "start"
    try:
        world.start_daemon()
        world.start_database()
        world.wait(
            lambda: (world.ask("status", target="main") or {}).get("attached"), 30, "not attached"
        )
        for name, step in steps:
            started = time.monotonic()
            step(world)
            print(f"ok    {name} ({time.monotonic() - started:.1f} s)", flush=True)
        good = True
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"FAILED {name}: {failure}", flush=True)
    finally:
        world.stop()
        if good:
            shutil.rmtree(world.work, ignore_errors=True)
        else:
            print(f"logs kept in {world.work}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
