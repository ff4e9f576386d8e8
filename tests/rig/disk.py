# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that are full or cannot be written, of the real kind: a file system of its own in a mount
namespace that nobody else sees (root only), and a limit on the size of files (anybody)."""

import errno
import os
import resource
import subprocess

from .process import Process, wait_until

# The limit's signal would end the program; ignored, write(2) says EFBIG.
IGNORING_SIGXFSZ = ("/bin/sh", "-c", 'trap "" XFSZ; exec "$@"', "sh")


def may_mount():
    """Whether this machine and user may make mount namespaces."""
    return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
                          capture_output=True, timeout=20).returncode == 0


class SmallDisk:
    """A tmpfs of `size` over `path`, as long as close() was not called; programs see it when they
    are started with `wrapper`."""

    def __init__(self, path, log_path, size="8m"):
        self.path = path
        mount = f'mount -t tmpfs -o size={size} none "$1" && exec sleep infinity'
        self.process = Process("disk", ["unshare", "-m", "sh", "-c", mount, "sh", path], log_path)
        wait_until(lambda: self._is_mounted() or not self.process.running(), "the disk")
        assert self.process.running(), self.process.log()
        self.wrapper = ("nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", "--")

    def _is_mounted(self):
        with open(f"/proc/{self.process.pid}/mounts") as mounts:
            return any(line.split()[1] == self.path for line in mounts)

    @property
    def inside(self):
        """The path to it from here."""
        return f"/proc/{self.process.pid}/root{self.path}"

    def fill(self):
        with open(f"{self.inside}/day", "wb", buffering=0) as file:
            for size in (4096, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error

    def empty(self):
        os.unlink(f"{self.inside}/day")

    def make_read_only(self):
        """Only while nothing has it open for writing."""
        subprocess.run([*self.wrapper, "mount", "-o", "remount,ro", self.path], check=True)

    def close(self):
        self.process.end()


def limit_files(pid, size):
    """No file of that process grows beyond `size` bytes from now on; None: no limit."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))
