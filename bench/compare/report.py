"""The summary of a comparison: medians, spreads and ratios, as JSON and as text."""

import statistics

import plan

MIB = 1 << 20
TARGETS = {"defaults": 2.0, "rules": 1.1, "best": 0.93}  # model over each, at least
STALL_REDUCTION = 0.9

METRICS = {  # name: how to get it from a cell's result
    "put_bytes_per_s": lambda r: r["window"]["put_bytes_per_s"],
    "window_s": lambda r: r["window"]["seconds"],
    "l0_compactions": lambda r: r["window"]["l0_compactions"],
    "stall_share": lambda r: r["window"]["stall_share"],
    "worst_stall_s": lambda r: r["window"]["worst_stall_s"],
    "write_amplification": lambda r: r["window"]["write_amplification"],
    "put_p99_s": lambda r: r["window"]["put_p99_s"],
    "put_p999_s": lambda r: r["window"]["put_p999_s"],
    "put_max_s": lambda r: r["window"]["put_max_s"],
    "pending_bytes": lambda r: r["window"]["end"]["pending_bytes"],
    "failed_writes": lambda r: r["failed_writes"],
    "kept": lambda r: sum(trial["status"] == "kept" for trial in r["trials"]),
    "reverted": lambda r: sum(trial["status"] != "kept" for trial in r["trials"]),
    "memory_bytes": lambda r: r["memory_bytes"],
    "cpu_wait_share": lambda r: r["cpu_wait_share"],
}


def spread(values):
    values = [value for value in values if value is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "n": len(values)}


def arm_summary(results):
    return {
        **{name: spread([get(r) for r in results]) for name, get in METRICS.items()},
        "settings_end": [short_settings(r["settings_end"]) for r in results],
        "starved": sum(r["cpu_wait_share"] > plan.STARVED_SHARE for r in results),
    }


def short_settings(settings):
    family = next(iter(settings["families"].values()))
    database = settings["database"]
    return (
        f"W {family['write_buffer_size'] / MIB:g}x{family['max_write_buffer_number']:g} "
        f"L0 {family['level0_file_num_compaction_trigger']:g}"
        f"/{family['level0_slowdown_writes_trigger']:g}/{family['level0_stop_writes_trigger']:g} "
        f"base {family['max_bytes_for_level_base'] / MIB:.0f}x{family['max_bytes_for_level_multiplier']:g} "
        f"file {family['target_file_size_base'] / MIB:g} jobs {database['max_background_jobs']:g}"
    )


def ratios(above, below, metric):
    """Of the medians, and of the cells of one round with each other."""
    value = METRICS[metric]
    rounds = sorted(set(above) & set(below))
    paired = [value(above[r]) / value(below[r]) for r in rounds if value(below[r])]
    medians = [statistics.median([value(r) for r in side.values()]) for side in (above, below)]
    return {
        "ratio": medians[0] / medians[1] if medians[1] else None,
        "low": min(paired, default=None),
        "high": max(paired, default=None),
    }


def summarise(cells, best):
    """`cells`: [(Cell, result)] that are done."""
    groups = {}  # (scenario, budget, paced) -> arm -> round -> result
    budgets = sorted({cell.budget_mib for cell, _ in cells if cell.budget_mib})
    for cell, result in cells:
        for budget in [cell.budget_mib] if cell.budget_mib else budgets:
            key = (cell.scenario, budget, cell.offered_bytes_per_s > 0)
            groups.setdefault(key, {}).setdefault(cell.arm, {})[cell.round] = result
    found = []
    for (scenario, budget, paced), arms in sorted(groups.items()):
        group = {
            "scenario": scenario,
            "memory_budget_mib": budget,
            "load": "paced" if paced else "saturating",
            "arms": {
                name: arm_summary(list(arms[name].values())) for name in plan.ARMS if name in arms
            },
            "rounds": max(len(rounds) for rounds in arms.values()),
        }
        if paced:
            first = next(iter(next(iter(arms.values())).values()))
            group["offered_bytes_per_s"] = first["cell"]["offered_bytes_per_s"]
            if "defaults" in arms and "model" in arms:
                ratio = ratios(arms["model"], arms["defaults"], "stall_share")
                group["stall_time"] = {
                    "reduction": 1 - ratio["ratio"] if ratio["ratio"] is not None else None,
                    "low": 1 - ratio["high"] if ratio["high"] is not None else None,
                    "high": 1 - ratio["low"] if ratio["low"] is not None else None,
                    "target": STALL_REDUCTION,
                }
        elif "model" in arms:
            group["model_over"] = {
                name: {**ratios(arms["model"], arms[name], "put_bytes_per_s"), "target": TARGETS.get(name)}
                for name in arms
                if name != "model"
            }
        found.append(group)
    some = cells[0][1]
    return {
        "schema": 1,
        "simulated": False,
        "machine": some["machine"],
        "device": some["device"],
        "limit": some["limit"],
        "from": min(result["started"] for _, result in cells),
        "to": max(result["started"] for _, result in cells),
        # Of the tuned arms: who only observes is the same in all of them.
        "lsmtuned": sorted(
            {result.get("lsmtuned", "?") for cell, result in cells if plan.ARMS[cell.arm].mode == "tune"}
        ),
        "parallel": sorted({result["parallel"] for _, result in cells}),
        "seconds": sorted({cell.seconds for cell, _ in cells}),
        "window_s": sorted({round(cell.window_s) for cell, _ in cells}),
        "policy": plan.POLICY,
        "arms": {name: plan.ARMS[name].policy for name in plan.ARMS},
        "best": best,
        "groups": found,
    }


