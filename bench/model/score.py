#!/usr/bin/env python3
"""Predicts every measured setting from two of them, and says how good that was.

Calibration sees the two settings named in settings.CALIBRATION and nothing else; with
--from-first-60s each run's own first minute instead, and the rest of that run is predicted.
"""

import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import calibration
import predictors
import problem
import published
import raw
import report
import scores
import settings

SIMULATIONS = ("files", "totals")
WINDOWS = ((0, 50), (50, 100))
FIRST_S = 60


def calibrate(measured):
    missing = [name for name in settings.CALIBRATION if name not in measured]
    if missing:
        raise SystemExit(f"score: the calibration settings {missing} were not measured")
    return calibration.combine(
        [
            calibration.combine(
                [calibration.observe(run, log) for run, log in zip(one.runs, one.logs)]
            )
            for one in (measured[name] for name in settings.CALIBRATION)
        ]
    )


class Scoring:
    def __init__(self, measured, ask, models):
        self.measured, self.ask, self.models = measured, ask, models
        self.constants = calibrate(measured)
        calibrating = [measured[name] for name in settings.CALIBRATION]
        self.seen = published.combine(
            [published.observe(run, log) for one in calibrating for run, log in zip(one.runs, one.logs)]
        )
        self.constant = scores.mean(
            measured[name].put_bytes_per_s() for name in settings.CALIBRATION
        )
        self.refusals = {}

    def problem_of(self, one, horizon_s):
        return problem.make(one.setting, self.constants, one.files, horizon_s)

    def predict(self, one):
        """-> {model: {put_bytes_per_s, ...}}; a model that refuses is absent, its words are kept."""
        question = self.problem_of(one, one.seconds)
        answers = {}
        with_published = {**question, "published": published.section(question, self.seen)}
        for layer in SIMULATIONS:
            self._try(answers, one, layer, lambda layer=layer: self.ask.simulate(question, layer))
        for model in self.models:
            if model not in SIMULATIONS:
                self._try(answers, one, model, lambda model=model: self.ask.predict(with_published, model))
        answers["constant"] = {"put_bytes_per_s": self.constant}
        return answers

    def _try(self, answers, one, model, question):
        try:
            answers[model] = question()
        except predictors.Refused as refusal:
            self.refusals.setdefault(model, {})[one.name] = str(refusal)

    def windows(self, one):
        """-> [{window, measured (of each run), predicted, sigma}] by the file simulation."""
        rows = []
        for low, high in (window for window in WINDOWS if window[1] <= one.seconds):
            answer = self.ask.simulate(self.problem_of(one, high - low), "files", warmup_s=low)
            rows.append(
                {"window": [low, high], "measured": one.windows(low, high),
                 "predicted": answer["put_bytes_per_s"], "sigma": answer["sigma"]}
            )
        return rows

    def row(self, one):
        answers = self.predict(one)
        best = answers.get("files", {})
        return {
            "name": one.name,
            "group": one.group,
            "scenario": scenario(one.setting),
            "calibration": one.name in settings.CALIBRATION,
            "runs": len(one.runs),
            "user_bytes_per_put": one.runs[0]["user_bytes_per_put"],
            "measured": one.put_bytes_per_s(),
            "predicted": {model: answer["put_bytes_per_s"] for model, answer in answers.items()},
            "sigma": best.get("sigma", 0.0),
            "l0_jobs_measured": one.jobs("l0_to_base"),
            "l0_jobs_predicted": best.get("l0_compactions"),
            "stall_measured": one.stall_share(),
            "stall_predicted": best.get("stall_shares", {}).get("total"),
            "windows": self.windows(one),
        }


def scenario(one):
    return f"{one['device']} {one['tree']} {one['benchmark']}"


def summary(rows):
    """One line a model over rows that are predictions; only rows which every model answers alike
    in kind count for it, and how many they are is said."""
    lines = {}
    for model in dict.fromkeys(name for row in rows for name in row["predicted"]):
        known = [row for row in rows if model in row["predicted"]]
        measured = [row["measured"] for row in known]
        predicted = [row["predicted"][model] for row in known]
        lines[model] = {
            "settings": len(known),
            "mean_absolute_error": scores.mean_absolute_error(measured, predicted),
            "mean_error": scores.mean(scores.relative_errors(measured, predicted)),
            "worst_absolute_error": max(abs(e) for e in scores.relative_errors(measured, predicted)),
            "log_standard_deviation": scores.log_deviation(measured, predicted),
            "interval_coverage": scores.left_out_coverage(measured, predicted),
            "spearman": scores.spearman(measured, predicted),
            "regret": scores.regret(measured, predicted),
        }
    return lines


def largest_scenario(rows):
    names = [row["scenario"] for row in rows]
    return max(dict.fromkeys(names), key=names.count)


