"""One cell: a fresh slow device, a copy of the database, a daemon, a load; measured at its end."""

import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
import time

import control
import daemon as daemons
import device
import hosts
import plan
import processors
import windows

TARGET = "compare"
ATTACH_S = 60
TRIED = ("kept", "reverted", "inconclusive")
PARTIAL = ".partial"


class Stopped(Exception):
    """Asked to stop from outside."""


class Failed(Exception):
    """The cell gave no result; the text says why."""


def load_done(out, cell):
    """The stored result of a cell that is what would be measured now, else None."""
    try:
        with open(f"{out}/{cell.name}/cell.json", encoding="utf-8") as file:
            result = json.load(file)
    except (OSError, ValueError):
        return None
    wanted = json.loads(json.dumps(cell.identity()))
    return result if result["cell"] == wanted else None


def row(first, sample, waited_s):
    """One line of a cell's course."""
    family = sample["families"][0]
    counters = sample["counters"]
    return {
        "time_s": round(sample["time_s"] - first["time_s"], 3),
        "user_bytes": counters["user_bytes"] - first["counters"]["user_bytes"],
        "stall_s": round(counters["stall_seconds"] - first["counters"]["stall_seconds"], 4),
        "l0_files": family["levels"][0]["files"],
        "pending_bytes": family["pending_compaction_bytes"],
        "l0_compactions": sample["state"]["l0_compactions_completed"],
        "cpu_wait_s": round(waited_s, 3),
    }


def changed(before, after):
    """{"option" or "family.option": value} of what `after` has and `before` had not."""
    found = {}
    scopes = [("", before["database"], after["database"])]
    for name, values in before["families"].items():
        scopes.append((f"{name}.", values, after["families"][name]))
    for prefix, old, new in scopes:
        found.update(
            {prefix + option: value for option, value in new.items() if old.get(option) != value}
        )
    return found


