"""An lsmtuned of our own, with its sockets and state in one folder, and questions to it."""

import hashlib
import os
import subprocess
import time

import control

HEAD = """\
[daemon]
agent_socket = "{work}/agent.sock"
control_socket = "{work}/control.sock"
state_directory = "{state}"
metrics_listen = ""
log_target = "stderr"
sample_interval = "5 s"
record_events = "{events}"

"""


class Failed(Exception):
    """The daemon did not start, or ended; the text says where its log is."""


class Daemon:
    def __init__(self, build, work, configuration, state=None, events=""):
        """`configuration`: what follows the section [daemon]; `events`: a folder to record into, for
        lsmtunectl replay.
        """
        self.work, self.binary = work, f"{build}/daemon/lsmtuned"
        self.agent = f"{build}/actuators/agent/liblsmtuned_agent.so"
        self.agent_socket, self.socket = f"{work}/agent.sock", f"{work}/control.sock"
        self.log_path, self.config = f"{work}/lsmtuned.log", f"{work}/lsmtuned.toml"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                HEAD.format(work=work, state=state or f"{work}/state", events=events) + configuration
            )
        self.log = open(self.log_path, "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [self.binary, "--config", self.config],
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def fingerprint(self):
        """Tells one build from another."""
        with open(self.binary, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()[:12]

    def environment(self, statistics="latency"):
        """What a database needs to find this daemon, besides the preloaded agent."""
        return {"LSMTUNED_SOCKET": self.agent_socket, "LSMTUNED_STATISTICS": statistics}

    def check(self):
        if self.process.poll() is not None:
            raise Failed(f"lsmtuned ended; see {self.log_path}")

    def wait_for(self, condition, seconds, message, sleep=time.sleep):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check()
            if condition():
                return
            sleep(0.2)
        raise Failed(f"{message}; see {self.log_path}")

    def wait_ready(self, sleep=time.sleep):
        self.wait_for(lambda: os.path.exists(self.agent_socket), 20, "lsmtuned did not start", sleep)

    def call(self, command, **members):
        return control.call(self.socket, command, **members)

    def snapshot(self, target):
        """The newest sample, or None before there is one."""
        try:
            return self.call("snapshot", target=target)["snapshot"]
        except (control.ControlError, KeyError):
            return None

    def stop(self):
        """-> whether it ended by itself; where not, it was killed and leases restore."""
        ended = True
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                ended = False
                self.process.kill()
                self.process.wait()
        self.log.close()
        return ended
