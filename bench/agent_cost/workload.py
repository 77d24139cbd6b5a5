"""db_bench with and without the agent, and the daemon that polls it."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from observer import Observer

OPS = re.compile(r"^\w+\s*:\s*[\d.]+ micros/op (\d+) ops/sec", re.MULTILINE)


class Failed(Exception):
    """The measurement cannot be made; the text says why."""


class on_core:
    """Processes and threads started inside are held on `core`; None leaves them free."""

    def __init__(self, core):
        self.core = core

    def __enter__(self):
        if self.core is not None:
            self.before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {self.core})

    def __exit__(self, *_):
        if self.core is not None:
            os.sched_setaffinity(0, self.before)


class Run:
    """One db_bench, started; ended by finish() or abandon()."""

    def __init__(self, options, scratch, variant, core=None):
        self.options = options
        self.variant = variant
        self.core = core
        self.database = tempfile.mkdtemp(prefix="db-", dir=scratch)
        self.with_agent = variant != "none" and not options.aa
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith("LSMTUNED_") and k != "LD_PRELOAD"}
        if self.with_agent:
            environment.update(LD_PRELOAD=os.path.abspath(options.agent),
                               LSMTUNED_SOCKET=os.path.join(scratch, "agent.sock"),
                               LSMTUNED_STATISTICS=variant, LSMTUNED_LOG="stderr")
            if options.impl_dir:
                environment["LSMTUNED_AGENT_DIR"] = os.path.abspath(options.impl_dir)
        command = [
            options.db_bench, f"--db={self.database}", f"--benchmarks={options.benchmark}",
            f"--num={options.puts}", f"--value_size={options.value_size}", "--key_size=16",
            "--threads=1", "--seed=1", "--disable_wal=1", "--disable_auto_compactions=1",
            "--compression_type=none", f"--write_buffer_size={options.write_buffer_size}",
            "--max_write_buffer_number=16", "--stats_dump_period_sec=0",
        ]
        self.output = tempfile.TemporaryFile()
        with on_core(core):
            self.process = subprocess.Popen(command, stdout=self.output, stderr=subprocess.STDOUT,
                                            env=environment)

    def finish(self):
        """Puts per second as db_bench says, and CPU seconds of the whole process per put."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.output.seek(0)
        text = self.output.read().decode(errors="replace")
        self.abandon()
        found = OPS.search(text)
        if self.process.returncode != 0 or found is None:
            raise Failed(f"{self.variant}: db_bench ended with {self.process.returncode}:\n"
                         f"{text[-2000:]}")
        if self.with_agent and not re.search(rf"attached to .*, statistics {self.variant}$", text,
                                             re.MULTILINE):
            raise Failed(f"{self.variant}: the agent did not attach:\n{text[-2000:]}")
        return {"variant": self.variant, "core": self.core, "puts_per_s": float(found.group(1)),
                "cpu_s_per_put": (usage.ru_utime + usage.ru_stime) / self.options.puts}

    def abandon(self):
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
        self.output.close()
        shutil.rmtree(self.database, ignore_errors=True)


def finish_all(runs):
    try:
        return [run.finish() for run in runs]
    finally:
        for run in runs:
            run.abandon()


class Daemon:
    """lsmtuned in observe mode, or the small observer; counts as present until stop()."""

    def __init__(self, options, scratch, core=None):
        self.observer = None
        self.process = None
        agent_socket = os.path.join(scratch, "agent.sock")
        if options.aa:
            return
        if not options.daemon:
            with on_core(core):
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
        with open(self.log, "wb") as log, on_core(core):
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

    def observations(self):
        """How many the small observer received; None where it is not the one that polls."""
        return self.observer.observations if self.observer else None

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
