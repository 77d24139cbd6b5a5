"""What a measurement wants of the machine's processors, and what it got."""

import glob
import os
import platform


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


def prefer(pid):
    """Puts the process before others on the machine, where we may; -> whether we did."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -20)
        with open(f"/proc/{pid}/autogroup", "w", encoding="ascii") as group:
            group.write("-20")
    except OSError:
        return False
    return True
