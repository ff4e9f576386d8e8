# SPDX-License-Identifier: GPL-3.0-or-later
"""A real-time clock that can be set for one process (tests/clock/loaclock.c), and what its instants
mean on the machine's monotonic clock."""

import os
import struct
import time

from .node import instant, rfc3339
from .process import ProcessError


class Clock:
    def __init__(self, folder, build, name="clock"):
        self.path, self.library = f"{folder}/{name}.clock", f"{build}/tests/clock/libloaclock.so"
        if not os.path.exists(self.library):
            raise ProcessError("the build has no libloaclock.so (tests/clock)")
        self.steps = []  # [(monotonic, offset in seconds from then on)]
        with open(self.path, "wb") as file:
            file.write(struct.pack("=q", 0))
        self.set(0.0)

    def environment(self):
        return {"LD_PRELOAD": self.library, "LOACLOCK": self.path}

    def set(self, offset_seconds):
        """The process's clock is ahead of the machine's by that much, from now on."""
        file = os.open(self.path, os.O_WRONLY)
        os.pwrite(file, struct.pack("=q", round(offset_seconds * 1e9)), 0)
        os.close(file)
        self.steps.append((time.monotonic(), offset_seconds))

    @property
    def offset(self):
        return self.steps[-1][1]

    def offset_at(self, mono):
        return [offset for at, offset in self.steps if at <= mono or at == self.steps[0][0]][-1]

    def now(self):
        return time.time() + self.offset

    def in_future(self, seconds):
        """RFC 3339, by this clock."""
        return rfc3339(self.now() + seconds)

    def real_of(self, mono):
        """What this clock showed at that monotonic time."""
        return mono - time.monotonic() + time.time() + self.offset_at(mono)

    def mono_of(self, text, arrived):
        """The monotonic time of an RFC 3339 instant of this clock that was told at `arrived`. What
        two settings would explain was the later of the two."""
        machine = instant(text) - time.time() + time.monotonic()
        ends = [at for at, _ in self.steps[1:]] + [float("inf")]
        found = [machine - offset for (at, offset), end in zip(self.steps, ends)
                 if at - 0.5 <= machine - offset <= min(end, arrived) + 0.5]
        return max(found) if found else None
