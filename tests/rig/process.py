# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process with its output in a file, ended by its own pid only."""

import os
import signal
import subprocess
import time


class ProcessError(Exception):
    pass


def wait_until(condition, what, timeout=10.0, step=0.01):
    """Polls condition() for what no event tells; returns its first true value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise ProcessError(f"waited {timeout:.0f} s in vain for {what}")
        time.sleep(step)


def cpu_seconds(pid):
    """User and system, of the process and of its children that have ended."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


class Process:
    def __init__(self, name, argv, log_path, env=None, stdin=subprocess.DEVNULL, group=False):
        """`group`: a shell with children, which form a group of their own and are ended with it."""
        self.name, self.argv, self.log_path, self.group = name, argv, log_path, group
        self.log_start = os.path.getsize(log_path) if os.path.exists(log_path) else 0
        with open(log_path, "ab") as log:
            self.popen = subprocess.Popen(argv, stdin=stdin, stdout=log, stderr=log, env=env,
                                          start_new_session=group)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def log(self):
        """What this process (not an earlier one of the same file) has written."""
        with open(self.log_path, "rb") as log:
            log.seek(self.log_start)
            return log.read().decode("utf-8", "replace")

    def wait(self, timeout):
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ProcessError(f"{self.name} (pid {self.pid}) still runs after {timeout:.1f} s")

    def signal(self, number):
        if self.running():
            (os.killpg if self.group else os.kill)(self.pid, number)

    def end(self, timeout=5):
        """SIGTERM, then SIGKILL; whatever it takes."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except ProcessError:
            self.signal(signal.SIGKILL)
            return self.wait(timeout)

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait(5)


def children(pid):
    """Pids of the living (not zombie) children of `pid`."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] not in "ZX":
            found.append(int(entry))
    return found


def status_fields(path):
    with open(path) as status:
        return dict(line.split(":", 1) for line in status.read().splitlines() if ":" in line)


def rss_kib(pid):
    return int(status_fields(f"/proc/{pid}/status")["VmRSS"].split()[0])


def context_switches(pid):
    """Voluntary context switches of each thread: how often it has woken up and slept again."""
    result = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        fields = status_fields(f"/proc/{pid}/task/{task}/status")
        result[fields["Name"].strip() + "/" + task] = int(fields["voluntary_ctxt_switches"])
    return result
