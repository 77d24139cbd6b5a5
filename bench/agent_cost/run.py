#!/usr/bin/env python3
"""What the agent costs the database it sits in: CPU per put and put throughput.

Runs Debian's db_bench (one thread, no WAL, no compaction, memory file system: CPU-bound and free
of stalls) in rounds. Each round holds one run of each variant in an order drawn from the seed:
  none       no agent
  counters   agent preloaded, counters collected, polled once a second
  latency    agent preloaded, latency histograms too, polled once a second
and each variant is compared with `none` of its own round, so that whatever else the machine does
hits both. The first round warms up and is dropped. CPU is user + system time of the whole process.

Exit code: 0 the criterion holds (upper end of the 95 % interval of lost throughput at counters at
most 1 %), 1 it does not, 2 the measurement itself failed.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from intervals import INTERVALS
from observer import Observer

CRITERION = 0.01
HERE = os.path.dirname(os.path.abspath(__file__))
OPS = re.compile(r"^\w+\s*:\s*[\d.]+ micros/op (\d+) ops/sec", re.MULTILINE)


class Failed(Exception):
    """The measurement cannot be made; the text says why."""


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
    parser.add_argument("--pairs", type=int, default=30, help="rounds that count (30)")
    parser.add_argument("--puts", type=int, default=1_500_000, help="puts in each run (1500000)")
    parser.add_argument("--benchmark", choices=["fillrandom", "overwrite", "fillseq"],
                        default="fillrandom")
    parser.add_argument("--value-size", type=int, default=100)
    parser.add_argument("--write-buffer-size", type=int, default=4 << 20,
                        help="small buffers stay in the CPU's caches: fastest and steadiest puts, "
                             "so the agent's share is at its largest (4194304)")
    parser.add_argument("--variants", default="counters,latency",
                        help="compared with none (counters,latency)")
    parser.add_argument("--seed", type=int, default=1, help="of the order inside each round")
    parser.add_argument("--interval", choices=sorted(INTERVALS), default="t",
                        help="t (default), or wilcoxon where other work disturbs single runs")
    parser.add_argument("--db-bench", default="db_bench")
    parser.add_argument("--directory", default="/dev/shm" if os.path.isdir("/dev/shm") else None,
                        help="where the databases live (/dev/shm)")
    parser.add_argument("--json", metavar="FILE", help="write every run and the result")
    parsed = parser.parse_args()
    if parsed.pairs < 2 or parsed.puts < 1000:
        parser.error("--pairs is at least 2 and --puts at least 1000")
    if parsed.interval == "wilcoxon" and parsed.pairs < 6:
        parser.error("--interval wilcoxon needs --pairs 6 or more")
    if not parsed.aa and not os.path.exists(parsed.agent):
        parser.error(f"no agent at {parsed.agent}: build it or name it with --agent (or use --aa)")
    parsed.variants = [name for name in parsed.variants.split(",") if name]
    if not parsed.variants or not set(parsed.variants) <= {"counters", "latency"}:
        parser.error("--variants takes counters, latency or both")
    return parsed


def measured_run(options, scratch, variant):
    """One db_bench of `variant` -> puts per second and CPU seconds per put."""
    database = os.path.join(scratch, "db")
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith("LSMTUNED_") and k != "LD_PRELOAD"}
    with_agent = variant != "none" and not options.aa
    if with_agent:
        environment.update(LD_PRELOAD=os.path.abspath(options.agent),
                           LSMTUNED_SOCKET=os.path.join(scratch, "agent.sock"),
                           LSMTUNED_STATISTICS=variant, LSMTUNED_LOG="stderr")
        if options.impl_dir:
            environment["LSMTUNED_AGENT_DIR"] = os.path.abspath(options.impl_dir)
    command = [
        options.db_bench, f"--db={database}", f"--benchmarks={options.benchmark}",
        f"--num={options.puts}", f"--value_size={options.value_size}", "--key_size=16",
        "--threads=1", "--seed=1", "--disable_wal=1", "--disable_auto_compactions=1",
        "--compression_type=none", f"--write_buffer_size={options.write_buffer_size}",
        "--max_write_buffer_number=16", "--stats_dump_period_sec=0",
    ]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT,
                                   env=environment)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    shutil.rmtree(database, ignore_errors=True)
    found = OPS.search(text)
    if process.returncode != 0 or found is None:
        raise Failed(f"{variant}: db_bench ended with {process.returncode}:\n{text[-2000:]}")
    if with_agent and "lsmtuned agent:" in text and "left alone" in text:
        raise Failed(f"{variant}: the agent did not attach:\n{text[-2000:]}")
    return {"variant": variant, "puts_per_s": float(found.group(1)),
            "cpu_s_per_put": (usage.ru_utime + usage.ru_stime) / options.puts}


class Daemon:
    """lsmtuned in observe mode, or the small observer; counts as present until stop()."""

    def __init__(self, options, scratch):
        self.observer = None
        self.process = None
        agent_socket = os.path.join(scratch, "agent.sock")
        if options.aa:
            return
        if not options.daemon:
            self.observer = Observer(agent_socket)
            return
        config = os.path.join(scratch, "lsmtuned.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("[daemon]\n"
                       f'agent_socket = "{agent_socket}"\n'
                       f'control_socket = "{scratch}/control.sock"\n'
                       f'state_directory = "{scratch}/state"\n'
                       'metrics_listen = ""\n'
                       'log_target = "stderr"\n'
                       'log_level = "warning"\n'
                       f'agent_statistics = "{options.variants[0]}"\n'
                       '[defaults]\nmode = "observe"\n')
        os.mkdir(os.path.join(scratch, "state"), 0o700)
        self.log = os.path.join(scratch, "lsmtuned.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([options.daemon, "--config", config], stdout=log,
                                            stderr=log)
        for _ in range(100):
            if os.path.exists(agent_socket):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise Failed(f"lsmtuned did not come up:\n{log.read()[-2000:]}")

    def check(self):
        if self.process is not None and self.process.poll() is not None:
            raise Failed(f"lsmtuned ended with {self.process.returncode} during the measurement")

    def stop(self):
        if self.observer is not None:
            self.observer.stop()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def all_rounds(options, scratch, daemon):
    order = random.Random(options.seed)
    rounds = []
    for number in range(options.pairs + 1):
        names = ["none"] + options.variants
        order.shuffle(names)
        observed = daemon.observer.observations if daemon.observer else 0
        runs = {name: measured_run(options, scratch, name) for name in names}
        daemon.check()
        if daemon.observer and daemon.observer.observations == observed:
            raise Failed("no observation arrived in a whole round: the agent was not there")
        figures = "  ".join(f"{name} {runs[name]['puts_per_s']:.0f}/s "
                            f"{runs[name]['cpu_s_per_put'] * 1e6:.3f} us" for name in names)
        print(f"{'warm-up' if number == 0 else f'{number:3d}/{options.pairs}'}  {figures}",
              flush=True)
        if number > 0:
            rounds.append({"order": names, "runs": runs})
    return rounds


def compare(rounds, variant, interval):
    def pairs(key):
        return [(r["runs"][variant][key], r["runs"]["none"][key]) for r in rounds]

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
          f"{options.pairs} pairs; against no agent, with 95 % intervals ({options.interval})")
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
    scratch = tempfile.mkdtemp(prefix="lsmtuned-cost-", dir=options.directory)
    daemon = None
    try:
        daemon = Daemon(options, scratch)
        rounds = all_rounds(options, scratch, daemon)
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
