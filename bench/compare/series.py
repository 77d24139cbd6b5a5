"""Runs cells, some at once, and keeps what is done."""

import os
import queue
import shutil
import threading
import time

import cell as cells
import control
import daemon
import device
import hosts
import plan
import processors

ATTEMPTS = 2


class Series:
    def __init__(self, raw, build, backing, parallel):
        self.raw, self.build, self.backing, self.parallel = raw, build, backing, parallel
        self.templates = f"{raw}/templates"
        self.stop = threading.Event()
        self.started = time.monotonic()
        self.failed = []
        os.makedirs(self.templates, exist_ok=True)

    def say(self, text):
        print(f"[{time.monotonic() - self.started:5.0f} s] {text}", flush=True)

    def _template(self, name):
        done = f"{self.templates}/{name}.loaded"
        if os.path.exists(done):
            return
        self.say(f"loading the database of {name}")
        scenario = plan.SCENARIOS[name]
        shutil.rmtree(f"{self.templates}/{name}", ignore_errors=True)
        hosts.HOSTS[scenario.host](scenario).load(f"{self.templates}/{name}")
        with open(done, "w", encoding="utf-8"):
            pass

    def _attempt(self, cell):
        """-> the result, or None after saying why there is none."""
        for attempt in range(ATTEMPTS):
            try:
                return cells.Run(
                    cell, self.raw, self.templates, self.build, self.backing, self.stop, self.parallel
                ).run()
            except cells.Stopped:
                return None
            except (
                cells.Failed, daemon.Failed, control.ControlError, device.Unavailable, OSError,
                RuntimeError, KeyError,
            ) as error:
                self.say(f"{cell.name}: attempt {attempt + 1} failed: {type(error).__name__}: {error}")
        self.failed.append(cell.name)
        return None

    def _worker(self, work, results):
        while not self.stop.is_set():
            try:
                cell = work.get_nowait()
            except queue.Empty:
                return
            result = self._attempt(cell)
            if result is None:
                continue
            results[cell.name] = result
            window = result["window"]
            self.say(
                f"{cell.name:<40} {window['put_bytes_per_s'] / plan.MIB:6.2f} MiB/s  "
                f"stalled {window['stall_share']:6.1%}  cpu wait {result['cpu_wait_share']:.1%}  "
                f"{work.qsize()} wait"
            )

    def stored(self, wanted):
        """-> {cell name: result} of those that are done."""
        found = {cell.name: cells.load_done(self.raw, cell) for cell in wanted}
        return {name: result for name, result in found.items() if result}

    def run(self, wanted):
        """-> {cell name: result} of all that are done, now or earlier."""
        results, work = self.stored(wanted), queue.Queue()
        for cell in wanted:
            if cell.name not in results:
                work.put(cell)
        if work.empty():
            return results
        self.say(f"{work.qsize()} cells to run, {len(results)} are done")
        for name in dict.fromkeys(cell.scenario for cell in wanted):
            self._template(name)
        threads = [
            threading.Thread(target=self._worker, args=(work, results)) for _ in range(self.parallel)
        ]
        with processors.PreferKernelWorkers():
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.5)
        return results
