"""One run: a fresh slow device, a copy of the tree, a saturating db_bench, everything it left."""

import datetime
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import device
import processors
import settings
import tree

MIB = 1 << 20
IMAGE_BYTES = 6 << 30
SECTOR = 512
MEMORY = "/dev/shm"
BENCHMARK_LINE = re.compile(
    r"^(?:overwrite|fillrandom)\s*:\s*[\d.]+ micros/op (?P<ops>\d+) ops/sec (?P<seconds>[\d.]+) "
    r"seconds (?P<operations>\d+) operations", re.M
)
LEVEL_LINE = re.compile(r"^\s+L(\d+)\s+(\d+)/(\d+)\s+([\d.]+) ([KMGT]?B)", re.M)
UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


class Stopped(Exception):
    """Asked to stop from outside."""


class Failed(Exception):
    """db_bench failed; the text says how."""


def command(one, directory, seconds, seed, report):
    return [
        "db_bench",
        f"--benchmarks={one['benchmark']},stats",
        f"--db={directory}",
        f"--use_existing_db={1 if one['benchmark'] == 'overwrite' else 0}",
        *settings.db_bench_flags(one),
        f"--duration={seconds}",
        f"--seed={seed}",
        "--threads=1",
        "--use_direct_io_for_flush_and_compaction",
        "--use_direct_reads",
        "--compaction_readahead_size=2097152",
        # Without it the kernel would keep the log in memory until long after the run.
        "--wal_bytes_per_sync=524288",
        "--statistics",
        "--stats_dump_period_sec=10",
        "--report_interval_seconds=1",
        f"--report_file={report}",
    ]


