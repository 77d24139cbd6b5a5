#!/usr/bin/env python3
"""./dev bench model: measures, predicts, and publishes the comparison under docs/results/."""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys

import settings

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = settings.CALIBRATION[0]


def compact(run, raw):
    """A run without its second-by-second device series and without the place it was measured in."""
    small = {name: value for name, value in run.items() if name != "series"}
    small["command"] = run["command"].replace(os.path.abspath(raw), "RAW")
    return small


def publish(raw, results):
    """Small raw results beside the tables: one JSON a run, and the LOG of one run as a sample."""
    folder = f"{results}/runs"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in sorted(os.listdir(raw)):
        path = f"{raw}/{name}/run.json"
        if name.startswith(".") or not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            run = compact(json.load(file), raw)
        with open(f"{folder}/{name}.json", "w", encoding="utf-8") as file:
            file.write("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in run.items()) + "\n}\n")
    if os.path.exists(f"{raw}/{SAMPLE}/LOG"):
        with open(f"{raw}/{SAMPLE}/LOG", "rb") as log, open(f"{results}/{SAMPLE}.LOG.gz", "wb") as packed:
            with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream:
                shutil.copyfileobj(log, stream)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lsmtunectl", required=True)
    parser.add_argument("--raw", default="build/bench-model", help="raw results; runs found there are kept")
    parser.add_argument("--results", default="docs/results/model")
    parser.add_argument("--parallel", default="3", help="runs at once")
    parser.add_argument("--seconds", default="105", help="length of each run")
    parser.add_argument("--backing", default="/var/tmp", help="where the devices' images lie")
    parser.add_argument("--rate-limiter", action="store_true", help="see measure.py")
    parser.add_argument("--only", help="measure only these settings")
    parser.add_argument("--score-only", action="store_true", help="measure nothing")
    arguments = parser.parse_args()

    if not arguments.score_only:
        measure = [sys.executable, f"{HERE}/measure.py", "--out", arguments.raw,
                   "--parallel", arguments.parallel, "--seconds", arguments.seconds,
                   "--backing", arguments.backing]
        if arguments.only:
            measure += ["--only", arguments.only]
        if arguments.rate_limiter:
            measure.append("--rate-limiter")
        measured = subprocess.run(measure, check=False).returncode
        if measured != 0:
            return measured
    os.makedirs(arguments.results, exist_ok=True)
    score = [sys.executable, f"{HERE}/score.py", arguments.raw, "--lsmtunectl", arguments.lsmtunectl]
    scored = 0
    for more, name in (([], "model"), (["--from-first-60s"], "model-first-60s")):
        scored |= subprocess.run(
            [*score, *more, "--json", f"{arguments.results}/{name}.json",
             "--table", f"{os.path.dirname(arguments.results)}/{name}.md"], check=False
        ).returncode
    if not scored:
        scored = subprocess.run(
            [sys.executable, f"{HERE}/vary.py", f"{arguments.results}/model.json",
             "--table", f"{os.path.dirname(arguments.results)}/model-by-knob.md"], check=False
        ).returncode
    publish(arguments.raw, arguments.results)
    return scored


if __name__ == "__main__":
    sys.exit(main())
