"""What a measurement wants of the machine's processors, and what it got."""

import glob
import os
import platform
import threading


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        cpu = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
    }


def cpu_wait_s(pid):
    """How long its threads were ready but had no processor: what others on the machine cost it."""
    waited = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as file:
                waited += int(file.read().split()[1])
        except OSError:
            continue  # the thread has just ended
    return waited / 1e9


class PreferKernelWorkers:
    """While it is entered: puts the kernel's unbound workers first, where we may.

    They carry out the requests of loop devices; waiting behind others on the machine, they would make
    a limited device slower than its limit. New ones appear at any time.
    """

    PERIOD_S = 2

    def __init__(self):
        self.changed = set()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        for pid in self.changed:
            self._set(pid, 0)

    def _run(self):
        while not self.stop.wait(self.PERIOD_S):
            for path in glob.glob("/proc/[0-9]*/comm"):
                pid = int(path.split("/")[2])
                if pid not in self.changed and self._is_worker(path) and self._set(pid, -20):
                    self.changed.add(pid)

    @staticmethod
    def _is_worker(path):
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                return file.read().startswith("kworker/u")
        except OSError:
            return False  # it has just ended

    @staticmethod
    def _set(pid, nice):
        """Only a worker at the other end of the range: one that someone else set stays."""
        try:
            if os.getpriority(os.PRIO_PROCESS, pid) != (0 if nice else -20):
                return False
            os.setpriority(os.PRIO_PROCESS, pid, nice)
        except OSError:
            return False
        return True


def prefer(pid):
    """Puts the process before others on the machine, where we may; -> whether we did."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -20)
        with open(f"/proc/{pid}/autogroup", "w", encoding="ascii") as group:
            group.write("-20")
    except OSError:
        return False
    return True
