"""What a prediction may know: constants from measured runs, and from the counters of a run's start.

Everything comes from what a daemon would see as well: device counters, flush and compaction
events. Nothing is fitted to a put rate.
"""

import math
import statistics


def _mean(values, otherwise):
    values = list(values)
    return statistics.fmean(values) if values else otherwise


def _slope(rows, name, low_s, high_s):
    inside = [row for row in rows if low_s <= row["time_s"] <= high_s]
    return (inside[-1][name] - inside[0][name]) / (inside[-1]["time_s"] - inside[0]["time_s"])


def observe(run, log, until_s=None):
    """One run's constants, from its first `until_s` seconds or from all of it."""
    high = until_s or run["seconds"]
    flushes = [flush for flush in log.flushes if flush["end_s"] <= high]
    tables = table_bytes_per_s(log, high)
    seen = "device_written_bytes" in run["series"][-1]  # else tables are all that is known
    written = _slope(run["series"], "device_written_bytes", 2, high) if seen else tables
    user = run["user_bytes_per_put"]
    jobs = [job for job in log.jobs if job["kind"] in ("l0_to_base", "deeper") and job["end_s"] <= high]
    limit = run["device"]["write_bytes_per_s"]
    return {
        "record_bytes": user,
        "file_overhead_bytes": _mean(
            (flush["file_bytes"] / flush["file_entries"] - user for flush in flushes), 12.0
        ),
        "memtable_overhead_bytes": _mean(
            (flush["memory_bytes"] / flush["entries"] - user for flush in flushes), 40.0
        ),
        "device_write_bytes_per_s": written,
        "write_share_of_limit": written / limit if limit else None,
        "table_share_of_device_writes": min(1.0, tables / written),
        "think_s": think_s(jobs),
        "compaction_cpu_s_per_byte": (
            sum(job["cpu_s"] for job in jobs) / max(1, sum(job["written_bytes"] for job in jobs))
        ),
        "put_s": put_s(log, high),
    }


def table_bytes_per_s(log, until_s):
    """Flush and compaction output; the rest of what the device writes is journal, manifest, LOG."""
    pairs = [
        log.ticker_between(name, 0, until_s)
        for name in ("rocksdb.flush.write.bytes", "rocksdb.compact.write.bytes")
    ]
    return sum(delta for delta, _ in pairs) / pairs[0][1]


def put_s(log, until_s):
    """What one put costs the writer when nothing stalls it."""
    stalled, seconds = log.ticker_between("rocksdb.stall.micros", 0, until_s)
    puts, _ = log.ticker_between("rocksdb.number.keys.written", 0, until_s)
    return max(1e-7, (seconds - stalled / 1e6) / max(1, puts))


def think_s(jobs):
    """The median gap between two jobs that follow each other without a pause in the work."""
    jobs = sorted(jobs, key=lambda job: job["start_s"])
    gaps = [b["start_s"] - a["end_s"] for a, b in zip(jobs, jobs[1:])]
    gaps = [gap for gap in gaps if 0 <= gap < 0.2]
    return statistics.median(gaps) if gaps else 0.0


def combine(observed):
    """The mean of several runs' constants; geometric for the rates."""
    names = observed[0].keys()
    result = {}
    for name in names:
        values = [one[name] for one in observed if one[name] is not None]
        if not values:
            result[name] = None
        elif name in ("write_share_of_limit", "table_share_of_device_writes"):
            result[name] = math.exp(_mean((math.log(value) for value in values), 0))
        else:
            result[name] = _mean(values, 0)
    return result
