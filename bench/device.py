"""A slow device: a loop file with ext4, mounted, its bandwidth limited by the kernel.

Where root and the cgroup allow it. cgroup v1: blkio.throttle at the root group, which binds
everything that goes to this loop device and nothing else. cgroup v2: io.max on a group of our own,
which the database is started in. Elsewhere the caller falls back to RocksDB's rate limiter.
"""

import os
import shutil
import subprocess
import tempfile
import time

MIB = 1 << 20


class Unavailable(Exception):
    """This machine does not allow a kernel-throttled device; the text says why."""


class Privileged:
    """Runs commands as root: directly, or through sudo."""

    def __init__(self):
        self.prefix = []
        if os.geteuid() != 0:
            if shutil.which("sudo") is None:
                raise Unavailable("not root, and sudo is not installed")
            if subprocess.run(["sudo", "-v"], check=False).returncode != 0:
                raise Unavailable("not root, and sudo refused")
            self.prefix = ["sudo", "-n"]

    def run(self, *command):
        done = subprocess.run([*self.prefix, *command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
        return done.stdout.strip()

    def write(self, path, text):
        done = subprocess.run(
            [*self.prefix, "tee", path], input=text, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Unavailable(f"cannot write {path}: {done.stderr.strip()}")


class SlowDevice:
    """Limits in bytes/s; 0 leaves that direction unlimited. The image lies in `parent`."""

    def __init__(
        self, size_bytes, write_bytes_per_s, read_bytes_per_s, parent="/var/tmp", label="lsmtuned-demo"
    ):
        self.write_bytes_per_s = write_bytes_per_s
        self.read_bytes_per_s = read_bytes_per_s
        self.parent = parent
        self.label = label
        self.root = Privileged()
        self.image = self.loop = self.mount = self.group = None
        self.limit = "none"
        try:
            self._create(size_bytes)
        except Exception:
            self.close()
            raise

    def _create(self, size_bytes):
        self._find_cgroup()
        free = shutil.disk_usage(self.parent).free
        if free < size_bytes * 1.2:
            raise Unavailable(
                f"{self.parent} has {free // MIB} MiB free, {size_bytes // MIB} are needed"
            )
        handle, self.image = tempfile.mkstemp(prefix=f"{self.label}-", suffix=".img", dir=self.parent)
        os.ftruncate(handle, size_bytes)
        os.close(handle)
        attach = ("losetup", "--find", "--show")
        try:
            self.loop = self.root.run(*attach, "--direct-io=on", self.image)
        except Unavailable:  # an image in memory (tmpfs) has no cache to bypass
            self.loop = self.root.run(*attach, self.image)
        self.root.run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", self.loop)
        self.mount = tempfile.mkdtemp(prefix=f"{self.label}-")
        self.root.run("mount", "-o", "noatime", self.loop, self.mount)
        self.root.run("chown", str(os.getuid()), self.mount)
        self.name = os.path.basename(self.loop)
        with open(f"/sys/block/{self.name}/dev", encoding="ascii") as number:
            self.number = number.read().strip()

    def _find_cgroup(self):
        v1 = "/sys/fs/cgroup/blkio"
        if os.path.exists(f"{v1}/blkio.throttle.write_bps_device"):
            self.cgroup = ("v1", v1)
            return
        v2 = "/sys/fs/cgroup"
        try:
            with open(f"{v2}/cgroup.controllers", encoding="ascii") as controllers:
                if "io" in controllers.read().split():
                    self.cgroup = ("v2", v2)
                    return
        except OSError:
            pass
        raise Unavailable("no blkio (cgroup v1) or io (cgroup v2) controller")

    def throttle(self):
        """Starts limiting. Before this call the device is as fast as the machine's own."""
        kind, path = self.cgroup
        if kind == "v1":
            for what, rate in (("write", self.write_bytes_per_s), ("read", self.read_bytes_per_s)):
                if rate:
                    self.root.write(f"{path}/blkio.throttle.{what}_bps_device", f"{self.number} {rate}")
        else:
            self.root.write(f"{path}/cgroup.subtree_control", "+io")
            self.group = f"{path}/{self.label}-{os.getpid()}-{self.name}"
            self.root.run("mkdir", self.group)
            self.root.write(
                f"{self.group}/io.max",
                f"{self.number} wbps={self.write_bytes_per_s or 'max'} "
                f"rbps={self.read_bytes_per_s or 'max'}",
            )
        self.limit = f"cgroup {kind}"

    def release(self):
        """Stops limiting."""
        if self.limit == "none":
            return
        kind, path = self.cgroup
        if kind == "v1":
            for what, rate in (("write", self.write_bytes_per_s), ("read", self.read_bytes_per_s)):
                if rate:
                    self.root.write(f"{path}/blkio.throttle.{what}_bps_device", f"{self.number} 0")
        else:
            self.root.write(f"{self.group}/io.max", f"{self.number} wbps=max rbps=max")
        self.limit = "none"

    def adopt(self, pid):
        """Brings a process under the limit; needed with cgroup v2 only."""
        if self.group:
            self.root.write(f"{self.group}/cgroup.procs", str(pid))

    def describe(self):
        return (
            f"{self.loop} on {self.image}, limited by {self.limit} to "
            f"{self.write_bytes_per_s // MIB} MiB/s write, {self.read_bytes_per_s // MIB} MiB/s read"
        )

    def close(self):
        """Undoes everything, in reverse; goes on after a failure."""
        problems = []

        def attempt(*command):
            try:
                self.root.run(*command)
            except Unavailable as error:
                problems.append(str(error))

        try:
            self.release()
        except Unavailable as error:
            problems.append(str(error))
        if self.mount:
            for _ in range(20):
                problems_before = len(problems)
                attempt("umount", self.mount)
                if len(problems) == problems_before:
                    break
                time.sleep(0.5)
                if _ < 19:
                    problems.pop()
            try:
                os.rmdir(self.mount)
            except OSError as error:
                problems.append(str(error))
            self.mount = None
        if self.loop:
            attempt("losetup", "--detach", self.loop)
            self.loop = None
        if self.group:
            attempt("rmdir", self.group)
            self.group = None
        if self.image:
            os.unlink(self.image)
            self.image = None
        return problems
