# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a recording: numpy on mono float arrays, full scale 1.0."""

import ctypes
import ctypes.util

import numpy as np

RATE = 48000

# Words that the tone engine (tones.py) speaks as tones of their own, in Hz.
TONES = {"một": 600, "hai": 720, "ba": 850, "bốn": 1000, "năm": 1170, "sáu": 1360,
         "bảy": 1570, "tám": 1810, "chín": 2080, "mười": 2400}
TONE_SECONDS, TONE_GAP_SECONDS = 0.16, 0.04


class _SfInfo(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int64), ("samplerate", ctypes.c_int), ("channels", ctypes.c_int),
                ("format", ctypes.c_int), ("sections", ctypes.c_int), ("seekable", ctypes.c_int)]


def read_sound_file(path):
    """(frames × channels, rate) of any sound file, by libsndfile, which the product needs too."""
    library = ctypes.CDLL(ctypes.util.find_library("sndfile") or "libsndfile.so.1")
    library.sf_open.restype = ctypes.c_void_p
    library.sf_readf_float.restype = ctypes.c_int64
    info = _SfInfo()
    file = library.sf_open(str(path).encode(), 0x10, ctypes.byref(info))
    if not file:
        raise OSError(f"{path}: not a sound file")
    frames = np.zeros((info.frames, info.channels), dtype=np.float32)
    got = library.sf_readf_float(ctypes.c_void_p(file), frames.ctypes.data_as(ctypes.c_void_p),
                                 ctypes.c_int64(info.frames))
    library.sf_close(ctypes.c_void_p(file))
    return frames[:got], info.samplerate


# libsndfile's SF_FORMAT_…: 16 bit, 16 bit, Vorbis, Opus, layer III
FORMATS = {"wav": 0x010002, "flac": 0x170002, "ogg": 0x200060, "opus": 0x200064, "mp3": 0x230082}


def write_sound_file(path, sound, rate, form):
    """An array of frames × channels, in one of FORMATS."""
    library = ctypes.CDLL(ctypes.util.find_library("sndfile") or "libsndfile.so.1")
    library.sf_open.restype = ctypes.c_void_p
    library.sf_writef_float.restype = ctypes.c_int64
    info = _SfInfo(0, rate, sound.shape[1], form, 0, 0)
    file = library.sf_open(str(path).encode(), 0x20, ctypes.byref(info))
    if not file:
        raise OSError(f"{path}: cannot be written")
    for at in range(0, len(sound), rate):  # in pieces: its Vorbis takes all at once onto the stack
        samples = np.ascontiguousarray(sound[at:at + rate], dtype=np.float32)
        library.sf_writef_float(ctypes.c_void_p(file), samples.ctypes.data_as(ctypes.c_void_p),
                                ctypes.c_int64(len(samples)))
    library.sf_close(ctypes.c_void_p(file))


def _is_float(values):
    """Integers of 32 bit, taken for floats, are huge somewhere: the negative ones of quiet sound."""
    with np.errstate(invalid="ignore"):
        return bool(np.all(np.abs(values) < 4.0))


def parse_wav(data):
    """(frames × channels, rate) of a wav file that may still be written: the sizes in its header
    are not believed, only where the frames begin and what they are."""
    if len(data) < 44 or data[:4] != b"RIFF":
        return np.zeros((0, 1), dtype=np.float32), RATE
    at, kind, channels, rate, bits = 12, 1, 1, RATE, 16
    while at + 8 <= len(data):
        name, size = data[at:at + 4], int.from_bytes(data[at + 4:at + 8], "little")
        if name == b"fmt ":
            kind = int.from_bytes(data[at + 8:at + 10], "little")
            channels = int.from_bytes(data[at + 10:at + 12], "little")
            rate = int.from_bytes(data[at + 12:at + 16], "little")
            bits = int.from_bytes(data[at + 22:at + 24], "little")
        if name == b"data":
            at += 8
            break
        at += 8 + size
    body = data[at:]
    body = body[:len(body) - len(body) % (channels * bits // 8)]
    if (kind, bits) == (1, 32) and _is_float(np.frombuffer(body, "<f4")):
        kind = 3  # ALSA's file plugin calls everything PCM
    dtype, scale = {(1, 16): ("<i2", 32768.0), (1, 32): ("<i4", 2147483648.0),
                    (3, 32): ("<f4", 1.0)}[kind, bits]
    return (np.frombuffer(body, dtype).astype(np.float32) / scale).reshape(-1, channels), rate


def db(value):
    return 20 * np.log10(max(float(value), 1e-9))


def rms_db(sound):
    return db(np.sqrt(np.mean(np.square(sound)))) if len(sound) else -180.0


def peak_db(sound):
    return db(np.max(np.abs(sound))) if len(sound) else -180.0


def segments(sound, rate=RATE, threshold_db=-50.0, join=0.25):
    """[(from, to)] in seconds of what is louder than the threshold; gaps shorter than `join`
    seconds belong to the sound."""
    loud = np.flatnonzero(np.abs(sound) > 10 ** (threshold_db / 20))
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > join * rate)
    starts = np.concatenate(([loud[0]], loud[breaks + 1]))
    ends = np.concatenate((loud[breaks], [loud[-1]]))
    return [(a / rate, (b + 1) / rate) for a, b in zip(starts, ends)]


def is_silent(sound, threshold_db=-70.0):
    return peak_db(sound) < threshold_db


def find(clip, sound):
    """Where `clip` sounds in `sound`: (frame, likeness 0…1), likeness being the normalised
    correlation at that place."""
    if len(sound) < len(clip):
        sound = np.concatenate((sound, np.zeros(len(clip) - len(sound), dtype=np.float32)))
    size = 1 << int(np.ceil(np.log2(len(sound) + len(clip))))
    product = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(clip, size))
    correlation = np.fft.irfft(product, size)[:len(sound) - len(clip) + 1]
    energy = np.concatenate(([0.0], np.cumsum(np.square(sound, dtype=np.float64))))
    window = np.sqrt(np.maximum(energy[len(clip):] - energy[:-len(clip)], 1e-9))
    likeness = correlation / (window * np.sqrt(np.sum(np.square(clip, dtype=np.float64))) + 1e-12)
    best = int(np.argmax(likeness))
    return best, float(likeness[best])


