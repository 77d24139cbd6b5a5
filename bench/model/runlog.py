"""What one run's LOG says, within the measured stretch: jobs, flushes, and counters every 10 s."""

import calendar
import json
import re
import time

STAMP = re.compile(r"^(\d{4}/\d\d/\d\d-\d\d:\d\d:\d\d)\.(\d{6}) ")
TICKER = re.compile(r"^\s?(rocksdb\.\S+) COUNT : (\d+)$")
LEVEL = re.compile(r"^\s+L(\d+)\s+(\d+)/(\d+)\s+([\d.]+) ([KMGT]?B)")
UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


def _seconds(stamp):
    """RocksDB writes local time; a run's start is known in both, so only differences are used."""
    return calendar.timegm(time.strptime(stamp[1], "%Y/%m/%d-%H:%M:%S")) + int(stamp[2]) / 1e6


class RunLog:
    """jobs: [{kind, start_s, end_s, read_bytes, written_bytes, incoming_bytes, output_level, records,
    dropped, l0_files}], kind one of flush, l0_to_base, intra_l0, deeper, trivial_move; compactions
    also have cpu_s. flushes: [{entries, memory_bytes, file_entries, file_bytes, start_s, end_s}];
    dumps: [{time_s, tickers, levels}]. Times count from the benchmark's start."""

    def __init__(self, lines, start_unix_s, horizon_s, file_bytes=None):
        self._sizes = dict(file_bytes or {})  # of the files there were before
        self.jobs, self.flushes, self.dumps, self.delays = [], [], [], []
        self.start, self.horizon = start_unix_s, horizon_s
        self._open, self._flush_file = {}, {}
        self._zone = None
        self._dump = None
        for line in lines:
            self._line(line)
        self._close_dump()

    def _line(self, line):
        at = line.find("EVENT_LOG_v1 ")
        if at >= 0:
            self._event(json.loads(line[at + 13 :]), STAMP.match(line))
            return
        if stamp := STAMP.match(line):
            self._close_dump()
            if "DUMPING STATS" in line and self._zone is not None:
                self._levels = []
            elif "STATISTICS:" in line and self._zone is not None:
                now = _seconds(stamp) - self._zone - self.start
                self._dump = {"time_s": now, "tickers": {}, "levels": self._levels}
            return
        if self._dump is not None:
            if found := TICKER.match(line):
                self._dump["tickers"][found[1]] = int(found[2])
        elif self._zone is not None and (found := LEVEL.match(line)):
            if len(self._levels) == int(found[1]):
                self._levels.append(
                    {"files": int(found[2]), "bytes": float(found[4]) * UNITS[found[5]]}
                )

    _levels = []

    def _close_dump(self):
        if self._dump is not None and 0 <= self._dump["time_s"] <= self.horizon:
            self.dumps.append(self._dump)
        self._dump = None

    def _event(self, event, stamp):
        now = event["time_micros"] / 1e6
        if self._zone is None and stamp:
            self._zone = round((_seconds(stamp) - now) / 900) * 900  # a time zone is whole quarters
        now -= self.start
        if now > self.horizon:
            return
        job, what = event.get("job"), event["event"]
        if what == "table_file_creation":
            self._sizes[event["file_number"]] = event["file_size"]
        if what == "flush_started":
            self._open[job] = {"start_s": now, "entries": event["num_entries"], "memory": event["memory_usage"]}
        elif what == "table_file_creation" and job in self._open:
            self._flush_file[job] = event
        elif what == "flush_finished" and job in self._open and job in self._flush_file:
            begun, file = self._open.pop(job), self._flush_file.pop(job)
            entries = file["table_properties"]["num_entries"]
            self.flushes.append(
                {"entries": begun["entries"], "memory_bytes": begun["memory"],
                 "file_entries": entries, "file_bytes": file["file_size"],
                 "start_s": begun["start_s"], "end_s": now}
            )
            self.jobs.append(
                {"kind": "flush", "start_s": begun["start_s"], "end_s": now, "read_bytes": 0,
                 "written_bytes": file["file_size"], "records": entries, "dropped": 0, "l0_files": 0,
                 "output_level": 0, "incoming_bytes": 0}
            )
        elif what == "compaction_started":
            self._open[job] = {"start_s": now, **event}
        elif what == "compaction_finished" and job in self._open:
            self._compaction(self._open.pop(job), event, now)
        elif what == "trivial_move":
            self.jobs.append(
                {"kind": "trivial_move", "start_s": now, "end_s": now, "read_bytes": 0,
                 "written_bytes": 0, "records": 0, "dropped": 0, "l0_files": 0}
            )

    def _compaction(self, begun, event, now):
        l0_files = len(begun.get("files_L0", []))
        kind = "deeper" if not l0_files else "intra_l0" if event["output_level"] == 0 else "l0_to_base"
        self.jobs.append(
            {"kind": kind, "start_s": begun["start_s"], "end_s": now,
             "read_bytes": begun["input_data_size"], "written_bytes": event["total_output_size"],
             "records": event["num_input_records"],
             "dropped": event["num_input_records"] - event["num_output_records"],
             "l0_files": l0_files, "output_level": event["output_level"],
             "incoming_bytes": self._incoming(begun), "cpu_s": event["compaction_time_cpu_micros"] / 1e6}
        )

    def _incoming(self, begun):
        """Bytes from the uppermost of a job's input levels."""
        levels = [name for name in begun if name.startswith("files_L")]
        upper = min(levels, key=lambda name: int(name[7:]))
        return sum(self._sizes.get(number, 0) for number in begun[upper])

    def count(self, kind, until_s=None):
        return sum(job["kind"] == kind and (until_s is None or job["end_s"] <= until_s) for job in self.jobs)

    def ticker_between(self, name, low_s, high_s):
        """Difference of a counter between the dumps nearest to both times, and their distance."""
        low = min(self.dumps, key=lambda dump: abs(dump["time_s"] - low_s))
        high = min(self.dumps, key=lambda dump: abs(dump["time_s"] - high_s))
        return (
            high["tickers"].get(name, 0) - low["tickers"].get(name, 0),
            high["time_s"] - low["time_s"],
        )


def read(folder, run, files):
    """`files`: those before the run, as files_before.json lists them."""
    sizes = {file["number"]: file["bytes"] for file in files}
    with open(f"{folder}/LOG", encoding="utf-8", errors="replace") as lines:
        return RunLog(lines, run["benchmark_start_unix_s"], run["seconds"], sizes)
