"""Raw results as they lie in a folder: one measured setting, with all its repeats."""

import glob
import json
import math
import os
import statistics

import runlog
import settings


class Measured:
    """Several runs of one setting; every figure is the mean over them."""

    def __init__(self, one, folders):
        self.setting = one
        self.runs, self.logs = [], []
        with open(f"{folders[0]}/files_before.json", encoding="utf-8") as file:
            self.files = json.load(file)
        for folder in folders:
            with open(f"{folder}/run.json", encoding="utf-8") as file:
                run = json.load(file)
            self.runs.append(run)
            self.logs.append(runlog.read(folder, run, self.files))
        self.name, self.group = one["name"], one["group"]
        self.seconds = min(run["seconds"] for run in self.runs)

    def put_bytes_per_s(self):
        return statistics.fmean(run["put_bytes_per_s"] for run in self.runs)

    def windows(self, low_s, high_s):
        """Put bytes/s from second low_s to high_s, of each run."""
        return [window(run, low_s, high_s) for run in self.runs]

    def stall_share(self):
        return statistics.fmean(run["stall_share"] for run in self.runs)

    def jobs(self, kind):
        return [log.count(kind) for log in self.logs]


def window(run, low_s, high_s):
    puts = run["puts_per_second"][int(low_s) : int(high_s)]
    return sum(puts) * run["user_bytes_per_put"] / len(puts)


def folders_of(raw, name):
    """NAME itself and its repeats NAME.*; partial ones begin with a dot and are not found."""
    found = [f"{raw}/{name}", *glob.glob(f"{raw}/{glob.escape(name)}.*")]
    return sorted(folder for folder in found if os.path.exists(f"{folder}/run.json"))


def read_all(raw):
    """-> {name: Measured} for every setting that was measured, in the order of settings.py."""
    result = {}
    for one in settings.RUNS:
        folders = folders_of(raw, one["name"])
        if folders:
            result[one["name"]] = Measured(one, folders)
    return result


def repeat_noise(measured):
    """Standard deviation of ln(rate) between repeats of one setting, pooled over settings."""
    squares = freedom = 0
    for one in measured.values():
        logs = [math.log(run["put_bytes_per_s"]) for run in one.runs]
        if len(logs) > 1:
            middle = statistics.fmean(logs)
            squares += sum((value - middle) ** 2 for value in logs)
            freedom += len(logs) - 1
    return math.sqrt(squares / freedom) if freedom else None