def lag_frames(a, b):
    """How many frames `b` comes later than `a`, by cross-correlation."""
    size = 1 << int(np.ceil(np.log2(len(a) + len(b))))
    correlation = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    best = int(np.argmax(np.abs(correlation)))
    return best if best < size // 2 else best - size


def peak_hz(sound, rate=RATE):
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 15))
    return float(np.argmax(spectrum)) * rate / (1 << 15)


def tone_words(sound, rate=RATE, threshold_db=-40.0):
    """What the tone engine said in this recording: [(word, from, to)] in seconds. A word that
    broke off shows by its length, one that is no known tone as "?"."""
    words = []
    for start, end in segments(sound, rate, threshold_db, join=TONE_GAP_SECONDS / 2):
        piece = sound[int(start * rate):int(end * rate)]
        if end - start < 0.02:
            continue
        hz = peak_hz(piece, rate)
        word = min(TONES, key=lambda w: abs(TONES[w] - hz))
        words.append((word if abs(TONES[word] - hz) < 25 else "?", start, end))
    return words


def said(sound, rate=RATE):
    """The words of tone_words() that are whole; one that a starved sound server has torn (all of
    it is there, with silence within) is whole."""
    words, torn, torn_seconds = [], None, 0.0
    for word, start, end in tone_words(sound, rate):
        if word != torn:
            torn, torn_seconds = word, 0.0
        torn_seconds += end - start
        if torn_seconds > TONE_SECONDS * 0.9:
            words.append(word)
            torn = None
    return words


# --- several tones at once ---------------------------------------------------------------------

WINDOW_SECONDS, HOP_SECONDS = 0.040, 0.005


class Tracks:
    """How loud each word's tone is over time, whatever else sounds with it: `level(word, t)` is the
    amplitude of that tone in a window of 40 ms around second t (0.25 at full level)."""

    def __init__(self, sound, rate=RATE):
        self.rate = rate
        size, hop = int(WINDOW_SECONDS * rate), int(HOP_SECONDS * rate)
        count = max(0, (len(sound) - size) // hop + 1)
        window = np.hanning(size)
        times = np.arange(size) / rate
        waves = np.stack([window * np.exp(-2j * np.pi * hz * times) for hz in TONES.values()])
        waves = (waves * 2 / window.sum()).astype(np.complex64)
        levels = np.zeros((count, len(TONES)), dtype=np.float32)
        for begin in range(0, count, 2000):  # in pieces: memory
            end = min(begin + 2000, count)
            pieces = np.stack([sound[i * hop:i * hop + size] for i in range(begin, end)])
            levels[begin:end] = np.abs(pieces.astype(np.complex64) @ waves.T)
        self.levels = {word: levels[:, i] for i, word in enumerate(TONES)}

    def at(self, seconds):
        return max(0, int((seconds - WINDOW_SECONDS / 2) / HOP_SECONDS))

    def level(self, word, seconds):
        track = self.levels[word]
        return float(track[min(self.at(seconds), len(track) - 1)])

    def loudest(self, word, start, end):
        """In dB, the level that the tone reaches between two seconds."""
        piece = self.levels[word][self.at(start):self.at(end) + 1]
        return db(np.max(piece)) if len(piece) else -180.0

    def runs(self, word, threshold=0.05, shortest=0.06):
        """[(from, to)] in seconds where the word's tone is above an amplitude."""
        on = np.concatenate(([False], self.levels[word] > threshold, [False]))
        edges = np.flatnonzero(np.diff(on.astype(np.int8)))
        found = [(a * HOP_SECONDS + WINDOW_SECONDS / 2, b * HOP_SECONDS + WINDOW_SECONDS / 2)
                 for a, b in zip(edges[::2], edges[1::2])]
        return [(a, b) for a, b in found if b - a >= shortest]

    def words(self, threshold=0.05, shortest=0.06):
        """[(word, from, to)] of all tones, in the order of their beginnings."""
        found = [(word, a, b) for word in TONES for a, b in self.runs(word, threshold, shortest)]
        return sorted(found, key=lambda item: item[1])


def fades(sound, word, rate=RATE):
    """[(end, seconds)] of every end of a lasting tone: when it was gone, and how long it took from
    full level, whatever else sounds. By a moving average of 5 ms of the tone, shifted to 0 Hz."""
    size = int(0.005 * rate)
    shifted = sound * np.exp(-2j * np.pi * TONES[word] * np.arange(len(sound)) / rate)
    total = np.concatenate(([0], np.cumsum(shifted)))
    level = np.abs(total[size:] - total[:-size]) * 2 / size
    full, gone = level > 0.9 * np.max(level), level < 0.1 * np.max(level)
    found = []
    for end in np.flatnonzero(gone[1:] & ~gone[:-1]):
        before = np.flatnonzero(full[:end])
        if len(before) and (not found or before[-1] / rate > found[-1][0]):
            found.append((end / rate, (end - before[-1]) / rate))
    return found
