#!/usr/bin/env python3
"""Accuracy while one parameter varies: measured beside predicted at each of its values.

A series is the measured settings of one scenario that agree in every option but one (the three L0
triggers count as one). Each has the measured elasticity d ln S / d ln x, by least squares, with a
standard error: that of the repeats, or of the scatter about the line where it is larger.
"""

import argparse
import json
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import report
import settings

L0_TRIGGERS = "L0 triggers"
MIB = 1 << 20


def knobs_of(options):
    """Options with the three L0 triggers as one."""
    knobs = {name: value for name, value in options.items() if name not in settings.L0}
    knobs[L0_TRIGGERS] = tuple(options[name] for name in settings.L0)
    return knobs


def number_of(value):
    """What is on the axis; of the L0 triggers the first, which starts a compaction."""
    return value[0] if isinstance(value, tuple) else value


def series(rows, setting_of):
    """-> [{knob, scenario, beside, rows: [(value, row)]}] with at least two values each.

    `setting_of`: row name -> entry of settings.RUNS. Of several series of one knob and scenario
    each stands alone: what else is set differs between them.
    """
    found = {}
    for row in rows:
        knobs = knobs_of(setting_of(row["name"])["options"])
        for knob, value in knobs.items():
            rest = tuple(sorted((k, v) for k, v in knobs.items() if k != knob))
            found.setdefault((knob, row["scenario"], rest), []).append((value, row))
    result = []
    for (knob, scenario, rest), members in found.items():
        if len({number_of(value) for value, _ in members}) > 1:
            members.sort(key=lambda member: number_of(member[0]))
            result.append({"knob": knob, "scenario": scenario, "beside": dict(rest), "rows": members})
    return sorted(result, key=lambda one: (-len(one["rows"]), one["knob"], one["scenario"]))


def slope(points, relative_errors):
    """(d ln y / d ln x, its standard error) of [(x, y)], with a standard error of each ln y."""
    x = [math.log(value) for value, _ in points]
    y = [math.log(rate) for _, rate in points]
    weights = [1 / error**2 for error in relative_errors]
    total = sum(weights)
    mean_x = sum(w * a for w, a in zip(weights, x)) / total
    mean_y = sum(w * b for w, b in zip(weights, y)) / total
    spread = sum(w * (a - mean_x) ** 2 for w, a in zip(weights, x))
    rise = sum(w * (a - mean_x) * (b - mean_y) for w, a, b in zip(weights, x, y)) / spread
    scatter = sum(w * (b - mean_y - rise * (a - mean_x)) ** 2 for w, a, b in zip(weights, x, y))
    birge = max(1.0, scatter / (len(points) - 2)) if len(points) > 2 else 1.0
    return rise, math.sqrt(birge / spread)


def analyse(result, setting_of=settings.by_name):
    """-> one entry a series: values, measured, predicted and error of each model, elasticities."""
    noise = result["repeat_noise"]
    usual = knobs_of(settings.COMMON)
    entries = []
    for one in series([row for row in result["rows"] if row["group"] == "one_slot"], setting_of):
        rows = [row for _, row in one["rows"]]
        values = [number_of(value) for value, _ in one["rows"]]
        errors = [noise / math.sqrt(row["runs"]) for row in rows]
        models = [name for name in rows[0]["predicted"] if all(name in row["predicted"] for row in rows)]
        measured, error = slope([(v, row["measured"]) for v, row in zip(values, rows)], errors)
        entries.append(
            {
                "knob": one["knob"],
                "scenario": one["scenario"],
                "beside": {k: v for k, v in one["beside"].items() if v != usual.get(k)},
                "points": [
                    {
                        "setting": row["name"],
                        "value": value,
                        "runs": row["runs"],
                        "measured": row["measured"],
                        "predicted": {model: row["predicted"][model] for model in models},
                        "error": {model: row["predicted"][model] / row["measured"] - 1 for model in models},
                    }
                    for value, row in zip([value for value, _ in one["rows"]], rows)
                ],
                "elasticity": {"measured": measured, "standard_error": error},
                "predicted_elasticity": {
                    model: slope([(v, row["predicted"][model]) for v, row in zip(values, rows)], errors)[0]
                    for model in models
                },
            }
        )
    return entries


def value_text(knob, value):
    if isinstance(value, tuple):
        return "/".join(map(str, value))
    in_bytes = knob.endswith(("_size", "_size_base", "_level_base", "_limit"))
    return f"{value / MIB:g} MiB" if in_bytes else f"{value:g}"


def page(entries):
    parts = [
        "# Accuracy while one parameter varies\n",
        "From `model.json`: settings of one scenario that differ in one parameter only, bound by the "
        "device with one compaction slot. Errors are predicted over measured. Elasticities are "
        "d ln S / d ln x over the values of a table, measured with one standard error.\n",
    ]
    for entry in entries:
        models = list(entry["predicted_elasticity"])
        beside = ", ".join(f"{knob} {value_text(knob, v)}" for knob, v in entry["beside"].items())
        parts.append(f"## {entry['knob']}: {entry['scenario']}{', ' + beside if beside else ''}\n")
        parts.append(
            report.table(
                ["value", "setting", "runs", "measured MiB/s"] + models,
                [
                    [value_text(entry["knob"], point["value"]), point["setting"], str(point["runs"]),
                     report.number(point["measured"] / MIB)]
                    + [report.percent(point["error"][model], True) for model in models]
                    for point in entry["points"]
                ]
                + [
                    ["elasticity", "", "",
                     f"{entry['elasticity']['measured']:+.3f} ± {entry['elasticity']['standard_error']:.3f}"]
                    + [f"{entry['predicted_elasticity'][model]:+.3f}" for model in models]
                ],
            )
        )
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", help="model.json")
    parser.add_argument("--table", help="Markdown; default: standard output")
    arguments = parser.parse_args()
    with open(arguments.scores, encoding="utf-8") as file:
        text = page(analyse(json.load(file)))
    if arguments.table:
        with open(arguments.table, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
