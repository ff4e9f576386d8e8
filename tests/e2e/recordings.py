# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings for announcements: tones in sound files of every format."""

import hashlib

import numpy as np

from rig import analysis
from rig.tones import tone

RATE = 44100  # not the device's


def tones_of(*spoken, seconds=0.16):
    """What the tone engine would say, as a sound of our own."""
    gap = np.zeros(int(0.04 * RATE))
    parts = [part for word in spoken
             for part in (tone(analysis.TONES[word], seconds, RATE), gap)]
    return np.concatenate(parts).astype("<f4")


def recording(rig, name, sound, channels=1):
    """A sound file; its name says the format. Returns its bytes."""
    path, form = f"{rig.folder}/{name}", analysis.FORMATS[name.rpartition(".")[2]]
    rate = RATE
    if name.endswith(".opus"):  # knows no 44.1 kHz
        rate = 48000
        sound = np.interp(np.arange(0, len(sound) / RATE, 1 / rate),
                          np.arange(len(sound)) / RATE, sound)
    analysis.write_sound_file(path, np.repeat(sound[:, np.newaxis], channels, axis=1), rate, form)
    with open(path, "rb") as file:
        return file.read()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def publish(rig, data, hash=None):
    hash = hash or sha256(data)
    rig.client.publish(f"loalang/{rig.site}/media/{hash}", data, retain=True)
    return hash


def hum(rig, word, seconds):
    """A recording of one lasting tone, published; returns its hash."""
    return publish(rig, recording(rig, f"{word}.flac", tones_of(word, seconds=seconds)))
