"""What is measured: trees, devices, and one entry per run.

Options carry RocksDB's names; anything absent is as in COMMON. Groups: `one_slot` is bound by the
device with one compaction slot, every other group is tabled apart. Order matters: kinds are
interleaved, so that an interrupted series is still a fair sample.
"""

KIB = 1 << 10
MIB = 1 << 20

# Loaded once each with LOAD_OPTIONS at full speed and left to settle; a run starts from a copy.
TREES = {
    "v1024": {"keys": 1_000_000, "value_bytes": 1024, "compression": "none", "compression_ratio": 1.0},
    "v256": {"keys": 3_000_000, "value_bytes": 256, "compression": "none", "compression_ratio": 1.0},
    "snappy": {"keys": 1_600_000, "value_bytes": 1024, "compression": "snappy", "compression_ratio": 0.5},
    "lz4": {"keys": 1_600_000, "value_bytes": 1024, "compression": "lz4", "compression_ratio": 0.5},
}
KEY_BYTES = 16

COMMON = {
    "write_buffer_size": 4 * MIB,
    "max_write_buffer_number": 2,
    "min_write_buffer_number_to_merge": 1,
    "level0_file_num_compaction_trigger": 4,
    "level0_slowdown_writes_trigger": 20,
    "level0_stop_writes_trigger": 36,
    "max_bytes_for_level_base": 16 * MIB,
    "max_bytes_for_level_multiplier": 10,
    "target_file_size_base": 2 * MIB,
    "max_background_jobs": 2,
    "max_subcompactions": 1,
    "soft_pending_compaction_bytes_limit": 64 << 30,
    "hard_pending_compaction_bytes_limit": 256 << 30,
    "delayed_write_rate": 16 * MIB,
}

LOAD_OPTIONS = COMMON

DEVICES = {  # bytes/s; 0 is unlimited
    "d24": {"write_bytes_per_s": 24 * MIB, "read_bytes_per_s": 48 * MIB},
    "d48": {"write_bytes_per_s": 48 * MIB, "read_bytes_per_s": 96 * MIB},
    "slow_reads": {"write_bytes_per_s": 48 * MIB, "read_bytes_per_s": 12 * MIB},
    "unlimited": {"write_bytes_per_s": 0, "read_bytes_per_s": 0},
}

UNLIMITED_BYTES_PER_S = 1 << 30  # what an unlimited device is said to do: memory, not a disk

ABBREVIATIONS = {
    "w": ("write_buffer_size", MIB),
    "n": ("max_write_buffer_number", 1),
    "base": ("max_bytes_for_level_base", MIB),
    "mult": ("max_bytes_for_level_multiplier", 1),
    "file": ("target_file_size_base", MIB),
    "jobs": ("max_background_jobs", 1),
    "sub": ("max_subcompactions", 1),
    "soft": ("soft_pending_compaction_bytes_limit", MIB),
    "hard": ("hard_pending_compaction_bytes_limit", MIB),
}
L0 = (
    "level0_file_num_compaction_trigger",
    "level0_slowdown_writes_trigger",
    "level0_stop_writes_trigger",
)


def run(name, device="d24", tree="v1024", group="one_slot", start="tree", l0=None, wal=False, **short):
    """One run; `start` is "tree" (overwrite of a copy of `tree`) or "empty" (fillrandom)."""
    options = dict(COMMON)
    for word, value in short.items():
        option, unit = ABBREVIATIONS[word]
        options[option] = value * unit
    if l0:
        options.update(zip(L0, l0))
    kind = TREES[tree]
    return {
        "name": name,
        "group": group,
        "device": device,
        "tree": tree,
        "benchmark": "overwrite" if start == "tree" else "fillrandom",
        # From empty, four times as many keys: few duplicates within the horizon.
        "keys": kind["keys"] * (1 if start == "tree" else 4),
        "value_bytes": kind["value_bytes"],
        "compression": kind["compression"],
        "compression_ratio": kind["compression_ratio"],
        "wal": wal,
        "options": options,
        "alone": device == "unlimited",
    }


# Chosen before anything was measured: the demo's start and one middling setting.
CALIBRATION = ("start", "middle")

