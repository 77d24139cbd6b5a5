"""The tables, as Markdown."""

MIB = 1 << 20


def table(head, rows):
    return "\n".join(
        ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
        + ["| " + " | ".join(row) + " |" for row in rows]
    ) + "\n"


def percent(value, signed=False):
    if value is None:
        return "-"
    return f"{value:+.1%}" if signed else f"{value:.1%}"


def number(value, places=2):
    return "-" if value is None else f"{value:.{places}f}"


def model_lines(lines):
    return table(
        ["model", "settings", "mean abs. error", "mean error", "worst", "deviation of ln",
         "80 % covers", "Spearman", "regret"],
        [
            [model, str(s["settings"]), percent(s["mean_absolute_error"]),
             percent(s["mean_error"], True), percent(s["worst_absolute_error"]),
             number(s["log_standard_deviation"], 3), percent(s["interval_coverage"]),
             number(s["spearman"], 3), percent(s["regret"])]
            for model, s in lines.items()
        ],
    )


def setting_lines(rows):
    head = ["setting", "scenario", "runs", "measured MiB/s", "ops/s", "files", "error", "totals",
            "ledger", "L0→base jobs: LOG / predicted", "stalled: measured / predicted"]
    lines = []
    for row in rows:
        def error(model, row=row):
            value = row["predicted"].get(model)
            return percent(value / row["measured"] - 1, True) if value else "-"

        files = row["predicted"].get("files")
        lines.append(
            [row["name"] + (" (calibration)" if row["calibration"] else ""), row["scenario"],
             str(row["runs"]), number(row["measured"] / MIB),
             f"{row['measured'] / row['user_bytes_per_put']:.0f}",
             number(files / MIB if files else None), error("files"),
             error("totals"), error("ledger"),
             f"{' '.join(map(str, row['l0_jobs_measured']))} / {number(row['l0_jobs_predicted'], 1)}",
             f"{percent(row['stall_measured'])} / {percent(row['stall_predicted'])}"]
        )
    return table(head, lines)


def whole(result):
    cover, checks, noise = result["coverage"], result["checks"], result["repeat_noise"]
    machine = result["machine"]
    parts = [
        "# Predicted and measured put rates\n",
        f"Real db_bench 7.8.3, {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_bytes'] / (1 << 30):.0f} GiB, Linux {machine['kernel']}, cgroup "
        f"{result['cgroup']}, measured on {result['measured_on'][:10]}. Rates are user bytes (key + "
        "value). Calibrated on "
        + " and ".join(f"`{name}`" for name in result["calibration_settings"])
        + "; every other row is a prediction.\n",
        "Repeats of one setting differ by "
        + (f"{noise:.1%} (standard deviation, pooled)" if noise is not None else "an unknown amount")
        + ": what is left of an error when a model is right.\n",
        "## Device-bound, one compaction slot\n",
        model_lines(result["one_slot"]),
        f"The same, only the largest scenario ({result['one_scenario_name']}), where a tuner would "
        "choose between the settings:\n",
        model_lines(result["one_scenario"]),
        "v1, v2, v2.1 and V5 take each setting's write amplification from the ledger (none of them has "
        "one of its own); stall share and level shares, where a model wants them, are those of the "
        "calibration settings. A model that gives every setting the same rate ranks nothing (Spearman -); its regret is that "
        "of picking at random.\n",
        f"80 % intervals: {percent(cover['coverage'])} of {cover['predictions']} predictions (settings x "
        f"windows x runs) inside, the model's own error learned from the rows before; the ensemble alone covers "
        f"{percent(cover['coverage_ensemble_alone'])}.\n",
        f"L0→base jobs within one of the LOG's: {percent(checks['l0_jobs_within_one'])} of "
        f"{checks['runs']} runs. Stall share within 10 points: "
        f"{percent(checks['stall_share_within_10_points'])} of settings, worst "
        f"{percent(checks['stall_share_worst_gap'])}.\n",
        setting_lines([row for row in result["rows"] if row["group"] == "one_slot"]),
    ]
    for group, lines in result["apart"].items():
        parts += [
            f"## Tabled apart: {group.replace('_', ' ')}\n",
            model_lines(lines),
            setting_lines([row for row in result["rows"] if row["group"] == group]),
        ]
    if result["refusals"]:
        parts.append("## Refused\n")
        parts.append(
            "".join(
                f"- {model}: {len(names)} settings, e.g. {next(iter(names.values()))}\n"
                for model, names in result["refusals"].items()
            )
        )
    return "\n".join(parts)


def first_minute(result):
    parts = [
        "# Predicted from the first 60 seconds\n",
        "Constants come from the counters of each run's own first minute, the tree is the one it began "
        "with; the rest of that run is predicted. The second model says that the first minute's mean "
        "goes on.\n",
    ]
    for group, lines in result["summary"].items():
        parts += [f"## {group.replace('_', ' ')}\n", model_lines(lines)]
    parts.append(
        table(
            ["setting", "first minute MiB/s", "rest MiB/s", "predicted", "error"],
            [
                [row["name"], number(row["measured_first"] / MIB), number(row["measured"] / MIB),
                 number(row["predicted"]["files"] / MIB),
                 percent(row["predicted"]["files"] / row["measured"] - 1, True)]
                for row in result["rows"]
            ],
        )
    )
    return "\n".join(parts)
