"""A setting as the JSON that `lsmtunectl predict|simulate --input` reads (daemon/problem_json.h)."""

import os

import settings

CPU_S_PER_RECORD = 0.25e-6
COMPRESSIONS = {"none": "kNoCompression", "snappy": "kSnappyCompression", "lz4": "kLZ4Compression"}


def level_shapes(files):
    """[{level, bytes, entries, low, high}] -> the `levels` of a tree, L0 newest first."""
    levels = [[] for _ in range(1 + max((file["level"] for file in files), default=-1))]
    for file in files:
        levels[file["level"]].append(
            {"low": file["low"], "high": file["high"], "records": file["entries"], "bytes": file["bytes"]}
        )
    return [
        {"bytes": sum(f["bytes"] for f in ranges), "files": len(ranges), "ranges": ranges}
        for ranges in levels
    ]


def file_bytes_per_record(one, constants, files):
    """e: of the tree's own files where it has any, else user bytes and the calibrated overhead."""
    entries = sum(file["entries"] for file in files)
    if entries:
        return sum(file["bytes"] for file in files) / entries
    return settings.KEY_BYTES + one["value_bytes"] + constants["file_overhead_bytes"]


def make(one, constants, files, horizon_s):
    limits = settings.DEVICES[one["device"]]
    options = dict(one["options"])
    facts = {
        "style": "level",
        "min_write_buffer_number_to_merge": options.pop("min_write_buffer_number_to_merge"),
        "num_levels": 7,
        "dynamic_level_bytes": False,
        "compression": COMPRESSIONS[one["compression"]],
    }
    options["max_compaction_bytes"] = 25 * options["target_file_size_base"]  # RocksDB's default
    user = settings.KEY_BYTES + one["value_bytes"]
    known = {
        "file_bytes_per_record": file_bytes_per_record(one, constants, files),
        "memtable_bytes_per_record": user + constants["memtable_overhead_bytes"],
        "wal_bytes_per_user_byte": 1.0 + 20 / user if one["wal"] else 0.0,  # batch header and framing
        "flush_weight": 0.5,  # the prior: a throttled device serves waiting threads in turn
        "think_s": constants["think_s"],
        "foreground_bytes_per_s": user / constants["put_s"],
        "cores": os.cpu_count(),
        # The simulator's prior for what a record costs; the rest is bytes.
        "cpu_seconds_per_record": CPU_S_PER_RECORD,
        "cpu_seconds_per_byte": max(
            0.0, constants["compaction_cpu_s_per_byte"] - CPU_S_PER_RECORD / constants["record_bytes"]
        ),
    }
    tables = constants["table_share_of_device_writes"]
    write = limits["write_bytes_per_s"] or settings.UNLIMITED_BYTES_PER_S
    return {
        "settings": options,
        "facts": facts,
        "tree": {"levels": level_shapes(files)},
        "workload": {
            "key_bytes": settings.KEY_BYTES,
            "value_bytes": one["value_bytes"],
            "distinct_keys": one["keys"],
        },
        "device": {
            "write_bytes_per_s": write * tables,
            "read_bytes_per_s": limits["read_bytes_per_s"] or settings.UNLIMITED_BYTES_PER_S,
        },
        "calibration": known,
        "horizon_s": horizon_s,
    }
