# SPDX-License-Identifier: GPL-3.0-or-later
"""Clicks in a recording of something that is known to be smooth: tones of at most 2.5 kHz with soft
edges (SmoothEngine in tones.py). Whatever breaks such a sound, a step, a hole, a block too few or too
many, a gain that jumps, a fade with a corner, has energy where the tones have none.

The recording goes through a high-pass of 8 kHz. What is left is compared, millisecond by millisecond,
with the peak of the sound around it: a step of s leaves 0.33 s, a corner (a slope that changes by k a
sample) 0.28 k. The limit lies between what must be found and what must not:

    a gain that jumps by 1 dB where a tone of 200 Hz goes through zero    −62 dB of the peak
    a gain that goes to zero in a straight line within 5 ms               −58 dB
    the limit                                                             −68 dB
    …in a straight line within 20 ms                                      −71 dB
    …within 20 ms along the curve of audio/mix.h                         −122 dB

A level of its own is not needed, down to what 16 bits can tell: nothing below FLOOR is a click."""

import numpy as np

from .analysis import RATE, db

CORNER_HZ = 8000
TAPS = 255
FLOOR = 10 ** (-76 / 20)  # rounding to 16 bits leaves −93 dB at most
LIMIT = 10 ** (-68 / 20)       # of the peak around it
AROUND_SECONDS = 0.020
JOIN_SECONDS = 0.005


def _high_pass(rate):
    n = np.arange(TAPS) - TAPS // 2
    low = 2 * CORNER_HZ / rate * np.sinc(2 * CORNER_HZ / rate * n) * np.blackman(TAPS)
    taps = -low / low.sum()
    taps[TAPS // 2] += 1
    return taps


def _convolve(sound, taps):
    """Same length, centred; in blocks, by FFT."""
    block = 1 << 16
    spectrum = np.fft.rfft(taps, block)
    half, step = len(taps) // 2, block - len(taps) + 1
    padded = np.concatenate((np.zeros(half), sound, np.zeros(half + block)))
    out = np.empty(len(sound) + step)
    for at in range(0, len(sound), step):
        piece = np.fft.irfft(np.fft.rfft(padded[at:at + block]) * spectrum, block)
        out[at:at + step] = piece[len(taps) - 1:len(taps) - 1 + step]
    return out[:len(sound)]


def _peaks(sound, size):
    count = -(-len(sound) // size)
    padded = np.zeros(count * size)
    padded[:len(sound)] = np.abs(sound)
    return padded.reshape(count, size).max(axis=1)


def _highest_around(peaks, windows):
    padded = np.pad(peaks, windows)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * windows + 1).max(axis=1)


def find_clicks(sound, rate=RATE):
    """[(seconds, dB against the peak around it)] of one channel. There was silence before it, and
    there is silence after it."""
    size = rate // 1000
    padded = np.concatenate((np.zeros(TAPS), sound, np.zeros(TAPS))).astype(np.float64)
    rest = _peaks(_convolve(padded, _high_pass(rate)), size)
    around = _highest_around(_peaks(padded, size), int(AROUND_SECONDS * 1000))
    found = []
    for window in np.flatnonzero(rest > np.maximum(FLOOR, LIMIT * around)):
        seconds = max(0.0, (window + 0.5) * size - TAPS) / rate
        strength = db(rest[window] / around[window])
        if found and seconds - found[-1][0] < JOIN_SECONDS:
            found[-1] = max(found[-1], (seconds, strength), key=lambda click: click[1])
        else:
            found.append((seconds, strength))
    return found

