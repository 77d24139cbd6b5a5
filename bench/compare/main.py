#!/usr/bin/env python3
"""./dev bench compare: real databases on a slow device under every strategy, interleaved.

Arms: defaults, rules, probe, model, and best: the best static settings that --search finds within
the same memory budget. Every cell's raw result is stored, so that a run that was cut off goes on.
"""

import argparse
import json
import os
import signal
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import plan
import report
import search
import series

RESULTS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs", "results")


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench compare", description=__doc__)
    parser.add_argument("--build", default="build/release", help=argparse.SUPPRESS)
    parser.add_argument("--scenarios", default="overwrite", help="of plan.py, comma-separated")
    parser.add_argument("--arms", default=",".join(plan.ARMS), help="comma-separated")
    parser.add_argument("--budgets", default=",".join(map(str, plan.BUDGETS_MIB)), help="MiB, comma-separated")
    parser.add_argument("--rounds", type=int, default=plan.ROUNDS)
    parser.add_argument("--seconds", type=int, default=plan.SECONDS, help="length of a cell")
    parser.add_argument("--parallel", type=int, default=3, help="cells at once, each on its own device")
    parser.add_argument("--raw", default="build/compare", help="raw results of every cell")
    parser.add_argument("--resume", action="store_true", help="go on with what lies in --raw")
    parser.add_argument("--no-paced", action="store_true", help="leave the paced load out")
    parser.add_argument("--search", action="store_true", help="search the settings of `best`, nothing else")
    parser.add_argument("--problem", help="calibrated problem for --search, instead of a cell of `defaults`")
    parser.add_argument("--best", default=f"{RESULTS}/compare-best.json", help="what --search found")
    parser.add_argument("--report-only", action="store_true", help="only sum up what lies in --raw")
    parser.add_argument("--json", default=f"{RESULTS}/compare.json")
    parser.add_argument("--table", default=f"{RESULTS}/compare.md")
    parser.add_argument("--backing", default="/var/tmp", help="where the devices' images lie")
    parsed = parser.parse_args()
    parsed.arms = parsed.arms.split(",")
    parsed.scenarios = parsed.scenarios.split(",")
    parsed.budgets = [int(budget) for budget in parsed.budgets.split(",")]
    for name, known in (("arms", plan.ARMS), ("scenarios", plan.SCENARIOS)):
        for word in getattr(parsed, name):
            if word not in known:
                parser.error(f"--{name}: no {word}; there are {', '.join(known)}")
    if parsed.seconds < 60 or parsed.rounds < 1 or parsed.parallel < 1:
        parser.error("--seconds at least 60, --rounds and --parallel at least 1")
    if not (parsed.resume or parsed.report_only) and stored_cells(parsed.raw):
        parser.error(f"{parsed.raw} holds cells: --resume goes on with them, --raw names another folder")
    return parsed


def stored_cells(raw):
    return [name for name in os.listdir(raw) if os.path.exists(f"{raw}/{name}/cell.json")] if os.path.isdir(raw) else []


def read_best(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError:
        return {}


def cell_of(parsed, scenario, arm, budget, number, best, offered=0.0):
    """A cell, or None where the arm needs a search that has not been made."""
    about = plan.ARMS[arm]
    options = {}
    if about.static:
        try:
            options = best["found"][scenario][str(budget)]["options"]
        except KeyError:
            return None
    budget = budget if about.budgeted or offered else 0
    seconds = round(parsed.seconds * (plan.PACED_LONGER if offered else 1))
    words = [scenario, arm] + ([f"{budget}m"] if budget else []) + (["paced"] if offered else [])
    return plan.Cell(
        name=".".join(words + [f"r{number}"]),
        scenario=scenario,
        arm=arm,
        budget_mib=budget,
        round=number,
        seconds=seconds,
        window_s=round(seconds * plan.WINDOW_SHARE, 3),
        offered_bytes_per_s=offered,
        options=options,
        seed=1000 + number,
    )


def rotated(items, by):
    items = list(items)
    by %= max(1, len(items))
    return items[by:] + items[:by]


def saturating(parsed, best):
    """Round after round, the arms of one budget next to each other: what else the machine is busy with
    is then much the same for all of them.
    """
    cells = {}
    for number in range(1, parsed.rounds + 1):
        for scenario in parsed.scenarios:
            for budget in rotated(parsed.budgets, number - 1):
                for arm in rotated(parsed.arms, number - 1):
                    cell = cell_of(parsed, scenario, arm, budget, number, best)
                    if cell:
                        cells[cell.name] = cell
    return list(cells.values())


def offered_rates(parsed, done):
    """{scenario: {budget: bytes/s}}: a share of the tuned maximum. Kept, so that later rounds of a
    resumed run are offered the same.
    """
    path = f"{parsed.raw}/offered.json"
    rates = read_best(path)
    for scenario in parsed.scenarios:
        for budget in map(str, parsed.budgets):
            measured = [
                result["window"]["put_bytes_per_s"]
                for cell, result in done
                if cell.scenario == scenario and cell.arm == "model" and str(cell.budget_mib) == budget
            ]
            if len(measured) >= parsed.rounds and budget not in rates.get(scenario, {}):
                rates.setdefault(scenario, {})[budget] = round(
                    plan.PACED_SHARE * statistics.median(measured)
                )
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rates, file, indent=1)
    return rates


def paced(parsed, rates, best):
    cells = []
    for number in range(1, parsed.rounds + 1):
        for scenario in parsed.scenarios:
            for budget in rotated(parsed.budgets, number - 1):
                for arm in rotated([a for a in plan.PACED_ARMS if a in parsed.arms], number - 1):
                    rate = rates.get(scenario, {}).get(str(budget))
                    if rate:
                        cells.append(cell_of(parsed, scenario, arm, budget, number, best, rate))
    return cells


def compare(parsed, runner, run):
    best = read_best(parsed.best)
    wanted = saturating(parsed, best)
    results = run(wanted)
    done = [(cell, results[cell.name]) for cell in wanted if cell.name in results]
    if not parsed.no_paced and not runner.stop.is_set():
        more = paced(parsed, offered_rates(parsed, done), best)
        results = run(more)
        done += [(cell, results[cell.name]) for cell in more if cell.name in results]
    if not done:
        print("no cell is done: nothing to sum up", file=sys.stderr)
        return
    if "best" in parsed.arms and not best:
        print(f"no `best`: {parsed.best} is missing; --search makes it", file=sys.stderr)
    summary = report.summarise(done, best.get("found"))
    words = report.text(summary)
    print("\n" + words)
    for path, content in ((parsed.json, json.dumps(summary, indent=1) + "\n"), (parsed.table, words)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        print(f"written: {path}")


def main():
    parsed = arguments()
    parsed.raw = os.path.abspath(parsed.raw)
    os.makedirs(parsed.raw, exist_ok=True)
    runner = series.Series(parsed.raw, os.path.abspath(parsed.build), parsed.backing, parsed.parallel)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: runner.stop.set())
    if parsed.search:
        search.search(parsed, runner, cell_of)
    else:
        compare(parsed, runner, runner.stored if parsed.report_only else runner.run)
    if runner.stop.is_set():
        runner.say("interrupted; everything was cleaned up; --resume goes on")
        return 130
    if runner.failed:
        runner.say(f"without a result: {', '.join(runner.failed)}")
    return 1 if runner.failed else 0


if __name__ == "__main__":
    sys.exit(main())