RUNS = [
    run("start"),
    run("middle", w=16, n=3, l0=(4, 20, 36), base=64, mult=8, file=4),
    run("w8", w=8),
    run("fill_start", start="empty"),
    run("v256_start", tree="v256"),
    run("d48_start", device="d48"),
    run("chosen_a", w=48, n=3, l0=(8, 30, 50), base=384, mult=6, file=8),
    run("bad_a", w=2, l0=(2, 6, 10), base=8, mult=12, file=1),
    run("snappy_start", tree="snappy"),
    run("base256", base=256),
    run("l0_8_20_36", l0=(8, 20, 36)),
    run("mult4", mult=4),
    run("w32", w=32),
    run("file16", file=16),
    run("d48_w32_base256", device="d48", w=32, base=256, mult=8, file=4),
    run("v256_chosen", tree="v256", w=48, n=3, l0=(8, 30, 50), base=384, mult=6, file=8),
    run("fill_chosen", start="empty", w=48, n=3, l0=(8, 30, 50), base=384, mult=6, file=8),
    run("w2", w=2),
    run("base8", base=8),
    run("l0_2_6_10", l0=(2, 6, 10)),
    run("lz4_w16_base64", tree="lz4", w=16, base=64),
    run("w96", w=96, base=64),
    run("base1024", base=1024),
    run("l0_16_40_60", l0=(16, 40, 60)),
    run("chosen_b", w=32, n=4, l0=(12, 40, 60), base=256, mult=4, file=4),
    run("n6", n=6),
    run("file1", file=1),
    run("d48_bad", device="d48", w=2, l0=(4, 8, 12), base=8, mult=12, file=1),
    run("d48_v256_base64", device="d48", tree="v256", base=64, mult=6, w=8),
    run("bad_b", w=2, n=6, l0=(16, 40, 60), base=8, mult=10, file=16),
    run("w64_base256", w=64, base=256),
    run("mult6_base64", mult=6, base=64),
    run("l0_4_8_12", l0=(4, 8, 12)),
    run("w16_n4_base128", w=16, n=4, base=128),
    run("d48_snappy_chosen", device="d48", tree="snappy", w=32, n=3, l0=(8, 30, 50), base=256, mult=6, file=8),
    run("fill_d48_w8_base64", device="d48", start="empty", w=8, base=64),
    run("v256_w2_l0_2", tree="v256", w=2, l0=(2, 12, 20), base=32),
    run("fill_v256_bad", tree="v256", start="empty", w=2, base=8, l0=(4, 10, 16)),
    # Tabled apart.
    run("jobs4", group="job_slots", jobs=4),
    run("jobs6_w16", group="job_slots", jobs=6, w=16, base=64, file=4),
    run("jobs4_d48", group="job_slots", jobs=4, device="d48", w=8, base=64),
    run("jobs6_sub4", group="subcompactions", jobs=6, sub=4, w=16, base=64, file=4),
    run("soft_768", group="soft_pending_limit", soft=768, l0=(4, 40, 60)),
    run("soft_768_w16", group="soft_pending_limit", soft=768, w=16, base=64, l0=(4, 40, 60)),
    run("hard_704", group="hard_pending_limit", soft=640, hard=704, l0=(4, 40, 60)),
    run("reads_12", group="read_bound", device="slow_reads"),
    run("reads_12_w32", group="read_bound", device="slow_reads", w=32, base=256),
    run("wal", group="wal", wal=True),
    run("wal_w16", group="wal", wal=True, w=16, base=64, file=4),
    run("cpu_v256", group="cpu_bound", device="unlimited", tree="v256"),
    run("cpu_v256_jobs4", group="cpu_bound", device="unlimited", tree="v256", jobs=4, w=16, base=64),
]


def by_name(name):
    return next(one for one in RUNS if one["name"] == name)


def db_bench_flags(one):
    """The flags that differ between runs; the same for loading a tree."""
    names = {"max_subcompactions": "subcompactions"}
    return [f"--{names.get(option, option)}={value}" for option, value in one["options"].items()] + [
        f"--num={one['keys']}",
        f"--key_size={KEY_BYTES}",
        f"--value_size={one['value_bytes']}",
        f"--compression_type={one['compression']}",
        f"--compression_ratio={one['compression_ratio']}",
        f"--disable_wal={0 if one['wal'] else 1}",
    ]
