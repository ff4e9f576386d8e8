# SPDX-License-Identifier: GPL-3.0-or-later
"""What a microphone half way between loudspeakers hears: ONE recording, on a true line of time, of what
loatest cards play, whatever their clocks. A card's log says when it was started, and its raw file
what it played; from then on it plays by CLOCK_MONOTONIC, `ppm` millionths too fast."""

import os
import time

import numpy as np

from . import analysis
from .analysis import RATE
from .process import wait_until

UNWRITTEN_SECONDS = 0.1  # a card that plays is asked so often at least, and writes what it has played


class Line:
    """One channel of one card, by the time at which it sounded."""

    def __init__(self, alsa, card, channel=0):
        self.alsa, self.card, self.channel = alsa, card, channel
        numbers = alsa.cards[card]
        self.channels = numbers.get("channels", 2)
        self.rate = numbers.get("rate", RATE) * (1 + numbers.get("ppm", 0) / 1e6)

    def _runs(self):
        """[(when it was started, the first frame, the frame after the last)]"""
        starts = [(mono, frame) for mono, frame, event in self.alsa.events(self.card)
                  if event in ("start", "resume")]
        ends = [frame for _, frame in starts[1:]] + [self._frames()]
        return [(mono, first, end) for (mono, first), end in zip(starts, ends)]

    def _frames(self):
        try:
            return os.path.getsize(f"{self.alsa.folder}/{self.card}.raw") // (2 * self.channels)
        except FileNotFoundError:
            return 0

    def end(self):
        """When the last frame that it has played so far sounded, or None."""
        runs = self._runs()
        return runs[-1][0] + (runs[-1][2] - runs[-1][1]) / self.rate if runs else None

    def _played(self, first, end):
        with open(f"{self.alsa.folder}/{self.card}.raw", "rb") as raw:
            raw.seek(first * 2 * self.channels)
            data = np.fromfile(raw, "<i2", (end - first) * self.channels)
        return data.reshape(-1, self.channels)[:, self.channel].astype(np.float64) / 32768

    def sound(self, start, seconds):
        """What was heard from `start` (monotonic) on, at a true 48 kHz."""
        heard = np.zeros(int(seconds * RATE))
        times = start + np.arange(len(heard)) / RATE
        for mono, first, end in self._runs():
            places = first + (times - mono) * self.rate
            inside = np.flatnonzero((places >= first) & (places < end - 1))
            if not len(inside):
                continue
            begin = int(places[inside[0]])
            sound = self._played(begin, min(end, int(places[inside[-1]]) + 2))
            heard[inside] = np.interp(places[inside] - begin, np.arange(len(sound)), sound)
        return heard

    def first_sound(self, since=0.0, threshold_db=-50.0):
        """When the first frame above the threshold sounded, or None."""
        for mono, first, end in self._runs():
            for at in range(first, end, 10 * RATE):
                sound = self._played(at, min(end, at + 10 * RATE))
                loud = np.flatnonzero(np.abs(sound) > 10 ** (threshold_db / 20))
                whens = mono + (at - first + loud) / self.rate
                whens = whens[whens >= since]
                if len(whens):
                    return float(whens[0])
        return None


class Lines:
    """The recording of all lines of a test, from its beginning on; seconds are its own."""

    def __init__(self):
        self.first_mono, self.lines = time.monotonic(), {}

    def add(self, channel, line):
        self.lines[channel] = line

    def sound(self, channel=None):
        """What was heard so far: one channel, or frames × channels."""
        ends = [end for end in (line.end() for line in self.lines.values()) if end is not None]
        seconds = max(ends) - self.first_mono if ends else 0
        if channel is not None:
            return self.lines[channel].sound(self.first_mono, seconds)
        return np.stack([self.lines[channel].sound(self.first_mono, seconds)
                         for channel in sorted(self.lines)], axis=1)

    def mono_of(self, seconds):
        """The monotonic time at which that second of the recording sounded."""
        return self.first_mono + seconds

    def wait_sound(self, channel, since=0.0, timeout=15, threshold_db=-50.0):
        """Until that channel sounds after `since` (monotonic); the time of its first frame."""
        return wait_until(lambda: self.lines[channel].first_sound(since, threshold_db),
                          f"sound on line {channel}", timeout, 0.03)

    @staticmethod
    def wait_recorded(mono, timeout=15):
        """Until everything up to that monotonic time is in the recording."""
        wait_until(lambda: time.monotonic() > mono + UNWRITTEN_SECONDS, "the recording", timeout)


class Together:
    """Two lines. Seconds of skew are positive when the second one is later."""

    def __init__(self, a, b):
        self.lines = (a, b)

    def sound(self, start, seconds):
        """frames × 2 at 48 kHz."""
        return np.stack([line.sound(start, seconds) for line in self.lines], axis=1)

    def skew_at_first(self, since=0.0):
        a, b = (line.first_sound(since) for line in self.lines)
        assert a is not None and b is not None, "one of them was never heard"
        return b - a

    def skew(self, start, seconds=1.0):
        """By what both sound like in those seconds; None: not alike, or silent."""
        a, b = self.sound(start, seconds).T
        if analysis.is_silent(a, -50) or analysis.is_silent(b, -50):
            return None
        lag = analysis.lag_frames(a, b)
        shifted = np.roll(b, -lag)
        likeness = float(np.dot(a, shifted) / np.sqrt(np.dot(a, a) * np.dot(b, b)))
        return lag / RATE if likeness > 0.5 else None
