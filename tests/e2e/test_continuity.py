# SPDX-License-Identifier: GPL-3.0-or-later
"""No click, whatever happens to a sound: begun, ended, cut off, gone on with, made louder or softer,
spoken over. The engine speaks lasting, smooth tones, and a card keeps what was heard of them: what is
not smooth in there is of our making (rig/clicks.py). Levels do not matter."""

import os
import time

import numpy as np

from case import options, same
from heard import card, ends_in, wall, wait_frames
from recordings import publish, recording
from rig import analysis
from rig.clicks import find_clicks
from rig.tones import soft_tone

RATE = analysis.RATE
XRUN_SECONDS = 0.5  # what was in the device is written again behind the gap


def tones(*words, count=10):
    """Text of so many sentences, each a tone of `count` times 0.2 s; their pauses are silent."""
    return " ".join(" ".join([word] * count) + "." for word in words)


def is_smooth(rig, *names):
    """That these cards have played, and no click. (A gap where a card ran dry is one by nature.)"""
    found = {}
    for name in names:
        sound = rig.alsa.heard(name)
        assert analysis.peak_db(sound) > -40, f"{name} was silent"
        dry = [frame / RATE for _, frame, event in rig.alsa.events(name) if event == "xrun"]
        clicks = [(round(at, 3), round(strength)) for at, strength in find_clicks(sound)
                  if not any(abs(at - gap) < XRUN_SECONDS for gap in dry)]
        if clicks:
            found[name] = clicks[:20]
    assert not found, f"clicks at [(seconds, dB)] {found}"


def sounds(rig, name, seconds=0.5):
    """Until so much more has been heard."""
    wait_frames(rig, name, len(rig.alsa.heard(name)) / RATE + seconds)


def smooth_node(rig, *outputs, **changes):
    """Each output is a zone of its own."""
    _, speech = rig.tone_engine(smooth=True)
    cards = []
    for output in outputs:
        more = {} if isinstance(output, str) else dict(output)
        name = more.pop("name", output)
        cards.append(card(rig, name, name, **more))
    return rig.node("ubnd", cards, speech=speech, log_level="info", **changes)


@options(plain_only=True, tries=3)  # a starved renderer leaves holes
def test_what_is_cut_off_or_spoken_over(rig):
    """Each loudspeaker meets another fate; then the node is stopped while all of them speak."""
    names = ("dung", "bo-qua", "tat", "rut", "khan", "sua", "nen")
    node = smooth_node(rig, *names)
    for name in names[:-1]:
        rig.announce(name, name, tones("một", "bổng", count=16))
    rig.announce("nen", "nen", tones("trầm", "trầm", count=20), priority="background")
    rig.announce("bo-qua", "sau-bo-qua", tones("bổng"))
    for name in names:
        node.wait_receipt(name, "started", name)
    sounds(rig, names[-1], 0.3)
    rig.control("dung", "stop")
    rig.control("bo-qua", "skip")
    rig.control("tat", "mute")
    rig.withdraw("rut", "rut")
    rig.announce("sua", "sua", tones("bổng"), revision=2)
    rig.announce("khan", "tren", tones("bổng", count=5), priority="emergency", repeat={"times": 1})
    rig.announce("nen", "tren-nen", tones("bổng", count=5))
    for name in ("dung", "bo-qua", "rut"):
        ends_in(node, name, name, "cancelled", "withdrawn" if name == "rut" else "stopped")
    node.wait_receipt("tat", "interrupted", "tat")
    node.wait_receipt("tren-nen", "finished", "nen")
    rig.control("tat", "unmute")
    for name in ("khan", "tat"):
        node.wait_receipt(name, "resumed", name)
    node.wait_receipt("sau-bo-qua", "finished", "bo-qua")
    node.wait_receipt("nen", "finished", "nen")
    for name in names:
        rig.announce(name, f"{name}-het", tones("một", count=20))
    for name in set(names) - {"khan", "tat"}:  # these two still say their first
        node.wait_receipt(f"{name}-het", "started", name)
    sounds(rig, "dung")
    node.stop()
    is_smooth(rig, *names)


