"""The offline search for `best`: static settings, within the memory budget, measured on the real thing.

1. A design of random settings that use the budget, ranked by simulation (byte totals, then files);
   the models were calibrated by a cell of `defaults`. The best are kept that differ from each other.
2. With them, settings that no model chose (`textbook`): measured in short cells.
3. Changes of the best two measured so far, short cells again: no model takes part.
4. The best FINALISTS in cells of full length; the highest put rate wins.
Settings respect the same limits as the tuned arms: the memory budget and max_l0_files.
"""

import concurrent.futures
import json
import math
import os
import random
import threading

import plan
import predictors

MIB = plan.MIB
DESIGN = 4000
REFINED = 40  # of the design, simulated file by file
MUTATIONS = 200
SIMULATED, NEIGHBOURS, FINALISTS = 6, 4, 3
SHORT_SECONDS, SHORT_WINDOW_S = 220, 130
WARM_UP_S, HORIZON_S = 240, 360
READ_AHEAD = 2 * MIB
CACHE = 8 * MIB  # db_bench's default
TABLE_READERS = 8 * MIB  # what the daemon counts when the tuned arms choose; they grow later
FAR_APART = 0.5  # between two that are both measured: the root of the sum of squared ln

SPANS = {  # sampled evenly in ln, in MiB where the option is a size
    "write_buffer_size": (2, 512),
    "max_write_buffer_number": (2, 8),
    "level0_file_num_compaction_trigger": (2, 32),
    "level0_slowdown_writes_trigger": (4, 32),
    "max_bytes_for_level_base": (16, 4096),
    "max_bytes_for_level_multiplier": (3, 20),
    "target_file_size_base": (2, 64),
    "max_background_jobs": (2, 8),
}
SIZES = ("write_buffer_size", "max_bytes_for_level_base", "target_file_size_base")
STOP_OVER_SLOWDOWN = 1.8


def memory(options):
    """The daemon's formula (model/invariants.h), table readers as seen."""
    return (
        options["write_buffer_size"] * options["max_write_buffer_number"]
        + options["max_background_jobs"] * (options["target_file_size_base"] + READ_AHEAD)
        + CACHE
        + TABLE_READERS
    )


def whole(values, budget):
    """Raw values -> options that RocksDB takes and that fit, or None."""
    options = {}
    for name, value in values.items():
        low, high = SPANS[name]
        value = min(max(value, low), high)
        options[name] = round(value * 4) * MIB // 4 if name in SIZES else round(value)
    most = plan.POLICY["max_l0_files"]
    options["level0_slowdown_writes_trigger"] = min(
        most, max(options["level0_slowdown_writes_trigger"], options["level0_file_num_compaction_trigger"])
    )
    options["level0_stop_writes_trigger"] = math.ceil(
        STOP_OVER_SLOWDOWN * options["level0_slowdown_writes_trigger"]
    )
    return options if memory(options) <= budget else None


def values_of(options):
    return {
        name: options[name] / MIB if name in SIZES else options[name] for name in SPANS
    }


def sample(rng, budget):
    """One of the design; the buffers take 50 to 100 % of what files and caches leave."""
    while True:
        values = {
            name: math.exp(rng.uniform(math.log(low), math.log(high)))
            for name, (low, high) in SPANS.items()
        }
        numbers = round(values["max_write_buffer_number"])
        jobs = round(values["max_background_jobs"])
        room = budget - CACHE - TABLE_READERS - jobs * (values["target_file_size_base"] * MIB + READ_AHEAD)
        values["write_buffer_size"] = rng.uniform(0.5, 1) * room / numbers / MIB
        if values["write_buffer_size"] >= SPANS["write_buffer_size"][0]:
            if options := whole(values, budget):
                return options


def mutated(rng, options, budget, step):
    """One to three values moved by up to a factor of `step`; the buffers shrink where they must."""
    for _ in range(100):
        values = values_of(options)
        for name in rng.sample(list(SPANS), rng.randint(1, 3)):
            values[name] *= math.exp(rng.uniform(-1, 1) * math.log(step))
        while (found := whole(values, budget)) is None and values["write_buffer_size"] > 2:
            values["write_buffer_size"] *= 0.95
        if found and found != options:
            return found
    return options


