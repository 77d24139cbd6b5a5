"""What the published models want to know beside a problem: seen at the calibration settings.

The ledger gives them each setting's write amplification (daemon/published_json.h); stall share,
level shares and variation are outcomes, so no setting but the calibration ones may give them.
"""

import statistics

MIB = 1 << 20


def level_traffic(log):
    """-> [{written, incoming}] by level: flushes into L0, compactions by where they write."""
    levels = []
    for job in log.jobs:
        if job["kind"] == "trivial_move":
            continue
        while len(levels) <= job["output_level"]:
            levels.append({"written": 0.0, "incoming": 0.0})
        levels[job["output_level"]]["written"] += job["written_bytes"]
        levels[job["output_level"]]["incoming"] += job["incoming_bytes"]
    return levels


def observe(run, log):
    """One calibration run's outcomes."""
    puts = run["puts_per_second"]
    written = sum(job["written_bytes"] for job in log.jobs)
    read = sum(job["read_bytes"] for job in log.jobs)
    return {
        "stall_probability": run["stall_share"],
        "put_rate_variation": statistics.pstdev(puts) / statistics.fmean(puts),
        "compaction_intensity": min(
            1.0, sum(j["end_s"] - j["start_s"] for j in log.jobs if j["kind"] != "flush") / run["seconds"]
        ),
        "written_per_user_byte": written / run["user_bytes"],
        "read_per_user_byte": read / run["user_bytes"],
        "levels": level_traffic(log),
        "seconds": run["seconds"],
    }


def combine(observed):
    """Means; level traffic is added up."""
    depth = max(len(one["levels"]) for one in observed)
    levels = [
        {
            name: sum(one["levels"][l][name] for one in observed if l < len(one["levels"]))
            for name in ("written", "incoming")
        }
        for l in range(depth)
    ]
    scalars = [name for name in observed[0] if name != "levels"]
    return {name: statistics.fmean(one[name] for one in observed) for name in scalars} | {"levels": levels}


def section(question, seen):
    """The member `published` of a problem document."""
    user = question["workload"]["key_bytes"] + question["workload"]["value_bytes"]
    constants, options = question["calibration"], question["settings"]
    total = sum(level["written"] for level in seen["levels"])
    l0 = question["tree"]["levels"][:1]
    return {
        "stall_probability": min(1.0, seen["stall_probability"]),
        "put_rate_variation": seen["put_rate_variation"],
        "trend_slope": 0.0,
        "compaction_intensity": seen["compaction_intensity"],
        "device_degradation": 0.0,
        "levels": [
            {
                "written_mib": level["written"] / MIB,
                "w_amp": level["written"] / level["incoming"] if level["incoming"] else 0.0,
            }
            for level in seen["levels"]
        ],
        "v3": {
            "steps": max(1, round(question["horizon_s"])),
            "offered_mib_per_s": [{"from_s": 0, "value": constants["foreground_bytes_per_s"] / MIB}],
            "write_amplification": [{"from_s": 0, "value": seen["written_per_user_byte"]}],
            "read_amplification": [{"from_s": 0, "value": seen["read_per_user_byte"]}],
            "stall_threshold_files": options["level0_slowdown_writes_trigger"],
            "l0_file_mib": options["write_buffer_size"] * constants["file_bytes_per_record"] / user / MIB,
            "l0_files": l0[0]["files"] if l0 else 0,
            "mode": "log_driven",
            "levels": [
                {
                    "name": f"L{l}",
                    "write_share": level["written"] / total,
                    "read_share": level["written"] / total,
                }
                for l, level in enumerate(seen["levels"])
            ],
        },
    }