def coverage(rows):
    """80 % intervals over settings x windows, in the order measured: each learns from those before."""
    spread, outcomes = scores.LearnedSpread(), []
    for row in rows:
        for one in row["windows"]:
            one["low"], one["high"] = spread.interval(one["predicted"], one["sigma"])
        for one in row["windows"]:
            for measured in one["measured"]:
                outcomes.append((measured, one))
                spread.learn(measured, one["predicted"], one["sigma"])
    if not outcomes:
        raise SystemExit(f"score: no run is long enough for the windows {WINDOWS}")
    measured = [value for value, _ in outcomes]
    return {
        "predictions": len(outcomes),
        "coverage": scores.coverage(measured, [(one["low"], one["high"]) for _, one in outcomes]),
        "coverage_ensemble_alone": scores.coverage(
            measured, [scores.bare_interval(one["predicted"], one["sigma"]) for _, one in outcomes]
        ),
        "structural_sigma_at_the_end": spread.sigma(),
    }


def checks(rows):
    """Job counts and stall shares of the file simulation against the LOG."""
    counted = [row for row in rows if row["l0_jobs_predicted"] is not None]
    pairs = [(jobs, row["l0_jobs_predicted"]) for row in counted for jobs in row["l0_jobs_measured"]]
    stalls = [abs(row["stall_predicted"] - row["stall_measured"]) for row in counted]
    return {
        "runs": len(pairs),
        "l0_jobs_within_one": scores.mean(abs(round(p) - m) <= 1 for m, p in pairs),
        "stall_share_within_10_points": scores.mean(gap <= 0.10 for gap in stalls),
        "stall_share_worst_gap": max(stalls),
    }


def from_first_minute(measured, ask):
    """Each run on its own: constants from the counters of its first minute, the rest predicted.

    The simulation starts from the tree that the run started from and passes through that minute
    unscored, so that the rest begins in the middle of a compaction cycle as the run does.
    """
    rows = []
    for one in measured.values():
        for run, log in zip(one.runs, one.logs):
            end = len(run["puts_per_second"])
            constants = calibration.combine([calibration.observe(run, log, until_s=FIRST_S)])
            question = problem.make(one.setting, constants, one.files, end - FIRST_S)
            try:
                answer = ask.simulate(question, "files", warmup_s=FIRST_S)
            except predictors.Refused as refusal:
                print(f"score: {one.name} is not predicted: {refusal}", file=sys.stderr)
                continue
            first = raw.window(run, 0, FIRST_S)
            rows.append(
                {"name": one.name, "group": one.group, "scenario": scenario(one.setting),
                 "from_s": FIRST_S, "to_s": end, "measured": raw.window(run, FIRST_S, end),
                 "measured_first": first,
                 "predicted": {"files": answer["put_bytes_per_s"], "the first minute goes on": first}}
            )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", help="folder that measure.py filled")
    parser.add_argument("--lsmtunectl", required=True)
    parser.add_argument("--json", required=True, help="every figure")
    parser.add_argument("--table", required=True, help="the tables, Markdown")
    parser.add_argument("--members", type=int, default=16, help="of the simulator's ensemble")
    parser.add_argument("--from-first-60s", action="store_true", help="calibrate each run on its own start")
    arguments = parser.parse_args()

    measured = raw.read_all(arguments.raw)
    ask = predictors.Predictors(os.path.abspath(arguments.lsmtunectl), arguments.members)
    try:
        if arguments.from_first_60s:
            rows = from_first_minute(measured, ask)
            groups = list(dict.fromkeys(row["group"] for row in rows))
            result = {
                "mode": "from the first 60 s", "rows": rows,
                "summary": {group: summary([r for r in rows if r["group"] == group]) for group in groups},
            }
            table = report.first_minute(result)
        else:
            scoring = Scoring(measured, ask, ask.models())
            rows = [scoring.row(one) for one in measured.values()]
            result = whole(scoring, rows)
            table = report.whole(result)
    finally:
        ask.close()
    with open(arguments.json, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    with open(arguments.table, "w", encoding="utf-8") as file:
        file.write(table)
    print(table)
    return 0


def whole(scoring, rows):
    first = next(iter(scoring.measured.values())).runs[0]
    held_out = [row for row in rows if row["group"] == "one_slot" and not row["calibration"]]
    if not held_out:
        raise SystemExit("score: nothing but the calibration settings was measured")
    same = [row for row in held_out if row["scenario"] == largest_scenario(held_out)]
    apart = list(dict.fromkeys(row["group"] for row in rows if row["group"] != "one_slot"))
    return {
        "mode": "calibrated on two settings",
        "calibration_settings": settings.CALIBRATION,
        "constants": scoring.constants,
        "machine": first["machine"],
        "cgroup": first["cgroup"],
        "measured_on": first["started"],
        "repeat_noise": raw.repeat_noise(scoring.measured),
        "rows": rows,
        "one_slot": summary(held_out),
        "one_scenario_name": same[0]["scenario"],
        "one_scenario": summary(same),
        "coverage": coverage(held_out),
        "checks": checks(held_out),
        "apart": {group: summary([row for row in rows if row["group"] == group]) for group in apart},
        "refusals": scoring.refusals,
    }


if __name__ == "__main__":
    sys.exit(main())