# ---- text -------------------------------------------------------------------------------------


def duration(value):
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1e3:.1f} ms" if value >= 1e-3 else f"{value * 1e6:.0f} us"


COLUMNS = [
    ("put MiB/s", "put_bytes_per_s", lambda v: f"{v / MIB:.2f}"),
    ("stalled", "stall_share", lambda v: f"{v:.1%}"),
    ("worst stall", "worst_stall_s", duration),
    ("write amp.", "write_amplification", lambda v: f"{v:.2f}"),
    ("p99.9 put", "put_p999_s", duration),
    ("longest put", "put_max_s", duration),
    ("pending MiB", "pending_bytes", lambda v: f"{v / MIB:.0f}"),
    ("memory MiB", "memory_bytes", lambda v: f"{v / MIB:.0f}"),
    ("cycles", "l0_compactions", lambda v: f"{v:g}"),
    ("kept", "kept", lambda v: f"{v:g}"),
    ("reverted", "reverted", lambda v: f"{v:g}"),
    ("failed writes", "failed_writes", lambda v: f"{v:g}"),
]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(one) + " |" for one in rows]) + "\n"


def _cell_text(summary, name, form):
    value = summary[name]
    text = form(value["median"])
    if name == "put_bytes_per_s" and value["n"] > 1:
        text += f" ({form(value['low'])} to {form(value['high'])})"
    return text


def _verdict(value, target):
    if target is None or value is None:
        return ""
    return f"at least {target:g}: " + ("met" if value >= target else "missed")


def _group_text(group):
    paced = group["load"] == "paced"
    title = f"## {group['scenario']}, {group['memory_budget_mib']} MiB, {group['load']}"
    if paced:
        title += f" at {group['offered_bytes_per_s'] / MIB:.2f} MiB/s"
    rows = [
        [name, str(arm["put_bytes_per_s"]["n"])]
        + [_cell_text(arm, key, form) for _, key, form in COLUMNS]
        for name, arm in group["arms"].items()
    ]
    text = [title, "", table(["arm", "runs"] + [head for head, _, _ in COLUMNS], rows)]
    lines = []
    for name, ratio in group.get("model_over", {}).items():
        lines.append(
            [f"model / {name}", f"{ratio['ratio']:.2f}", _range(ratio), _verdict(ratio["ratio"], ratio["target"])]
        )
    if (reduction := group.get("stall_time")) and reduction["reduction"] is not None:
        lines.append(
            ["stall time, model below defaults", f"{reduction['reduction']:.1%}",
             f"{reduction['low']:.1%} to {reduction['high']:.1%}" if reduction["low"] is not None else "",
             _verdict(reduction["reduction"], reduction["target"])]
        )
    if lines:
        text.append(table(["", "medians", "round by round", "target"], lines))
    text.append("Settings at the end, one line a run (sizes in MiB):\n")
    for name, arm in group["arms"].items():
        for line in dict.fromkeys(arm["settings_end"]):
            text.append(f"- {name}: {line}")
    starved = [f"{name} ({arm['starved']})" for name, arm in group["arms"].items() if arm["starved"]]
    if starved:
        text.append(
            f"\nRuns whose threads waited for a processor more than {plan.STARVED_SHARE:.0%} of the time, "
            "others on the machine being busy: " + ", ".join(starved)
        )
    return "\n".join(text) + "\n"


def _range(ratio):
    return f"{ratio['low']:.2f} to {ratio['high']:.2f}" if ratio["low"] is not None else ""


def text(summary):
    device = summary["device"]
    head = (
        "# Strategies side by side on a real database\n\n"
        f"Made by `./dev bench compare`: real db_bench 7.8.3, {summary['machine']['cpu']}, "
        f"{summary['machine']['cores']} cores, Linux {summary['machine']['kernel']}; each run on a "
        f"device of its own, limited by {summary['limit']} to {device['write_bytes_per_s'] // MIB} MiB/s "
        f"write and {device['read_bytes_per_s'] // MIB} MiB/s read, up to "
        f"{max(summary['parallel'])} at once. From {summary['from']} to {summary['to']}.\n\n"
        f"Each run: {_join(summary['seconds'])} s on a fresh copy of one loaded database, measured in its "
        f"last {_join(summary['window_s'])} s, extended to where an L0 compaction ends. Every run carries the same agent and a daemon; `defaults` and "
        "`best` are only observed. `best` is opened with the settings an offline search found within the "
        "same memory budget and the same limit of L0 files. In the measured window no trial begins; one "
        "that is open is finished. Rates are user bytes; memory is the daemon's formula at the end of the run: "
        "a budget is kept when settings are chosen, and table readers grow with the tree after that. "
        "Medians of the runs.\n"
    )
    if len(summary["lsmtuned"]) > 1:
        head += f"\nThe tuned arms were run by {len(summary['lsmtuned'])} different builds of lsmtuned.\n"
    return "\n".join([head] + [_group_text(group) for group in summary["groups"]])


def _join(values):
    return " or ".join(f"{value:g}" for value in values)
