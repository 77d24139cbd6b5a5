#!/usr/bin/env python3
"""Counts a RocksDB LOG the slow way: the independent figures behind log_analysis_test.cc."""
import json
import re
import sys

text = open(sys.argv[1]).read()
events = [json.loads(line.split("EVENT_LOG_v1 ", 1)[1])
          for line in text.split("\n") if "EVENT_LOG_v1 {" in line]
size, records, job_kind, level_of = {}, {}, {}, {}
totals = {}


def add(name, amount):
    totals[name] = totals.get(name, 0) + amount


started = {}
for event in events:
    kind = event["event"]
    if kind == "flush_started":
        job_kind[event["job"]] = "flush"
        add("flushed records", event["num_entries"])
    elif kind == "compaction_started":
        job_kind[event["job"]] = "compaction"
        started[event["job"]] = event
    elif kind == "table_file_creation":
        size[event["file_number"]] = event["file_size"]
        add(job_kind[event["job"]] + " table bytes", event["file_size"])
        add(job_kind[event["job"]] + " tables", 1)
    elif kind == "flush_finished":
        add("flushes", 1)
    elif kind == "trivial_move":
        add("trivial moves", 1)
        add("moved bytes", event["total_files_size"])
    elif kind == "compaction_finished":
        start = started.pop(event["job"])
        out = event["output_level"]
        levels = {int(k[7:]): v for k, v in start.items() if k.startswith("files_L")}
        add("intra L0" if out == 0 else "L0 to base" if 0 in levels else "deeper", 1)
        add(f"L{out} compacted bytes", event["total_output_size"])
        add(f"L{out} records in", event["num_input_records"])
        add(f"L{out} records out", event["num_output_records"])
        for level, files in levels.items():
            add(f"L{level} read bytes", sum(size[f] for f in files))
add("unfinished", len(started))
for name in sorted(totals):
    print(f"{name}: {totals[name]}")
print("delayed rates:", [int(r) for r in re.findall(r"Stalling writes .* rate (\d+)", text)])
for ticker in ("bytes.written", "number.keys.written", "flush.write.bytes", "wal.bytes",
               "compact.read.bytes", "compact.write.bytes"):
    print(ticker, [int(v) for v in re.findall(rf"rocksdb.{ticker} COUNT : (\d+)", text)])
