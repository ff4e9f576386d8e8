# SPDX-License-Identifier: GPL-3.0-or-later
"""A number as sound, and back: each announcement bears one, so that what a loudspeaker has said can
be recognised in the recording, wherever it was cut off, whatever was mixed with it.

A signature is a row of frames, each complete in itself: a sync tone, then nine tones of sixteen
(the number, the frame's index, whether it is the last, and a checksum over all of it). Sound of
the background has tones of its own, so that both are read while one sounds under the other."""

import numpy as np

RATE = 48000           # of recordings
MEDIA_RATE = 24000     # of the files
SYMBOL_SECONDS = 0.010
GAP_SECONDS = 0.010    # behind each frame
DATA_SYMBOLS, CHECK_SYMBOLS = 5, 4
FRAME_SYMBOLS = 1 + DATA_SYMBOLS + CHECK_SYMBOLS
FRAME_SECONDS = FRAME_SYMBOLS * SYMBOL_SECONDS
NUMBERS, INDEXES = 1 << 13, 1 << 5
SYNC, TONES = 16, 17
STEP_HZ = 200
FOREGROUND_HZ, BACKGROUND_HZ = 600, 4400
LEVEL = 0.3

HOPS = 4               # looks at each symbol
LEAST_LEVEL = 0.002    # -54 dB: ducked, but there
LEAST_SHARE = 0.6      # of its band's energy is in one tone
CHUNK_FRAMES = RATE
OVERLAP_FRAMES = round(2 * FRAME_SECONDS * RATE)


def checksum(value):
    """CRC-16/CCITT of 20 bits."""
    crc = 0xFFFF
    for bit in range(19, -1, -1):
        top = crc >> 15 ^ value >> bit & 1
        crc = (crc << 1 & 0xFFFF) ^ (0x1021 if top else 0)
    return crc


def symbols(number, index, last):
    value = number << 7 | index << 2 | last << 1
    both = value << 16 | checksum(value)
    return [both >> 4 * i & 15 for i in range(DATA_SYMBOLS + CHECK_SYMBOLS - 1, -1, -1)]


def tone(hz, rate):
    count = round(SYMBOL_SECONDS * rate)
    time = (np.arange(count) + 0.5) / rate
    ramp = np.minimum(1.0, np.minimum(time, SYMBOL_SECONDS - time) / 0.0008)
    return LEVEL * ramp * np.sin(2 * np.pi * hz * time)


def make(number, frames, background=False, rate=MEDIA_RATE):
    """The sound of a signature, floats."""
    assert 0 <= number < NUMBERS and 1 <= frames <= INDEXES
    base = BACKGROUND_HZ if background else FOREGROUND_HZ
    tones = [tone(base + STEP_HZ * i, rate) for i in range(TONES)]
    gap = np.zeros(round(GAP_SECONDS * rate))
    parts = []
    for index in range(frames):
        row = symbols(number, index, index == frames - 1)
        parts += [tones[SYNC], *(tones[s] for s in row), gap]
    return np.concatenate(parts)


def wav(sound, rate=MEDIA_RATE):
    """The bytes of a mono wav file of 16 bit."""
    body = np.round(sound * 32767).astype("<i2").tobytes()
    le = lambda value, size: value.to_bytes(size, "little")  # noqa: E731
    return (b"RIFF" + le(len(body) + 36, 4) + b"WAVEfmt " + le(16, 4) + le(1, 2) + le(1, 2)
            + le(rate, 4) + le(2 * rate, 4) + le(2, 2) + le(16, 2) + b"data" + le(len(body), 4)
            + body)


# --- reading -----------------------------------------------------------------------------------

