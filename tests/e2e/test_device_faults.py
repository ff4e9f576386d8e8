# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS B: devices that are not there, go away, come back, cut the beginning or the end."""

import os

from case import between, near, same
from rig import analysis
from rig.node import mono_of

COUNT = ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"]


def late_device(rig, name):
    """An ALSA device that cannot be opened until its folder exists; returns (pcm, appear)."""
    folder = f"{rig.folder}/{name}-folder"
    rig.alsa.declare(f'pcm.{name} {{ type file slave.pcm {{ type null }} file "{folder}/x.wav" '
                     f'format "wav" truncate no }}\n')
    return name, folder


def test_b1_device_absent_at_start(rig):
    pcm, folder = late_device(rig, "muon")
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [{"name": "loa", "device": pcm, "zones": ["trung-tam"]}], speech=speech)
    node.wait_state("loa", "lost")
    status = node.wait_status(lambda s: s["faults"])
    same(status["state"], "degraded")
    assert any("loa" in f["what"] + f["detail"] or pcm in f["what"] + f["detail"]
               for f in status["faults"]), status["faults"]
    rig.announce("trung-tam", "cho-loa", "một hai ba")
    node.wait_receipt("cho-loa", "accepted")
    item = node.wait_queue("loa", lambda q: q["length"] == 1)["items"][0]
    same((item["id"], item["waits"]), ("cho-loa", "output"))
    os.mkdir(folder)
    node.wait_receipt("cho-loa", "finished", "loa", timeout=30)
    node.wait_status(lambda s: s["state"] == "online" and not s["faults"])
    node.stop()
    with open(f"{folder}/x.wav", "rb") as file:
        frames, _ = analysis.parse_wav(file.read())
    same(analysis.said(frames[:, 0]), ["một", "hai", "ba"])


def test_b2_line_removed_while_speaking_and_returned(rig):
    """The sentence in which it went starts again; the ones before do not."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    rig.announce("trung-tam", "dut", "một hai ba. bốn năm sáu bảy tám chín mười. một chín.")
    recording = rig.pulse.recording
    rig.wait(lambda: "năm" in analysis.said(recording.sound(0)), "the second sentence")
    gone = rig.pulse.unplug(0)
    node.wait_state("loa0", "lost")
    same(node.wait_status(lambda s: s["faults"])["state"], "degraded")
    before = analysis.said(recording.sound(0))
    rig.pulse.plug(0)
    finished = node.wait_receipt("dut", "finished", "loa0", timeout=40)
    recording.wait_recorded(mono_of(finished["at"]) + 0.3)
    said = analysis.said(recording.sound(0))
    same(said[len(before):], ["bốn", "năm", "sáu", "bảy", "tám", "chín", "mười", "một", "chín"])
    events = node.events("dut", "loa0")
    assert events[:2] == ["accepted", "started"] and events[-1] == "finished", events
    same(events.count("finished"), 1)
    node.wait_status(lambda s: s["state"] == "online" and not s["faults"])
    lines = [line for line in node.log().splitlines() if "loa0" in line or "line0" in line]
    assert len(lines) < 60, f"{len(lines)} log lines about one loss"
    assert gone


def test_b2_lost_until_it_expires(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    rig.announce("trung-tam", "dut", "một hai " * 20, expires=rig.in_future(6))
    rig.pulse.recording.wait_sound(0)
    rig.pulse.unplug(0)
    node.wait_state("loa0", "lost")
    ended = rig.client.wait_for(node.topic("receipt"), lambda m: m.json()["event"] in (
        "expired", "failed"), 20 * rig.scale).json()
    same((ended["id"], ended["output"], ended["reason"]), ("dut", "loa0", "output-lost"))


def test_b3_stop_and_sigterm_while_lost(rig):
    pcm, _ = late_device(rig, "vang")
    node = rig.node("ubnd", [{"name": "loa", "device": pcm, "zones": ["trung-tam"]}])
    rig.announce("trung-tam", "cho", "Kính thưa bà con")
    node.wait_receipt("cho", "accepted")
    rig.control("trung-tam", "stop")
    same(node.wait_receipt("cho", "cancelled", "loa")["reason"], "stopped")
    node.stop()


def test_b5_preroll_wakes_the_amplifier_and_nothing_is_cut(rig):
    engine, speech = rig.tone_engine()
    outputs = [{"name": "loa", "device": rig.alsa.unpaced("loa"), "zones": ["trung-tam"],
                "preroll": "400ms"}]
    node = rig.node("ubnd", outputs, speech=speech)
    rig.announce("trung-tam", "dem", " ".join(COUNT))
    finished = node.wait_receipt("dem", "finished", "loa")
    node.stop()
    sound = rig.alsa.sound_of("loa")
    words = analysis.tone_words(sound)
    same([w for w, _, _ in words], COUNT)
    between(words[0][1], 0.400, 0.600, "silence before the first word")
    assert analysis.is_silent(sound[:int(0.399 * analysis.RATE)], -100)
    near(finished["seconds_played"], words[-1][2] - words[0][1], 0.4, "preroll does not count")


def test_b5_last_syllable_leaves_a_paced_device(rig):
    """Closed only after what was written has been heard."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    for i in range(4):
        rig.announce("trung-tam", f"dem-{i}", "một mười")
        finished = node.wait_receipt(f"dem-{i}", "finished", "loa0")
    rig.pulse.recording.wait_recorded(mono_of(finished["at"]) + 0.3)
    words = analysis.tone_words(rig.pulse.recording.sound(0))
    same([w for w, _, _ in words], ["một", "mười"] * 4)
    for word, start, end in words:
        near(end - start, analysis.TONE_SECONDS, 0.02, f"length of {word}")


def test_b7_a_dead_card_does_not_disturb_the_other(rig):
    engine, speech = rig.tone_engine()
    pcm, _ = late_device(rig, "chet")
    node = rig.node("ubnd", [rig.paced(1), {"name": "chet", "device": pcm, "zones": ["trung-tam"]}],
                    speech=speech)
    node.wait_state("chet", "lost")
    rig.announce("trung-tam", "dem", " ".join(COUNT))
    finished = node.wait_receipt("dem", "finished", "loa1")
    rig.pulse.recording.wait_recorded(mono_of(finished["at"]) + 0.2)
    words = analysis.tone_words(rig.pulse.recording.sound(1))
    same([w for w, _, _ in words], COUNT)


def test_b7_a_line_lost_while_both_speak_does_not_disturb_the_other(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0), rig.paced(1, zones=("phia-bac",))], speech=speech)
    rig.announce("trung-tam", "a", " ".join(COUNT * 2))
    rig.announce("phia-bac", "b", " ".join(reversed(COUNT * 2)))
    recording = rig.pulse.recording
    rig.wait(lambda: len(analysis.said(recording.sound(0))) > 3
             and len(analysis.said(recording.sound(1))) > 3, "both to speak")
    rig.pulse.unplug(0)
    finished = node.wait_receipt("b", "finished", "loa1")
    recording.wait_recorded(mono_of(finished["at"]) + 0.2)
    words = analysis.tone_words(recording.sound(1))
    same([w for w, _, _ in words], list(reversed(COUNT * 2)))
    for (_, _, end), (_, start, _) in zip(words, words[1:]):
        near(start - end, analysis.TONE_GAP_SECONDS, 0.02, "pause between words")