def load_tree(kind, directory, stop):
    """Writes `keys` random keys with the common settings at full speed and lets the tree settle."""
    one = settings.run("load", tree=kind)
    flags = [
        "db_bench", "--benchmarks=fillrandom,flush,waitforcompaction", f"--db={directory}",
        *settings.db_bench_flags(one), "--seed=7",
    ]
    with open(f"{directory}.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(flags, stdout=log, stderr=subprocess.STDOUT)
        while process.poll() is None:
            if stop.wait(0.2):
                process.kill()
                process.wait()
                raise Stopped
    if process.returncode != 0:
        raise Failed(f"loading {kind}: see {directory}.log")
    with open(f"{directory}.files.json", "w", encoding="utf-8") as file:
        json.dump(tree.live_files(directory, one["keys"]), file)


def parse_stats(text):
    """The levels at the end of the measured stretch, as db_bench's `stats` printed them."""
    levels = []
    for level, files, _, size, unit in LEVEL_LINE.findall(text):
        while len(levels) <= int(level):
            levels.append({"files": 0, "bytes": 0})
        levels[int(level)] = {"files": int(files), "bytes": float(size) * UNITS[unit]}
    return levels


class Folder:
    """In place of a slow device: where the processor is to bind, files in memory; and where the
    kernel cannot limit a device, RocksDB's own rate limiter does.
    """

    name, limit, cgroup = None, "RocksDB's rate limiter", ("none", "")

    def __init__(self, parent):
        self.mount = tempfile.mkdtemp(prefix="lsmtuned-model-", dir=parent)

    def throttle(self):
        pass

    def release(self):
        pass

    def adopt(self, pid):
        pass

    def close(self):
        shutil.rmtree(self.mount, ignore_errors=True)
        return []


class Series:
    """Once a second: what the device did, and the processor time of db_bench."""

    def __init__(self, slow, pid):
        # A folder has no device of its own: the file is then missing, and so are its figures.
        self.block = f"/sys/block/{slow.name}/stat"
        self.process = f"/proc/{pid}/stat"
        self.pid = pid
        self.rows = []

    def sample(self, now):
        try:
            with open(self.process, encoding="ascii") as file:
                process = file.read().rpartition(")")[2].split()
        except OSError:
            return  # it has just ended
        ticks = os.sysconf("SC_CLK_TCK")
        row = {
            "time_s": now,
            "cpu_s": (int(process[11]) + int(process[12])) / ticks,
            "cpu_wait_s": processors.cpu_wait_s(self.pid),
        }
        if os.path.exists(self.block):
            with open(self.block, encoding="ascii") as file:
                block = file.read().split()
            row["device_read_bytes"] = int(block[2]) * SECTOR
            row["device_written_bytes"] = int(block[6]) * SECTOR
            row["device_busy_s"] = int(block[9]) / 1000
        self.rows.append(row)


class Cell:
    def __init__(self, one, out, templates, backing, seconds, seed, stop, parallel, allow_limiter):
        self.one, self.out, self.templates, self.backing = one, out, templates, backing
        self.seconds, self.seed, self.stop, self.parallel = seconds, seed, stop, parallel
        self.allow_limiter = allow_limiter
        self.slow = self.process = None

    def run(self, name):
        """-> run.json's content; leaves the folder `name` in `out`."""
        raw = f"{self.out}/.{name}.partial"
        shutil.rmtree(raw, ignore_errors=True)
        os.makedirs(raw)
        limits = settings.DEVICES[self.one["device"]]
        try:
            self.slow = self._make_device(limits)
            directory = f"{self.slow.mount}/db"
            files = self._before(directory, raw)
            self.slow.throttle()
            result = self._measure(directory, raw)
            result["name"] = name
            result["tree_before"] = tree.levels_of(files)
            with open(f"{raw}/run.json", "w", encoding="utf-8") as file:
                json.dump(result, file, indent=1)
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            problems = self.slow.close() if self.slow else []
            if self.stop.is_set():
                shutil.rmtree(raw, ignore_errors=True)
        if problems:
            raise Failed(f"cleaning up after {name}: {'; '.join(problems)}")
        shutil.rmtree(f"{self.out}/{name}", ignore_errors=True)
        os.rename(raw, f"{self.out}/{name}")
        return result

    def _make_device(self, limits):
        if not any(limits.values()):
            return Folder(MEMORY if os.path.isdir(MEMORY) else self.backing)
        try:
            return device.SlowDevice(
                IMAGE_BYTES, limits["write_bytes_per_s"], limits["read_bytes_per_s"],
                parent=self.backing, label="lsmtuned-model",
            )
        except device.Unavailable:
            if not self.allow_limiter:
                raise
            return Folder(self.backing)

    def _before(self, directory, raw):
        files = []
        if self.one["benchmark"] == "overwrite":
            template = f"{self.templates}/{self.one['tree']}"
            shutil.copytree(template, directory, ignore=shutil.ignore_patterns("LOG*", "LOCK"))
            with open(f"{template}.files.json", encoding="utf-8") as file:
                files = json.load(file)
        with open(f"{raw}/files_before.json", "w", encoding="utf-8") as file:
            json.dump(files, file)
        # Nothing of the copy may be left for the limited device to write.
        subprocess.run(["sync", "--file-system", self.slow.mount], check=True)
        return files

    def _measure(self, directory, raw):
        line = command(self.one, directory, self.seconds, self.seed, f"{raw}/per_second.csv")
        limits = settings.DEVICES[self.one["device"]]
        if self.slow.name is None and limits["write_bytes_per_s"]:
            line.append(f"--rate_limiter_bytes_per_second={limits['write_bytes_per_s']}")
        with open(f"{raw}/statistics.txt", "w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                ["stdbuf", "-oL", *line], stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            preferred = processors.prefer(self.process.pid)
            self.slow.adopt(self.process.pid)
            limit = self.slow.limit if any(limits.values()) else "none"
            series = Series(self.slow, self.process.pid)
            started = time.time()
            self._watch(series, started, f"{raw}/statistics.txt")
        with open(f"{raw}/statistics.txt", encoding="utf-8", errors="replace") as file:
            text = file.read()
        found = BENCHMARK_LINE.search(text)
        if self.process.returncode != 0 or not found:
            raise Failed(f"{self.one['name']}: db_bench ended with {self.process.returncode}: {text[-400:]}")
        shutil.copy(f"{directory}/LOG", f"{raw}/LOG")
        shutil.copy(sorted(glob.glob(f"{directory}/OPTIONS-*"))[0], f"{raw}/OPTIONS")
        operations = int(found["operations"])
        user_bytes = settings.KEY_BYTES + self.one["value_bytes"]
        tickers = dict(re.findall(r"^(rocksdb\.\S+) COUNT : (\d+)$", text, re.M))
        with open(f"{raw}/per_second.csv", encoding="utf-8") as file:
            rows = [row.split(",") for row in file.read().split()[1:]]
        return {
            "setting": self.one,
            "command": " ".join(line),
            "device": limits,
            "limit": limit,
            "preferred": preferred,
            "cpu_wait_share": series.rows[-1]["cpu_wait_s"] / float(found["seconds"]),
            "cgroup": self.slow.cgroup[0],
            "backing": os.path.dirname(self.slow.mount) if self.slow.name is None else self.backing,
            "parallel": self.parallel,
            "seed": self.seed,
            "started": datetime.datetime.fromtimestamp(started).astimezone().isoformat(timespec="seconds"),
            "benchmark_start_unix_s": self.finished - float(found["seconds"]),
            "seconds": float(found["seconds"]),
            "puts": operations,
            "user_bytes_per_put": user_bytes,
            "user_bytes": operations * user_bytes,
            "ops_per_s": operations / float(found["seconds"]),
            "put_bytes_per_s": operations * user_bytes / float(found["seconds"]),
            "stall_share": int(tickers.get("rocksdb.stall.micros", 0)) / 1e6 / float(found["seconds"]),
            "tickers": {name: int(value) for name, value in tickers.items() if int(value)},
            "tree_after": parse_stats(text),
            "puts_per_second": [int(row[1]) for row in rows],
            "series": series.rows,
            "machine": processors.machine(),
            "rocksdb": "7.8.3 (Debian rocksdb-tools)",
        }

    def _watch(self, series, started, output):
        """Until db_bench has gone; lifts the limit as soon as the measured stretch is over."""
        self.finished = None
        next_sample = started
        while self.process.poll() is None:
            if self.stop.wait(0.1):
                raise Stopped
            now = time.time()
            if now - started > self.seconds + 120:
                raise Failed(f"{self.one['name']}: db_bench does not end")
            if self.finished is None:
                if now >= next_sample:
                    series.sample(now - started)
                    next_sample += 1
                if now - started > self.seconds - 1:
                    with open(output, encoding="utf-8", errors="replace") as file:
                        if BENCHMARK_LINE.search(file.read()):
                            self.finished = now
                            series.sample(now - started)
                            self.slow.release()
        if self.finished is None:
            self.finished = time.time()
