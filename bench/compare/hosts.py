"""The databases that cells run on. A host loads a template once and opens copies of it."""

import os
import shutil

import database


class DbBench:
    """db_bench 7.8.3 with the agent preloaded."""

    TARGET = "db"  # the database's folder below the device's mount

    def __init__(self, scenario):
        self.scenario = scenario

    def load(self, template):
        database.load(
            template, f"{template}.log", self.scenario.workload, self.scenario.start, settle=True
        )

    def copy(self, template, mount):
        directory = f"{mount}/{self.TARGET}"
        shutil.copytree(template, directory, ignore=shutil.ignore_patterns("LOG*", "LOCK"))
        return directory

    def start(self, cell, directory, log_path, daemon, seconds):
        return database.Overwrite(
            directory,
            log_path,
            daemon.agent,
            daemon.environment(),
            seconds,
            self.scenario.workload,
            {**self.scenario.start, **cell.options},
            cell.offered_bytes_per_s,
            cell.seed,
        )

    def keep(self, directory, raw):
        """What of the database is worth keeping beside the result."""
        log = os.path.join(directory, "LOG")
        if os.path.exists(log):
            shutil.copy(log, f"{raw}/LOG")


HOSTS = {"db_bench": DbBench}
