# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor time and memory of processes and all they have started; and the machine itself."""

import datetime
import os
import platform
import subprocess

from rig.broker import executable
from rig.process import ProcessError, children, cpu_seconds

PACKAGES = ("espeak-ng", "libespeak-ng1", "alsa-utils", "libasound2", "mosquitto", "mosquitto-clients",
            "speech-dispatcher", "speech-dispatcher-espeak-ng", "snapserver", "snapclient")


def tree(roots):
    found = []
    for pid in roots:
        found += [pid] + tree(children(pid))
    return found


def processor_seconds(roots):
    """User and system, of what runs and of the children that have ended."""
    total = 0
    for pid in tree(roots):
        try:
            total += cpu_seconds(pid)
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has just ended: its parent has it
    return total


def memory_mib(roots):
    """What they would hold if nothing else on the machine used the same libraries: their own pages
    (shared ones of a fork by shares), and every page of a file once."""
    own, files = 0, {}
    for pid in tree(roots):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as rollup:
                own += sum(int(line.split()[1]) for line in rollup
                           if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
            for place, kib in _file_pages(pid):
                files[place] = max(files.get(place, 0), kib)
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has just ended
    return (own + sum(files.values())) / 1024


def _file_pages(pid):
    """[((device, inode, offset), KiB in memory that are still the file's)]"""
    found, place, rss = [], None, 0
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            fields = line.split()
            if not fields[0].endswith(":"):
                place = (fields[3], fields[4], fields[2]) if fields[4] != "0" else None
            elif fields[0] == "Rss:":
                rss = int(fields[1])
            elif fields[0] == "Anonymous:" and place:
                found.append((place, rss - int(fields[1])))
    return found


# --- the machine ------------------------------------------------------------------------------------


def _field(path, name):
    with open(path) as file:
        for line in file:
            if line.startswith(name):
                return line.partition(":")[2].strip() if ":" in line else line.partition("=")[2]
    return "?"


def real_time_is_allowed():
    """Tried by a process of its own."""
    try:
        return subprocess.run(["chrt", "--fifo", "1", "true"], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0
    except FileNotFoundError:
        return False


def machine():
    memory = int(_field("/proc/meminfo", "MemTotal").split()[0]) / 1024 / 1024
    with open("/etc/debian_version") as version:
        debian = version.read().strip()
    return (f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, {memory:.1f} GiB of memory, "
            f"Linux {platform.release()}, Debian {debian}; real-time scheduling "
            f"{'allowed' if real_time_is_allowed() else 'not allowed'}")


def today():
    return datetime.date.today().isoformat()


def versions(build):
    ours = subprocess.run([f"{build}/bin/loalangd", "--version"], capture_output=True, text=True,
                          check=True).stdout.strip()
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n",
                           *PACKAGES], capture_output=True, text=True, check=False)
    found = [line.rpartition(" ")[0] for line in done.stdout.splitlines() if line.endswith(" installed")]
    return ", ".join([ours, *found])


def check_tools():
    """The programs without which nothing can be measured."""
    for program in ("mosquitto", "mosquitto_sub", "mosquitto_pub"):
        try:
            executable(program)
        except ProcessError as error:
            raise SystemExit(f"{error}: apt-get install mosquitto mosquitto-clients") from error