def _tones_of(sound, hop, base):
    """For every hop: (the loudest tone of the band, -1 where there is none)."""
    window = hop * HOPS
    time = np.arange(window) / RATE
    hz = base + STEP_HZ * np.arange(TONES)
    # Hann: what sounds in the other band, or changes its tone within the window, stays where it is
    shape = np.hanning(window)[:, None] * (4 / window)
    phase = 2 * np.pi * np.outer(time, hz)
    waves = np.hstack([shape * np.cos(phase), shape * np.sin(phase)]).astype(np.float32)
    count = max(0, (len(sound) - window) // hop + 1)
    looks = np.lib.stride_tricks.as_strided(
        sound, (count, window), (sound.strides[0] * hop, sound.strides[0]), writeable=False)
    parts = np.square(np.ascontiguousarray(looks) @ waves)
    loudness = parts[:, :TONES] + parts[:, TONES:]
    best = np.argmax(loudness, axis=1)
    most = loudness[np.arange(count), best]
    good = (most > LEAST_LEVEL ** 2) & (most > LEAST_SHARE * loudness.sum(axis=1))
    return np.where(good, best, -1)


def _read_at(row):
    """(number, index, last) or None, of ten symbols."""
    if row[0] != SYNC or min(row) < 0 or max(row[1:]) >= SYNC:
        return None
    both = 0
    for symbol in row[1:]:
        both = both << 4 | int(symbol)
    value = both >> 16
    if checksum(value) != both & 0xFFFF or value & 1:
        return None
    return value >> 7, value >> 2 & 31, bool(value >> 1 & 1)


def _symbols_at(row):
    """Those that follow a sync tone, up to where the sound ends or is something else."""
    symbols_read = []
    for symbol in row[1:]:
        if not 0 <= symbol < SYNC:
            break
        symbols_read.append(int(symbol))
    return tuple(symbols_read)


def _read_band(sound, base):
    """([(place, frame)], [(place, symbols)]): what is whole, and the beginnings of what is not."""
    hop = round(SYMBOL_SECONDS * RATE) // HOPS
    near = FRAME_SECONDS * RATE / 2
    tones = _tones_of(sound, hop, base)
    found, begun = [], []
    for at in np.flatnonzero(tones == SYNC):
        row = tones[at:at + FRAME_SYMBOLS * HOPS:HOPS]
        frame = _read_at(row) if len(row) == FRAME_SYMBOLS else None
        if frame and not (found and found[-1][1] == frame and at * hop - found[-1][0] < near):
            found.append((int(at) * hop, frame))
        if not frame:
            begun.append((int(at) * hop, _symbols_at(row)))
    begun = [one for one in begun if not any(abs(one[0] - at) < near for at, _ in found)]
    return found, begun


def _pieces(sound):
    """(where it begins, what _read_band() says), of overlapping pieces that are not silent. Hops of
    all lie on one grid: what two of them see is the same."""
    for begin in range(0, len(sound), CHUNK_FRAMES):
        piece = np.ascontiguousarray(sound[begin:begin + CHUNK_FRAMES + OVERLAP_FRAMES],
                                     dtype=np.float32)
        if np.abs(piece).max() < LEAST_LEVEL:
            continue
        for base in (FOREGROUND_HZ, BACKGROUND_HZ):
            yield begin, _read_band(piece, base)


def _longest(begun):
    """Of those that were found at several hops of one tone, the one that was read farthest."""
    kept = []
    for place, symbols_read in sorted(begun):
        if kept and place - kept[-1][0] < SYMBOL_SECONDS * RATE:
            kept[-1] = max(kept[-1], (place, symbols_read), key=lambda one: len(one[1]))
        else:
            kept.append((place, symbols_read))
    return kept


def read(sound):
    """Of a mono recording of 48 kHz, in order: [(place, number, index, last)], every frame of a
    signature; and [(place, symbols)], the beginnings of frames that were cut off."""
    frames, begun = set(), set()
    for begin, (found, cut) in _pieces(sound):
        frames.update((begin + at, *frame) for at, frame in found)
        begun.update((begin + at, symbols_read) for at, symbols_read in cut
                     if at < CHUNK_FRAMES)  # a frame that leaves the piece is whole in the next
    near = FRAME_SECONDS * RATE / 2
    whole, known = [], sorted(frames)
    for row in known:
        if not any(row[1:] == r[1:] and row[0] - r[0] < near for r in whole[-4:]):
            whole.append(row)
    return whole, _longest(one for one in begun
                           if not any(abs(one[0] - row[0]) < near for row in known))


def could_be(symbols_read, number, frames):
    """Whether that is the beginning of one of that signature's frames. (The tone in which it was
    cut off may have been misread.)"""
    sure = list(symbols_read[:-1])
    return any(symbols(number, index, index == frames - 1)[:len(sure)] == sure
               for index in range(frames))
