# SPDX-License-Identifier: GPL-3.0-or-later
"""A card of tests/alsa/pcm_loatest.c and what was heard on it, on the monotonic clock."""

import os
import time

import numpy as np
from rig.process import wait_until

LOUD = 100  # of 32768: what counts as sound
PERIOD_SECONDS, PERIODS = 0.020, 4  # 80 ms of buffer, for everybody
FRESH_SECONDS = 0.1
# Half a second of silence, with which espeak-ng ends, is over then, too.
SILENCE_SECONDS = 0.8
HALTED = ("stop", "close", "xrun", "prepare", "open")


class Card:
    """Paced as hardware is: it notes when it was started, which is when that frame sounded, and
    keeps what was heard. From both comes when each frame sounded."""

    def __init__(self, rig, name, rate, channels):
        self.rig, self.name, self.rate, self.channels = rig, name, rate, channels
        period = round(rate * PERIOD_SECONDS)
        rig.alsa.loatest(name, rate=rate, channels=channels, period_frames=period,
                         buffer_frames=period * PERIODS)

    def events(self):
        return self.rig.alsa.events(self.name)

    def frames(self):
        try:
            return os.path.getsize(self._path()) // (2 * self.channels)
        except FileNotFoundError:
            return 0

    def _path(self):
        return f"{self.rig.folder}/{self.name}.raw"

    def pieces(self, since):
        """[(monotonic time of its first frame, frames × channels)] of what sounded after `since`:
        one for each time the card was started."""
        starts = [(mono, frame) for mono, frame, event in self.events() if event == "start"]
        ends, found = [frame for _, frame in starts[1:]] + [self.frames()], []
        for (mono, frame), end in zip(starts, ends):
            late = max(0, int((since - mono) * self.rate))
            if frame + late < end:
                found.append((mono + late / self.rate, self._read(frame + late, end)))
        return found

    def _read(self, begin, end):
        with open(self._path(), "rb") as file:
            file.seek(begin * 2 * self.channels)
            data = np.frombuffer(file.read((end - begin) * 2 * self.channels), "<i2")
        return data[:len(data) // self.channels * self.channels].reshape(-1, self.channels)

    def heard(self, since, channel=0):
        """(when the first, when the last audible frame sounded) after `since`, or None."""
        first = last = None
        for mono, sound in self.pieces(since):
            loud = np.flatnonzero(np.abs(sound[:, channel].astype(int)) > LOUD)
            if len(loud):
                first = mono + loud[0] / self.rate if first is None else first
                last = mono + loud[-1] / self.rate
        return None if first is None else (first, last)

    def timeline(self, since, until, channel=0):
        """What sounded between two instants, silence where the card stood still."""
        line = np.zeros(int((until - since) * self.rate))
        for mono, sound in self.pieces(since):
            at = max(0, round((mono - since) * self.rate))
            sound = sound[:max(0, len(line) - at), channel]
            line[at:at + len(sound)] = sound
        return line

    def _is_fresh(self):
        """Whether all that has sounded is known: it stands still, or was just looked at."""
        events = self.events()
        if not events or events[-1][2] in HALTED:
            return True
        started, frame, _ = [e for e in events if e[2] == "start"][-1]
        return started + (self.frames() - frame) / self.rate > time.monotonic() - FRESH_SECONDS

    def is_over(self, since, silence):
        """Whether it has spoken since, and then been silent for so many seconds."""
        if not self._is_fresh():
            return False
        heard = self.heard(since)
        return heard is not None and time.monotonic() - heard[1] > silence

    def wait_over(self, since, silence=SILENCE_SECONDS, timeout=30):
        """(first, last) audible frame, once it is silent again."""
        wait_until(lambda: self.is_over(since, silence), f"{self.name} to have spoken", timeout, 0.02)
        return self.heard(since)

    def wait_halted(self):
        wait_until(lambda: self.events()[-1][2] in HALTED, f"{self.name} to stop", 10, 0.02)

    def xruns(self, since, until):
        return sum(event == "xrun" and since < mono < until for mono, _, event in self.events())


def lag_ms(one, other, since, until):
    """How much later the other (card, channel) sounded, by cross-correlation, in parts of a frame:
    a parabola through the highest three."""
    card, channel = one
    a = card.timeline(since, until, channel)
    b = other[0].timeline(since, until, other[1])
    size = 1 << int(np.ceil(np.log2(2 * len(a))))
    likeness = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    best = int(np.argmax(likeness))
    left, top, right = likeness[best - 1], likeness[best], likeness[(best + 1) % size]
    curve = left - 2 * top + right
    part = 0.5 * (left - right) / curve if curve else 0.0
    return ((best if best < size // 2 else best - size) + part) * 1000 / card.rate
