#!/usr/bin/env python3
"""kill -9 of the daemon while databases run on tuned settings: each gets its baseline back.

Ten real db_bench processes under the preloaded agent and one daemon in tune mode, told to apply kept
settings again after a restart of the database. Kept settings are written into its state once, as if
earlier trials had found them, so that every round reaches the tuned state within seconds. When every
database runs on them, the daemon is killed; within the lease plus the call's deadline each must be on
its baseline again. Twice: 20 of 20.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))
import control  # noqa: E402

DATABASES = 10
ROUNDS = 2
LEASE_S = 4
DEADLINE_S = 2
# The agent's own granularity, and a machine that may be busy with other tests.
SLACK_S = 3

BASELINE = {"write_buffer_size": 4 << 20, "max_bytes_for_level_base": 16 << 20}
KEPT = {"write_buffer_size": 6 << 20, "max_bytes_for_level_base": 48 << 20}


def configuration(work):
    text = f"""
[daemon]
agent_socket = "{work}/agent.sock"
control_socket = "{work}/control.sock"
state_directory = "{work}/state"
metrics_listen = ""
log_target = "stderr"

[defaults]
memory_budget = "512 MiB"
lease = "{LEASE_S} s"
apply_deadline = "{DEADLINE_S} s"
observation = "2 s"
reapply_after_restart = true
"""
    for index in range(DATABASES):
        text += f"""
[[target]]
name = "db{index}"
path = "{work}/db{index}"
mode = "tune"
"""
    return text


def options_in_force(directory):
    """The newest OPTIONS file: RocksDB rewrites it at every change, ours and the agent's."""
    while True:
        files = [p for p in pathlib.Path(directory).glob("OPTIONS-*") if p.name[8:].isdigit()]
        if not files:
            return BASELINE  # not opened yet
        try:
            text = max(files, key=lambda path: int(path.name[8:])).read_text(encoding="utf-8")
            break
        except FileNotFoundError:
            continue  # replaced by a newer one in between
    return {name: int(re.search(rf"^\s*{name}=(\d+)", text, re.M).group(1)) for name in BASELINE}


class Run:
    def __init__(self, build):
        self.build = build
        self.work = tempfile.mkdtemp(prefix="lsmtuned-lease-")
        self.config = f"{self.work}/lsmtuned.toml"
        pathlib.Path(self.config).write_text(configuration(self.work), encoding="utf-8")
        self.log = open(f"{self.work}/lsmtuned.log", "a", encoding="utf-8")
        self.databases = []
        self.daemon = None

    def start_daemon(self):
        self.daemon = subprocess.Popen(
            [f"{self.build}/daemon/lsmtuned", "--config", self.config],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def start_databases(self, *more):
        for index in range(DATABASES):
            output = open(f"{self.work}/db_bench{index}.log", "a", encoding="utf-8")
            # Paced: the lease does not count time with writes stopped, so there shall be none.
            self.databases.append(
                subprocess.Popen(
                    [
                        "db_bench", "--benchmarks=overwrite", f"--db={self.work}/db{index}",
                        "--num=20000", "--key_size=16", "--value_size=1024", "--duration=600",
                        f"--write_buffer_size={BASELINE['write_buffer_size']}",
                        f"--max_bytes_for_level_base={BASELINE['max_bytes_for_level_base']}",
                        "--disable_wal=1", "--benchmark_write_rate_limit=200000",
                        *more,
                    ],
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={
                        **os.environ,
                        "LD_PRELOAD": f"{self.build}/actuators/agent/liblsmtuned_agent.so",
                        "LSMTUNED_SOCKET": f"{self.work}/agent.sock",
                    },
                )
            )

    def stop_databases(self):
        for process in self.databases:
            process.kill()
            process.wait()
        self.databases = []

    def attached(self):
        try:
            targets = control.call(f"{self.work}/control.sock", "targets")["targets"]
        except control.ControlError:
            return 0
        return sum(1 for target in targets if target["attached"])

    def keep_settings(self):
        """Writes KEPT into the daemon's state, which exists after its first run."""
        history = sqlite3.connect(f"{self.work}/state/history.sqlite")
        for name, text in history.execute("SELECT target, json FROM state").fetchall():
            state = json.loads(text)
            state["kept"] = [
                {"family": "default", "option": option, "old": BASELINE[option], "new": value}
                for option, value in KEPT.items()
            ]
            history.execute("UPDATE state SET json = ? WHERE target = ?", (json.dumps(state), name))
        history.commit()
        history.close()

    def tuned(self):
        return [
            index
            for index in range(DATABASES)
            if options_in_force(f"{self.work}/db{index}") == KEPT
        ]

    def changed(self):
        return [
            index
            for index in range(DATABASES)
            if options_in_force(f"{self.work}/db{index}") != BASELINE
        ]

    def wait_until(self, condition, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.25)
        return False

    def stop(self):
        for process in [self.daemon, *self.databases]:
            if process and process.poll() is None:
                process.kill()
                process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    if shutil.which("db_bench") is None:
        print("skipped: db_bench is not installed (package rocksdb-tools)")
        return 77
    run = Run(build)
    good = 0
    try:
        run.start_daemon()
        if not run.wait_until(lambda: os.path.exists(f"{run.work}/agent.sock"), 20):
            print("the daemon did not start")
            return 1
        run.start_databases()
        if not run.wait_until(lambda: run.attached() == DATABASES, 60):
            print(f"only {run.attached()} databases attached")
            return 1
        time.sleep(2)
        run.daemon.terminate()
        run.daemon.wait()
        run.stop_databases()
        for round_number in range(ROUNDS):
            run.keep_settings()
            run.start_daemon()
            run.start_databases("--use_existing_db=1")
            if not run.wait_until(lambda: len(run.tuned()) == DATABASES, 120):
                print(f"round {round_number}: only {run.tuned()} were tuned")
                return 1
            run.daemon.send_signal(signal.SIGKILL)
            run.daemon.wait()
            killed = time.monotonic()
            run.wait_until(lambda: not run.changed(), LEASE_S + DEADLINE_S + SLACK_S)
            left = run.changed()
            good += DATABASES - len(left)
            print(
                f"round {round_number}: {DATABASES - len(left)} of {DATABASES} on their baseline "
                f"{time.monotonic() - killed:.1f} s after kill -9 (lease {LEASE_S} s, "
                f"deadline {DEADLINE_S} s)"
            )
            for process in run.databases:
                assert process.poll() is None, "a database ended"
            run.stop_databases()
        print(f"{good} of {DATABASES * ROUNDS}")
        return 0 if good == DATABASES * ROUNDS else 1
    finally:
        run.stop()
        if good == DATABASES * ROUNDS:
            shutil.rmtree(run.work, ignore_errors=True)
        else:
            print(f"logs kept in {run.work}")


if __name__ == "__main__":
    sys.exit(main())