@options(plain_only=True, tries=3)
def test_gain_while_it_speaks(rig):
    """Set over and over while the change before is under way; of an announcement; of an hour."""
    node = smooth_node(rig, "lien-tiep", "tung-buoc", "rieng", {
        "name": "gio", "gain_by_hour": [{"hours": "05:00-06:30", "gain_db": -12.0}]}, clock=True)
    wall(node, "06:29:57")
    names = [output["name"] for output in node.outputs]
    for name in names:
        rig.announce(name, name, tones("một", "bổng", count=8), repeat={"times": 2, "gap": "200ms"},
                     gain_db=-7.5 if name == "rieng" else 0)
    for name in names:
        node.wait_receipt(name, "started", name)
    sounds(rig, "lien-tiep", 0.2)
    for step in range(60):
        rig.client.publish(node.topic("output/lien-tiep/gain"), {"gain_db": -24.0 * (step % 2)})
        if step % 6 == 0:
            rig.client.publish(node.topic("output/tung-buoc/gain"), {"gain_db": -step / 3})
        time.sleep(0.007 if step % 3 else 0.05)
    for name in names:
        ends_in(node, name, name, "finished")
    is_smooth(rig, *names)
    quiet, loud = (analysis.peak_db(rig.alsa.heard("gio")[part])
                   for part in (slice(RATE // 2), slice(-2 * RATE, None)))
    assert loud - quiet > 8, "the hour's gain did not change while it spoke"
    same(len(set(np.round(rms_of_pieces(rig.alsa.heard("tung-buoc"))))) > 5, True, "steps of gain")


def rms_of_pieces(sound, seconds=0.05):
    size = int(seconds * RATE)
    return [analysis.rms_db(sound[at:at + size]) for at in range(0, len(sound) - size, size)]


def soft_chimes(rig):
    """Chimes and a bed without an edge: strokes that die away, a bed whose loop is seamless."""
    folder = f"{rig.folder}/nhac-hieu"
    os.mkdir(folder)
    decay = np.exp(-np.arange(RATE * 2) / RATE * 3)
    bed = 0.08 * np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    for name, sound in (("mo", soft_tone(611, 2, RATE, 0.3) * decay), ("nen", bed),
                        ("dong", soft_tone(487, 2, RATE, 0.3) * decay)):
        analysis.write_sound_file(f"{folder}/{name}.wav", sound[:, np.newaxis], RATE,
                                  analysis.FORMATS["wav"])
    return {"dir": folder, "normal": {"open": "mo", "close": "dong", "bed": "nen"},
            "emergency": {"open": "mo", "close": "none", "bed": "none"}}


@options(plain_only=True, tries=3)
def test_chimes_and_bed(rig):
    """The tail under the first words; the bed down, up in a long pause, down, and out; cut off and
    gone on with; an amplifier that is woken first."""
    node = smooth_node(rig, {"name": "tron", "preroll": "300ms"}, "cat", chimes=soft_chimes(rig))
    for name in ("tron", "cat"):
        rig.announce(name, name, tones("một", "bổng", count=3), repeat={"times": 2, "gap": "1s"})
        node.wait_receipt(name, "started", name)
    sounds(rig, "cat", 1.2)
    rig.announce("cat", "tren", tones("bổng", count=3), priority="emergency", repeat={"times": 1})
    for name in ("tron", "cat"):
        ends_in(node, name, name, "finished", timeout=30)
    is_smooth(rig, "tron", "cat")


def abrupt(seconds, level=0.9):
    """A recording that begins and ends in the middle of a sound."""
    return level * np.cos(2 * np.pi * 437 * np.arange(int(seconds * 44100)) / 44100)


@options(plain_only=True, tries=3)
def test_recordings_that_begin_and_end_abruptly(rig):
    """Also where it is cut off, and where it goes on."""
    node = smooth_node(rig, "tron", "cat")
    hash = publish(rig, recording(rig, "cut.flac", abrupt(3)))
    for name in ("tron", "cat"):
        rig.announce(name, name, media=hash)
        node.wait_receipt(name, "started", name)
    sounds(rig, "cat", 1)
    rig.announce("cat", "tren", tones("bổng", count=3), priority="emergency", repeat={"times": 1})
    for name in ("tron", "cat"):
        ends_in(node, name, name, "finished")
    same(node.events("cat", "cat"), ["accepted", "started", "interrupted", "resumed", "finished"])
    is_smooth(rig, "tron", "cat")


def die():
    raise OSError("as if it had crashed")


@options(plain_only=True)
def test_an_engine_that_is_late_or_dies_within_a_sentence(rig):
    """What there was of it ends softly, and what comes begins softly."""
    engine, speech = rig.tone_engine(smooth=True)
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    for id, middle in (("muon", lambda: time.sleep(1.5)), ("chet", die)):
        engine.middle = middle
        rig.announce("trung-tam", id, tones("một"))
        ends_in(node, id, "loa", "finished")
    same(len(engine.asked), 3, "sentences asked for")
    is_smooth(rig, "loa")