def distance(a, b):
    return math.sqrt(sum(math.log(a[name] / b[name]) ** 2 for name in SPANS))


def textbook(budget):
    """Two that no model chose: RocksDB's tuning guide (base as large as L0), and few large buffers."""
    found = []
    for numbers, trigger, base_over_l0 in ((4, 4, 1), (3, 8, 2)):
        values = {
            "max_write_buffer_number": numbers,
            "level0_file_num_compaction_trigger": trigger,
            "level0_slowdown_writes_trigger": 20,
            "max_bytes_for_level_multiplier": 10,
            "target_file_size_base": 8,
            "max_background_jobs": 4,
        }
        room = budget - CACHE - TABLE_READERS - 4 * (8 * MIB + READ_AHEAD)
        values["write_buffer_size"] = math.floor(room / numbers / MIB)
        values["max_bytes_for_level_base"] = base_over_l0 * trigger * values["write_buffer_size"]
        found.append(whole(values, budget))
    return found


class Simulated:
    """Rates by simulation; each thread asks with a file of its own."""

    def __init__(self, build, problem):
        self.binary, self.problem = f"{build}/daemon/lsmtunectl", problem
        self.own = threading.local()

    def rate(self, options, layer):
        if not hasattr(self.own, "ask"):
            self.own.ask = predictors.Predictors(self.binary, members=1)
        document = dict(self.problem)
        document["settings"] = {
            **self.problem["settings"],
            **options,
            "max_compaction_bytes": 25 * options["target_file_size_base"],
        }
        try:
            answer = self.own.ask.simulate(document, layer, WARM_UP_S, HORIZON_S)
        except predictors.Refused:
            return 0.0
        return answer["put_bytes_per_s"]

    def ranked(self, candidates, layer):
        """[(rate, options)], best first."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            rates = pool.map(lambda one: self.rate(one, layer), candidates)
            return sorted(zip(rates, candidates), key=lambda pair: -pair[0])


def apart(ranked, count):
    chosen = []
    for rate, options in ranked:
        if all(distance(options, other) >= FAR_APART for _, other in chosen):
            chosen.append((rate, options))
            if len(chosen) == count:
                break
    return chosen


def simulated_candidates(simulated, budget, seed):
    rng = random.Random(seed)
    totals = simulated.ranked([sample(rng, budget) for _ in range(DESIGN)], "totals")
    near = [mutated(rng, totals[i % 10][1], budget, 1.5) for i in range(MUTATIONS)]
    totals = sorted(totals[:REFINED] + simulated.ranked(near, "totals"), key=lambda pair: -pair[0])
    best = {json.dumps(options, sort_keys=True): options for _, options in totals[: 2 * REFINED]}
    return apart(simulated.ranked(list(best.values())[:REFINED], "files"), SIMULATED)


class Search:
    def __init__(self, parsed, runner):
        self.parsed, self.runner = parsed, runner
        self.tried = {}  # (scenario, budget) -> [entry]

    def cell(self, scenario, budget, options, stage, number, long):
        seconds = self.parsed.seconds if long else SHORT_SECONDS
        return plan.Cell(
            name=f"search.{scenario}.{budget}m.{stage}{number}",
            scenario=scenario, arm="best", budget_mib=budget, round=0, seconds=seconds,
            window_s=round(seconds * plan.WINDOW_SHARE, 3) if long else SHORT_WINDOW_S,
            offered_bytes_per_s=0.0, options=options, seed=1000,
        )

    def measure(self, wanted, stage, long=False):
        """`wanted`: {(scenario, budget): [(predicted, options)]}; budgets interleaved."""
        cells = {}
        for number in range(max((len(some) for some in wanted.values()), default=0)):
            for key, some in wanted.items():
                if number < len(some):
                    predicted, options = some[number]
                    cell = self.cell(*key, options, stage, number + 1, long)
                    cells[cell.name] = (key, predicted, cell)
        results = self.runner.run([cell for _, _, cell in cells.values()])
        for name, (key, predicted, cell) in cells.items():
            if name in results:
                result = results[name]
                self.tried.setdefault(key, []).append(
                    {
                        "name": name,
                        "stage": stage,
                        "seconds": cell.seconds,
                        "options": cell.options,
                        "predicted_put_bytes_per_s": predicted,
                        "put_bytes_per_s": result["window"]["put_bytes_per_s"],
                        "l0_compactions": result["window"]["l0_compactions"],
                        "stall_share": result["window"]["stall_share"],
                        "memory_bytes": result["memory_bytes"],
                        "cpu_wait_share": result["cpu_wait_share"],
                        "failed_writes": result["failed_writes"],
                    }
                )

    def best_of(self, key, stages, count):
        entries = [e for e in self.tried.get(key, []) if e["stage"] in stages and not e["failed_writes"]]
        return sorted(entries, key=lambda entry: -entry["put_bytes_per_s"])[:count]

    def problem(self, scenario, make):
        """Of a cell of `defaults`, whose daemon calibrated the models, or of the file that is named."""
        if self.parsed.problem:
            with open(self.parsed.problem, encoding="utf-8") as file:
                return json.load(file)
        cell = make(self.parsed, scenario, "defaults", self.parsed.budgets[0], 1, {})
        results = self.runner.run([cell])
        return results[cell.name]["problem"] if cell.name in results else None

    def run(self, make):
        keys, problems = [], {}
        for scenario in self.parsed.scenarios:
            problems[scenario] = self.problem(scenario, make)
            if problems[scenario] is None:
                return None
            keys += [(scenario, budget) for budget in self.parsed.budgets]

        first = {}
        for scenario, budget in keys:
            self.runner.say(f"simulating {DESIGN} settings of {budget} MiB")
            simulated = Simulated(self.runner.build, problems[scenario])
            chosen = simulated_candidates(simulated, budget * MIB, seed=budget)
            first[scenario, budget] = chosen + [
                (simulated.rate(options, "files"), options) for options in textbook(budget * MIB)
            ]
        self.measure(first, "s")
        if self.runner.stop.is_set():
            return None

        near = {}
        for key in keys:
            rng, parents = random.Random(key[1] + 1), self.best_of(key, ("s",), 2)
            near[key] = [
                (None, mutated(rng, parents[i % len(parents)]["options"], key[1] * MIB, 2.0))
                for i in range(NEIGHBOURS if parents else 0)
            ]
        self.measure(near, "n")
        if self.runner.stop.is_set():
            return None

        self.measure(
            {
                key: [
                    (e["predicted_put_bytes_per_s"], e["options"])
                    for e in self.best_of(key, ("s", "n"), FINALISTS)
                ]
                for key in keys
            },
            "f",
            long=True,
        )
        return None if self.runner.stop.is_set() else self.found(keys)

    def found(self, keys):
        found = {}
        for scenario, budget in keys:
            final = self.best_of((scenario, budget), ("f",), 1)
            if final:
                found.setdefault(scenario, {})[str(budget)] = {
                    **final[0],
                    "tried": self.tried[scenario, budget],
                }
        return found


def search(parsed, runner, make):
    """Writes the winners of the budgets to parsed.best; what other budgets have there stays."""
    found = Search(parsed, runner).run(make)
    if not found:
        runner.say("the search is not complete")
        return
    content = {"schema": 1, "simulated": False, "procedure": __doc__.strip().splitlines(), "found": {}}
    if os.path.exists(parsed.best):
        with open(parsed.best, encoding="utf-8") as file:
            content["found"] = json.load(file)["found"]
    for scenario, budgets in found.items():
        content["found"].setdefault(scenario, {}).update(budgets)
    with open(parsed.best, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
    for scenario, budgets in found.items():
        for budget, one in budgets.items():
            runner.say(
                f"{scenario}, {budget} MiB: {one['put_bytes_per_s'] / MIB:.2f} MiB/s with {one['options']}"
            )
    runner.say(f"written: {parsed.best}")
