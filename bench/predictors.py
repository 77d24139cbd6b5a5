"""Predictions by `lsmtunectl`: the simulator's two layers, the ledger, the published models."""

import json
import math
import os
import subprocess
import tempfile

Z80 = 1.2816  # half of an 80 % interval in standard deviations


class Refused(Exception):
    """The model does not predict this problem; the text says why."""


class Predictors:
    def __init__(self, lsmtunectl, members):
        self.binary, self.members = lsmtunectl, members
        self.folder = tempfile.TemporaryDirectory(prefix="lsmtuned-problems-")

    def close(self):
        self.folder.cleanup()

    def _ask(self, problem, *command):
        path = os.path.join(self.folder.name, "problem.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(problem, file)
        done = subprocess.run(
            [self.binary, *command, "--input", path, "--json"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Refused(said[0] if said else f"lsmtunectl ended with {done.returncode} and said nothing")
        return json.loads(done.stdout)

    def simulate(self, problem, layer, warmup_s=0.0, horizon_s=None):
        """-> the simulation's members, with `sigma`: the ensemble's spread of ln(rate)."""
        more = [] if horizon_s is None else ["--horizon", f"{horizon_s:g}"]
        result = self._ask(
            problem, "simulate", "--layer", layer, "--members", str(self.members), "--warmup",
            f"{warmup_s:g}", *more
        )
        low, high = result["low_bytes_per_s"], result["high_bytes_per_s"]
        result["sigma"] = math.log(high / low) / (2 * Z80) if low > 0 and high > low else 0.0
        return result

    def predict(self, problem, model):
        """-> {put_bytes_per_s} by a model that is not a simulation; published ones answer in puts."""
        answer = self._ask(problem, "predict", "--model", model)
        if "put_bytes_per_s" in answer:
            return {"put_bytes_per_s": answer["put_bytes_per_s"]}
        workload = problem["workload"]
        record = workload["key_bytes"] + workload["value_bytes"]
        return {"put_bytes_per_s": answer["ops_per_s"] * record}

    def models(self):
        """The ids of all models that `predict` knows."""
        done = subprocess.run([self.binary, "models", "--json"], capture_output=True, text=True, check=True)
        return [model["id"] for model in json.loads(done.stdout)["models"]]
