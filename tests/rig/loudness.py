# SPDX-License-Identifier: GPL-3.0-or-later
"""Loudness and true peak of a recording at 48 kHz, straight from ITU-R BS.1770-4, so that the
product's own measurement (libebur128) is not judged by itself."""

import numpy as np

RATE = 48000
# BS.1770-4, tables 1 and 2: the head's shelf, and the high-pass (b0 b1 b2, a1 a2).
SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285),
         (-1.69065929318241, 0.73248077421585))
HIGH_PASS = ((1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621))


def _response(filter_, count):
    (b0, b1, b2), (a1, a2) = filter_
    z = np.exp(-2j * np.pi * np.arange(count // 2 + 1) / count)
    return (b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)


def _length(least):
    """The next one of which an FFT is quick."""
    return 1 << (least - 1).bit_length()


def weighted(frames):
    """Through both filters, by multiplication of spectra; the silence behind it takes what the
    filters still ring."""
    count = _length(len(frames) + 2 * RATE)
    spectrum = np.fft.rfft(frames, count)
    spectrum *= _response(SHELF, count) * _response(HIGH_PASS, count)
    return np.fft.irfft(spectrum, count)[:len(frames)]


def integrated(frames):
    """LUFS of one channel, with both gates; blocks of 400 ms, a quarter apart."""
    power = np.concatenate(([0.0], np.cumsum(weighted(frames) ** 2)))
    block, step = int(0.4 * RATE), int(0.1 * RATE)
    starts = np.arange(0, len(frames) - block + 1, step)
    means = (power[starts + block] - power[starts]) / block
    lufs = -0.691 + 10 * np.log10(np.maximum(means, 1e-12))
    heard = means[lufs > -70]
    gate = -0.691 + 10 * np.log10(heard.mean()) - 10
    return -0.691 + 10 * np.log10(means[lufs > max(gate, -70)].mean())


def true_peak_db(frames, times=8):
    """dBTP: between the samples too, by an ideal interpolation in pieces that overlap."""
    piece, edge, most = 8192, 1024, 0.0
    padded = np.concatenate((np.zeros(edge), frames, np.zeros(piece)))
    for start in range(0, len(frames), piece - 2 * edge):
        part = padded[start:start + piece]
        spectrum = np.fft.rfft(part * _window(piece, edge), piece)
        fine = np.fft.irfft(spectrum, times * piece) * times
        most = max(most, np.abs(fine[edge * times:(piece - edge) * times]).max())
    return 20 * np.log10(max(most, 1e-9))


def _window(count, edge):
    """Flat but for soft edges of half the overlap, which are not looked at."""
    window = np.ones(count)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge // 2) + 0.5) / (edge // 2))
    window[:edge // 2] = ramp
    window[-(edge // 2):] = ramp[::-1]
    return window


def band_db(frames, low_hz, high_hz):
    """Energy between two frequencies, in decibels (of no particular reference)."""
    count = _length(len(frames))
    spectrum = np.abs(np.fft.rfft(frames, count)) ** 2
    hz = np.fft.rfftfreq(count, 1 / RATE)
    return 10 * np.log10(spectrum[(hz >= low_hz) & (hz < high_hz)].sum() + 1e-20)