class Run:
    def __init__(self, cell, out, templates, build, backing, stop, parallel):
        self.cell, self.out, self.templates, self.build = cell, out, templates, build
        self.backing, self.stop, self.parallel = backing, stop, parallel
        self.scenario = plan.SCENARIOS[cell.scenario]
        self.arm = plan.ARMS[cell.arm]
        self.host = hosts.HOSTS[self.scenario.host](self.scenario)
        self.slow = self.daemon = self.load = None
        self.rows, self.changes = [], []

    def run(self):
        """-> cell.json's content; leaves a folder of that name in `out`, whole or not at all."""
        raw = f"{self.out}/.{self.cell.name}{PARTIAL}"
        shutil.rmtree(raw, ignore_errors=True)
        os.makedirs(raw)
        # Sockets have short names only, and `out` may lie deep.
        work = tempfile.mkdtemp(prefix="lsmtuned-cell-")
        problems = []
        try:
            result = self._measure(work, raw)
        finally:
            problems = self._close()
            self._keep(work, raw)
            shutil.rmtree(work, ignore_errors=True)
            if self.stop.is_set():
                shutil.rmtree(raw, ignore_errors=True)
        if problems:
            raise Failed(f"cleaning up: {'; '.join(problems)}")
        with open(f"{raw}/cell.json", "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        shutil.rmtree(f"{self.out}/{self.cell.name}", ignore_errors=True)
        os.rename(raw, f"{self.out}/{self.cell.name}")
        return result

    def _keep(self, work, raw):
        if os.path.isdir(f"{work}/events"):
            shutil.copytree(f"{work}/events", f"{raw}/events", dirs_exist_ok=True)
        for name in ("lsmtuned.log", "lsmtuned.toml", "db_bench.log", "state/decisions.jsonl"):
            if os.path.exists(f"{work}/{name}"):
                shutil.copy(f"{work}/{name}", f"{raw}/{os.path.basename(name)}")

    def _close(self):
        problems = []
        if self.slow:
            try:
                self.slow.release()  # or the end of the load would wait for the slow device
            except device.Unavailable as error:
                problems.append(str(error))
        if self.load:
            self.load.stop()
        if self.daemon:
            self.daemon.stop()
        if self.slow:
            problems += self.slow.close()
        return problems

    def _sleep(self, seconds):
        if self.stop.wait(seconds):
            raise Stopped

    def _call(self, command, **members):
        return self.daemon.call(command, target=TARGET, **members)

    def _measure(self, work, raw):
        limits = plan.DEVICES[self.scenario.device]
        self.slow = device.SlowDevice(
            limits.image_bytes, limits.write_bytes_per_s, limits.read_bytes_per_s,
            parent=self.backing, label="lsmtuned-compare",
        )
        directory = self.host.copy(f"{self.templates}/{self.cell.scenario}", self.slow.mount)
        # Nothing of the copy may be left for the limited device to write.
        subprocess.run(["sync", "--file-system", self.slow.mount], check=True)
        self.slow.throttle()
        limit = self.slow.limit

        budget = (self.cell.budget_mib or max(plan.BUDGETS_MIB)) * plan.MIB
        self.daemon = daemons.Daemon(
            self.build, work, plan.configuration(self.arm, budget, directory),
            events=f"{work}/events" if self.arm.mode == "tune" else "",
        )
        processors.prefer(self.daemon.process.pid)
        self.daemon.wait_ready(self._sleep)
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.load = self.host.start(
            self.cell, directory, f"{work}/db_bench.log", self.daemon, self.cell.seconds + 300
        )
        pid = self.load.process.pid
        preferred = processors.prefer(pid)
        self.slow.adopt(pid)
        self.daemon.wait_for(
            lambda: self.daemon.snapshot(TARGET) is not None, ATTACH_S, "the agent did not attach",
            self._sleep,
        )
        first, window = self._watch(pid)
        result = {
            "schema": 1,
            "simulated": False,
            "cell": self.cell.identity(),
            "started": started,
            "window": windows.measure(window),
            "failed_writes": self.load.failed_writes() + int(window[-1]["state"]["background_errors"]),
            "cpu_wait_share": (self.rows[-1]["cpu_wait_s"] - self.rows[0]["cpu_wait_s"])
            / self.rows[-1]["time_s"],
            "preferred": preferred,
            "lsmtuned": self.daemon.fingerprint(),
            "parallel": self.parallel,
            "device": dataclasses.asdict(limits),
            "limit": limit,
            "command": " ".join(self.load.command),
            "settings_start": first["settings"],
            "settings_end": window[-1]["settings"],
            "changes": self.changes,
            "trials": self._trials(),
            "problem": self._call("problem")["problem"],
            "memory_bytes": memory_bytes(window[-1]),
            "machine": processors.machine(),
            "series": self.rows,
        }
        self.host.keep(directory, raw)
        return result

    def _watch(self, pid):
        """-> the first sample and those of the window.

        It begins and ends where an L0 compaction ends, so that whole cycles are compared: rates swing
        several-fold within one.
        """
        first = self.daemon.snapshot(TARGET)
        begin, end = self.cell.seconds - self.cell.window_s, self.cell.seconds
        inside, last, held, done = [], first, False, False
        while not done:
            self._sleep(1)
            self.daemon.check()
            if not self.load.running():
                raise Failed("the load ended before its time")
            sample = self.daemon.snapshot(TARGET)
            if sample is None:
                raise Failed("the daemon lost the database")
            if sample["time_s"] <= last["time_s"]:
                if time.time() - sample["wall_time_s"] > 60:
                    raise Failed("no new sample for a minute")
                continue
            if sample["settings"] != last["settings"]:
                self.changes.append(
                    {
                        "time_s": sample["time_s"] - first["time_s"],
                        "values": changed(last["settings"], sample["settings"]),
                    }
                )
            self.rows.append(row(first, sample, processors.cpu_wait_s(pid)))
            now = sample["time_s"] - first["time_s"]
            cycle = (
                sample["state"]["l0_compactions_completed"] > last["state"]["l0_compactions_completed"]
            )
            if now >= begin and not held and self.arm.mode == "tune":
                self._call("mode", mode="advise")
                held = True
            if inside or (now >= begin and (cycle or now >= begin + plan.CYCLE_WAIT_S)):
                inside.append(sample)
            done = now >= end and len(inside) > 1 and (cycle or now >= end + plan.CYCLE_WAIT_S)
            last = sample
        return first, inside

    def _trials(self):
        found = []
        for listed in self._call("decisions", limit=500)["decisions"]:
            if listed["kind"] == "noop" or listed["status"] not in TRIED:
                continue
            decision = self._call("explain", id=listed["id"])["decision"]
            found.append(decision)
        return sorted(found, key=lambda decision: decision["id"])


def memory_bytes(sample):
    """The daemon's own formula, docs/control.md: what its budget is held against."""
    family = next(iter(sample["settings"]["families"].values()))
    database = sample["settings"]["database"]
    return (
        family["write_buffer_size"] * family["max_write_buffer_number"]
        + sample["state"]["block_cache_capacity_bytes"]
        + sum(one["table_reader_bytes"] for one in sample["families"])
        + database["max_background_jobs"] * (family["target_file_size_base"] + 2 * plan.MIB)
    )
