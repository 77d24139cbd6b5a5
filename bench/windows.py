"""What happened between two snapshots of one database: rates, shares, percentiles.

All figures come from cumulative counters, so a window is a subtraction; latencies from cumulative
log-linear buckets (model/histogram.h), so a percentile is the upper bound of its bucket, at most
3.2 % above the true value.
"""


def bucket_upper_us(bucket):
    if bucket < 64:
        return bucket
    octave = 6 + (bucket - 64) // 32
    sub = (bucket - 64) % 32
    return ((32 + sub + 1) << (octave - 5)) - 1


def histogram_difference(later, earlier):
    """Pairs [bucket, count, ...] -> {bucket: count} of what was added."""
    before = dict(zip(earlier[::2], earlier[1::2]))
    added = {}
    for bucket, count in zip(later[::2], later[1::2]):
        count -= before.get(bucket, 0)
        if count > 0:
            added[bucket] = count
    return added


def quantile_s(histogram, share):
    total = sum(histogram.values())
    if not total:
        return 0.0
    seen = 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen >= share * total:
            return bucket_upper_us(bucket) / 1e6
    return 0.0


def maximum_s(histogram):
    return bucket_upper_us(max(histogram)) / 1e6 if histogram else 0.0


def ends(snapshot):
    family = snapshot["families"][0]
    return {
        "l0_files": family["levels"][0]["files"],
        "pending_bytes": family["pending_compaction_bytes"],
        "tree_bytes": sum(level["size_bytes"] for level in family["levels"]),
    }


def settings_of(snapshot):
    return snapshot["settings"]


def measure(samples):
    """A window over a list of snapshots, oldest first."""
    first, last = samples[0], samples[-1]
    seconds = last["time_s"] - first["time_s"]
    a, b = first["counters"], last["counters"]

    def delta(name):
        return b[name] - a[name]

    user = max(delta("user_bytes"), 1.0)
    put = histogram_difference(last["put_latency"], first["put_latency"])
    stall = histogram_difference(last["write_stall"], first["write_stall"])
    cycles = last["state"]["l0_compactions_completed"] - first["state"]["l0_compactions_completed"]
    pending = [s["families"][0]["pending_compaction_bytes"] for s in samples]
    result = {
        "seconds": seconds,
        "put_bytes_per_s": delta("user_bytes") / seconds,
        "put_ops_per_s": delta("keys_written") / seconds,
        "stall_share": min(1.0, delta("stall_seconds") / seconds),
        "worst_stall_s": maximum_s(stall),
        "put_p50_s": quantile_s(put, 0.5),
        "put_p99_s": quantile_s(put, 0.99),
        "put_p999_s": quantile_s(put, 0.999),
        "put_max_s": maximum_s(put),
        "write_amplification": (
            delta("wal_bytes") + delta("flush_write_bytes") + delta("compaction_write_bytes")
        )
        / user,
        "l0_compactions": cycles,
        "pending_bytes_mean": sum(pending) / len(pending),
        "pending_bytes_max": max(pending),
        "start": ends(first),
        "end": ends(last),
    }
    device_first, device_last = first.get("device"), last.get("device")
    if device_first and device_last:
        result["device_write_bytes_per_user_byte"] = (
            device_last["write_bytes"] - device_first["write_bytes"]
        ) / user
    # Both ends also at the top level, the end without a suffix: what a reader compares first.
    result.update(result["end"])
    result["l0_files_at_start"] = result["start"]["l0_files"]
    result["pending_bytes_at_start"] = result["start"]["pending_bytes"]
    result["tree_bytes_at_start"] = result["start"]["tree_bytes"]
    return result
