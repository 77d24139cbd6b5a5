#!/usr/bin/env python3
"""What the agent costs the database it sits in: CPU per put and put throughput.

Runs Debian's db_bench (one thread, no WAL, no compaction, memory file system: CPU-bound and free
of stalls). Variants:
  none       no agent
  counters   agent preloaded, polled once a second: what RocksDB counts anyway
  tickers    the same, with RocksDB's tickers
  latency    the same, with the latency of every write too

--pairing concurrent (default): a variant and none run at the same time, each held on one of two
cores with all its threads, then once more with the cores swapped. Whatever else the machine does
meanwhile hits both; what makes one core slower hits each once. A counted pair is the geometric
mean of the two runs of each side. The daemon polls only the variant with the agent, but takes its
own CPU time from the first of the two cores in both runs: from none in the one, from the variant in
the other, so it cancels. What the agent does in the database's process (answering, its poll
thread) stays on the variant's side, on its core.

--pairing sequential: one run of each variant and of none in an order drawn from the seed, each
compared with none of its own round. Much noisier. Used where two cores, or the means to hold a
process on one, are missing.

The first round warms up and is dropped. CPU is user + system time of the whole process: it
includes the agent's start, a few milliseconds a process, which weighs the more the shorter the run.

Exit code: 0 the criterion holds (upper end of the 95 % interval of lost throughput at counters at
most 1 %), 1 it does not, 2 the measurement itself failed.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile

from intervals import INTERVALS
from pairing import allowed_cores, choose_cores, pair_of, swapped_schedule
from workload import Daemon, Failed, Run, finish_all

CRITERION = 0.01
HERE = os.path.dirname(os.path.abspath(__file__))
# Many short runs: what disturbs one comes and goes. Long enough that the agent's start, a few
# milliseconds, is no part of the answer to a few tenths of a per cent.
DEFAULTS = {"concurrent": {"pairs": 50, "puts": 1_800_000},
            "sequential": {"pairs": 30, "puts": 1_500_000}}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    build = os.path.join(HERE, "..", "..", "build", "release")
    parser.add_argument("--agent", default=f"{build}/actuators/agent/liblsmtuned_agent.so",
                        help="the library to preload")
    parser.add_argument("--impl-dir", help="folder of the agent's implementation, if not beside it")
    parser.add_argument("--daemon", help="lsmtuned binary to poll with, in observe mode; without "
                                         "it a small observer in this process polls")
    parser.add_argument("--aa", action="store_true",
                        help="self check: no agent anywhere; the intervals must contain 0")
    parser.add_argument("--pairing", choices=sorted(DEFAULTS), default="concurrent")
    parser.add_argument("--pairs", type=int, help="rounds that count (50; sequential: 30)")
    parser.add_argument("--puts", type=int,
                        help="puts in each run (1800000; sequential: 1500000)")
    parser.add_argument("--nice", type=int, default=0,
                        help="added to the nice value of everything measured; negative ones (root) "
                             "keep other work off the cores (0)")
    parser.add_argument("--benchmark", choices=["fillrandom", "overwrite", "fillseq"],
                        default="fillrandom")
    parser.add_argument("--value-size", type=int, default=100)
    parser.add_argument("--write-buffer-size", type=int, default=4 << 20,
                        help="small buffers stay in the CPU's caches: fastest and steadiest puts, "
                             "so the agent's share is at its largest (4194304)")
    parser.add_argument("--variants", default="counters,tickers,latency",
                        help="compared with none (counters,tickers,latency)")
    parser.add_argument("--seed", type=int, default=1, help="of the order inside each round")
    parser.add_argument("--interval", choices=sorted(INTERVALS), default="t",
                        help="t (default), or wilcoxon where other work disturbs single runs")
    parser.add_argument("--db-bench", default="db_bench")
    parser.add_argument("--directory", default="/dev/shm" if os.path.isdir("/dev/shm") else None,
                        help="where the databases live (/dev/shm)")
    parser.add_argument("--json", metavar="FILE", help="write every run and the result")
    parsed = parser.parse_args()
    parsed.cores = choose_cores(allowed_cores()) if parsed.pairing == "concurrent" else None
    if parsed.pairing == "concurrent" and parsed.cores is None:
        print("two cores to hold processes on are not to be had here: sequential pairing",
              file=sys.stderr)
        parsed.pairing = "sequential"
    for name, value in DEFAULTS[parsed.pairing].items():
        if getattr(parsed, name) is None:
            setattr(parsed, name, value)
    if parsed.pairs < 2 or parsed.puts < 1000:
        parser.error("--pairs is at least 2 and --puts at least 1000")
    if parsed.interval == "wilcoxon" and parsed.pairs < 6:
        parser.error("--interval wilcoxon needs --pairs 6 or more")
    if not parsed.aa and not os.path.exists(parsed.agent):
        parser.error(f"no agent at {parsed.agent}: build it or name it with --agent (or use --aa)")
    parsed.variants = [name for name in parsed.variants.split(",") if name]
    if not parsed.variants or not set(parsed.variants) <= {"counters", "tickers", "latency"}:
        parser.error("--variants takes counters, tickers and latency")
    return parsed


def concurrent_round(options, scratch, cores, order):
    """Each variant beside none, one on each core, then swapped."""
    pairs = {}
    for name in order.sample(options.variants, len(options.variants)):
        with_agent = []
        without = []
        for placed in swapped_schedule(name, cores, order):
            runs = [Run(options, scratch, variant, core) for variant, core in placed]
            for (variant, _), figures in zip(placed, finish_all(runs)):
                (without if variant == "none" else with_agent).append(figures)
        pairs[name] = {**pair_of(with_agent, without), "runs": with_agent + without}
    return pairs


def sequential_round(options, scratch, order):
    """One run of each variant and of none, one after the other."""
    names = order.sample(["none"] + options.variants, 1 + len(options.variants))
    runs = {name: finish_all([Run(options, scratch, name)])[0] for name in names}
    return {name: {**pair_of([runs[name]], [runs["none"]]), "runs": [runs[name], runs["none"]]}
            for name in options.variants}


def all_rounds(options, scratch, daemon, cores):
    order = random.Random(options.seed)
    rounds = []
    for number in range(options.pairs + 1):
        observed = daemon.observations()
        if cores:
            pairs = concurrent_round(options, scratch, cores, order)
        else:
            pairs = sequential_round(options, scratch, order)
        daemon.check()
        if observed is not None and daemon.observations() == observed:
            raise Failed("no observation arrived in a whole round: the agent was not there")
        figures = "   ".join(
            f"{name} {pair['with']['puts_per_s']:.0f}/s {pair['with']['cpu_s_per_put'] * 1e6:.3f} us"
            f" (none {pair['without']['puts_per_s']:.0f}/s"
            f" {pair['without']['cpu_s_per_put'] * 1e6:.3f} us)" for name, pair in pairs.items())
        print(f"{'warm-up' if number == 0 else f'{number:3d}/{options.pairs}'}  {figures}",
              flush=True)
        if number > 0:
            rounds.append(pairs)
    return rounds


def compare(rounds, variant, interval):
    def pairs(key):
        return [(r[variant]["with"][key], r[variant]["without"][key]) for r in rounds]

    ratio, low, high = INTERVALS[interval](pairs("puts_per_s"))
    cpu, cpu_low, cpu_high = INTERVALS[interval](pairs("cpu_s_per_put"))
    # Loss is the other way round than the ratio: its upper end comes from the lower.
    return {"pairs": len(rounds),
            "throughput_ratio": ratio, "throughput_ratio_low": low, "throughput_ratio_high": high,
            "throughput_loss": 1 - ratio, "throughput_loss_low": 1 - high,
            "throughput_loss_high": 1 - low,
            "cpu_per_put_increase": cpu - 1, "cpu_per_put_increase_low": cpu_low - 1,
            "cpu_per_put_increase_high": cpu_high - 1}


def report(options, result):
    print(f"\n{options.benchmark}, {options.puts} puts of 16 + {options.value_size} B a run, "
          f"{options.pairs} pairs, {options.pairing}; against no agent, with 95 % intervals ({options.interval})")
    print(f"{'variant':10}  {'throughput loss':32}  CPU per put")
    for name, c in result["variants"].items():
        loss = (f"{c['throughput_loss']:+.2%}  [{c['throughput_loss_low']:+.2%}, "
                f"{c['throughput_loss_high']:+.2%}]")
        cpu = (f"{c['cpu_per_put_increase']:+.2%}  [{c['cpu_per_put_increase_low']:+.2%}, "
               f"{c['cpu_per_put_increase_high']:+.2%}]")
        print(f"{'same (A/A)' if options.aa else name:10}  {loss:32}  {cpu}")
    print(result["verdict"])


def judge(options, variants):
    if options.aa:
        clean = all(c["throughput_loss_low"] <= 0 <= c["throughput_loss_high"]
                    for c in variants.values())
        return clean, ("A/A: every interval contains 0, as it must" if clean else
                       "A/A: an interval leaves 0 out; by chance that happens to one in 20")
    if "counters" not in variants:
        return True, "no criterion without the counters variant"
    upper = variants["counters"]["throughput_loss_high"]
    holds = upper <= CRITERION
    return holds, (f"criterion at counters: upper end {upper:.2%}, at most {CRITERION:.0%}: "
                   + ("holds" if holds else "does not hold"))


def main():
    options = arguments()
    if shutil.which(options.db_bench) is None:
        print(f"{options.db_bench} not found (Debian package rocksdb-tools)", file=sys.stderr)
        return 2
    try:
        os.nice(options.nice)
    except OSError as error:
        print(f"--nice {options.nice}: {error.strerror}", file=sys.stderr)
        return 2
    scratch = tempfile.mkdtemp(prefix="lsmtuned-cost-", dir=options.directory)
    daemon = None
    try:
        poller_core = options.cores[0] if options.cores else None
        daemon = Daemon(options, scratch, poller_core)
        rounds = all_rounds(options, scratch, daemon, options.cores)
    except Failed as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if daemon is not None:
            daemon.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    variants = {name: compare(rounds, name, options.interval) for name in options.variants}
    holds, verdict = judge(options, variants)
    result = {"benchmark": options.benchmark, "puts": options.puts, "aa": options.aa,
              "pairing": options.pairing, "cores": options.cores, "nice": options.nice,
              "write_buffer_size": options.write_buffer_size,
              "seed": options.seed, "interval": options.interval,
              "poller": "lsmtuned" if options.daemon else "observer.py",
              "criterion": CRITERION, "holds": holds, "verdict": verdict, "variants": variants,
              "rounds": rounds}
    report(options, result)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
