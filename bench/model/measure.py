#!/usr/bin/env python3
"""Measures real db_bench 7.8.3 under every setting of settings.py; one folder of raw results each.

A run that is there already is kept, so an interrupted series goes on where it stopped.
"""

import argparse
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import cell
import device
import settings


class Series:
    def __init__(self, arguments):
        self.arguments = arguments
        self.out = os.path.abspath(arguments.out)
        self.stop = threading.Event()
        self.failed = []
        self.started = time.monotonic()
        os.makedirs(self.out, exist_ok=True)
        self.templates = arguments.templates or tempfile.mkdtemp(
            prefix="lsmtuned-model-trees-", dir=arguments.backing
        )
        os.makedirs(self.templates, exist_ok=True)

    def say(self, text):
        print(f"[{time.monotonic() - self.started:5.0f} s] {text}", flush=True)

    def wanted(self):
        """-> [(folder name, setting, seed)], those that run alone last."""
        names = self.arguments.only.split(",") if self.arguments.only else [r["name"] for r in settings.RUNS]
        work = []
        for name in names:
            one = settings.by_name(name)
            for repeat in range(self.arguments.repeat):
                folder = name + self.arguments.suffix + (f".{repeat + 1}" if self.arguments.repeat > 1 else "")
                if not os.path.exists(f"{self.out}/{folder}/run.json"):
                    work.append((folder, one, self.arguments.seed + repeat))
        return [w for w in work if not w[1]["alone"]], [w for w in work if w[1]["alone"]]

    def load(self, kinds):
        for kind in kinds:
            if os.path.exists(f"{self.templates}/{kind}.files.json"):
                continue
            self.say(f"loading the tree {kind}")
            shutil.rmtree(f"{self.templates}/{kind}", ignore_errors=True)
            cell.load_tree(kind, f"{self.templates}/{kind}", self.stop)

    def worker(self, work, parallel):
        while not self.stop.is_set():
            try:
                folder, one, seed = work.get_nowait()
            except queue.Empty:
                return
            try:
                result = cell.Cell(
                    one, self.out, self.templates, self.arguments.backing, self.arguments.seconds,
                    seed, self.stop, parallel, self.arguments.rate_limiter,
                ).run(folder)
                self.say(
                    f"{folder:<24} {result['ops_per_s']:9.1f} ops/s  stalled {result['stall_share']:6.1%}"
                    f"  {work.qsize()} wait"
                )
            except cell.Stopped:
                return
            except (cell.Failed, device.Unavailable, OSError) as error:
                self.failed.append(folder)
                self.say(f"{folder} failed: {error}")

    def go(self):
        together, alone = self.wanted()
        self.load(dict.fromkeys(w[1]["tree"] for w in together + alone if w[1]["benchmark"] == "overwrite"))
        for runs, parallel in ((together, self.arguments.parallel), (alone, 1)):
            work = queue.Queue()
            for one in runs:
                work.put(one)
            threads = [
                threading.Thread(target=self.worker, args=(work, parallel)) for _ in range(parallel)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.5)

    def close(self):
        if not self.arguments.templates:
            shutil.rmtree(self.templates, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="folder for the raw results")
    parser.add_argument("--parallel", type=int, default=1, help="runs at once, each on its own device")
    parser.add_argument("--only", help="names of settings, comma-separated")
    parser.add_argument("--seconds", type=int, default=105, help="length of each run")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each setting, each with its own seed")
    parser.add_argument("--seed", type=int, default=1000, help="of the first repeat's keys")
    parser.add_argument("--suffix", default="", help="added to the folders' names")
    parser.add_argument("--backing", default="/var/tmp", help="where the devices' images lie")
    parser.add_argument("--templates", help="keep the loaded trees here and use them again")
    parser.add_argument(
        "--rate-limiter", action="store_true",
        help="where the kernel cannot limit a device, let RocksDB's rate limiter do it (writes only)",
    )
    arguments = parser.parse_args()

    series = Series(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: series.stop.set())
    try:
        series.go()
    except (cell.Failed, cell.Stopped, device.Unavailable) as error:
        series.say(f"stopped: {error}")
        return 1
    finally:
        series.close()
    if series.stop.is_set():
        series.say("interrupted; everything was cleaned up")
        return 130
    return 1 if series.failed else 0


if __name__ == "__main__":
    sys.exit(main())
