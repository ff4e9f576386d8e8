# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS B: devices that are not there, go away, come back, cut the beginning or the end."""

import time

from case import between, near, same
from rig import analysis
from rig.node import mono_of

COUNT = ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"]


def test_b1_device_absent_at_start(rig):
    pcm = rig.alsa.loatest("muon", absent=1)
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [{"name": "loa", "device": pcm, "zones": ["trung-tam"]}], speech=speech)
    node.wait_state("loa", "lost")
    status = node.wait_status(lambda s: s["faults"])
    same(status["state"], "degraded")
    assert any("loa" in f["what"] + f["detail"] or pcm in f["what"] + f["detail"]
               for f in status["faults"]), status["faults"]
    rig.announce("trung-tam", "cho-loa", "một hai ba")
    node.wait_receipt("cho-loa", "accepted")
    item = node.wait_queue("loa", lambda q: q["length"] == 1
                           and q["items"][0]["waits"] == "output-lost")["items"][0]
    same(item["id"], "cho-loa")
    rig.alsa.control("muon", absent=0)
    node.wait_receipt("cho-loa", "finished", "loa", timeout=30)
    node.wait_status(lambda s: s["state"] == "online" and not s["faults"])
    node.stop()
    same(analysis.said(rig.alsa.heard("muon")), ["một", "hai", "ba"])


def test_b2_line_removed_while_speaking_and_returned(rig):
    """The sentence in which it went starts again; the ones before do not."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    rig.announce("trung-tam", "dut", "một hai ba. bốn năm sáu bảy tám chín mười. một chín.")
    recording = rig.recording
    rig.wait(lambda: "năm" in analysis.said(recording.sound(0)), "the second sentence")
    gone = rig.unplug(0)
    node.wait_state("loa0", "lost")
    same(node.wait_status(lambda s: s["faults"])["state"], "degraded")
    before = analysis.said(recording.sound(0))
    rig.plug(0)
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
    rig.recording.wait_sound(0)
    rig.unplug(0)
    node.wait_state("loa0", "lost")
    ended = rig.client.wait_for(node.topic("receipt"), lambda m: m.json()["event"] in (
        "expired", "failed"), 20 * rig.scale).json()
    same((ended["id"], ended["output"], ended["reason"]), ("dut", "loa0", "output-lost"))


def test_b3_stop_and_sigterm_while_lost(rig):
    pcm = rig.alsa.loatest("vang", absent=1)
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
    """Stopped only after what was written has been heard."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "the")], speech=speech)
    for i in range(4):
        rig.announce("trung-tam", f"dem-{i}", "một mười")
        node.wait_receipt(f"dem-{i}", "finished", "the")
    words = analysis.tone_words(rig.alsa.heard("the"))
    same([w for w, _, _ in words], ["một", "mười"] * 4)
    for word, start, end in words:
        near(end - start, analysis.TONE_SECONDS, 0.01, f"length of {word}")


def test_b7_a_dead_card_does_not_disturb_the_other(rig):
    engine, speech = rig.tone_engine()
    pcm = rig.alsa.loatest("chet", absent=1)
    node = rig.node("ubnd", [rig.paced(1), {"name": "chet", "device": pcm, "zones": ["trung-tam"]}],
                    speech=speech)
    node.wait_state("chet", "lost")
    rig.announce("trung-tam", "dem", " ".join(COUNT))
    finished = node.wait_receipt("dem", "finished", "loa1")
    rig.recording.wait_recorded(mono_of(finished["at"]) + 0.2)
    same(analysis.said(rig.recording.sound(1)), COUNT)


def test_b7_a_line_lost_while_both_speak_does_not_disturb_the_other(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0), rig.paced(1, zones=("phia-bac",))], speech=speech)
    rig.announce("trung-tam", "a", " ".join(COUNT * 2))
    rig.announce("phia-bac", "b", " ".join(reversed(COUNT * 2)))
    recording = rig.recording
    rig.wait(lambda: len(analysis.said(recording.sound(0))) > 3
             and len(analysis.said(recording.sound(1))) > 3, "both to speak")
    rig.unplug(0)
    finished = node.wait_receipt("b", "finished", "loa1")
    recording.wait_recorded(mono_of(finished["at"]) + 0.2)
    same(analysis.said(recording.sound(1)), list(reversed(COUNT * 2)))


# --- with a card that misbehaves on request (tests/alsa/pcm_loatest.c) -------------------------

def card(rig, name, **numbers):
    return {"name": name, "device": rig.alsa.loatest(name, **numbers), "zones": ["trung-tam"]}


def sentences(*numbers):
    return " ".join(" ".join(COUNT[n] for n in part) + "." for part in numbers)


def test_b4_no_word_is_lost_or_repeated(rig):
    """An interrupted stream, a suspended machine, short writes and a busy device, all at once."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [
        card(rig, "dut", xrun_at=30000),
        card(rig, "ngu", suspend_at=30000, resume_eagain=3),
        card(rig, "ngu-han", suspend_at=30000, resume_fails=1),
        card(rig, "ngan", short_writes=1500),
        card(rig, "ban", busy=2),
    ], speech=speech)
    rig.announce("trung-tam", "dem", " ".join(COUNT), expires=rig.in_future(60))
    node.wait_finished("dem", timeout=30)
    for name in ("dut", "ngu", "ngu-han", "ngan", "ban"):
        same(analysis.said(rig.alsa.heard(name)), COUNT, name)
        same(node.events("dem", name), ["accepted", "started", "finished"], name)

def test_b4_xruns_are_counted_in_status(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "dut", xrun_at=20000)], speech=speech)
    rig.announce("trung-tam", "dem", " ".join(COUNT))
    node.wait_finished("dem")
    rig.wait(lambda: [s for s in rig.client.select(node.topic("status"))
                      if s.json().get("outputs") and s.json()["outputs"][0]["xruns"] >= 1],
             "the xrun in the status", 25)


def test_b2_card_unplugged_while_speaking_and_plugged_in_again(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "usb", gone_at=80000)], speech=speech)
    rig.announce("trung-tam", "dut", sentences((0, 1, 2), (3, 4, 5, 6, 7), (8, 9)))
    node.wait_state("usb", "lost")
    gone, = [frame for _, frame, event in rig.alsa.events("usb") if event == "gone"]
    before = analysis.said(rig.alsa.heard("usb")[:gone])
    same(before[:3], ["một", "hai", "ba"])
    assert "bốn" in before and "tám" not in before, before
    rig.alsa.control("usb", back=1)
    node.wait_receipt("dut", "finished", "usb", timeout=30)
    same(analysis.said(rig.alsa.heard("usb")[gone:]),
         ["bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"])
    events = node.events("dut", "usb")
    same(events, ["accepted", "started", "interrupted", "resumed", "finished"])
    opens = [e for e in rig.alsa.events("usb") if e[2] in ("absent", "open")]
    assert len(opens) < 12, f"opened {len(opens)} times"


def test_b3_wedged_card_stop_sigterm_and_the_other_output(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "ket", wedge_at=40000), card(rig, "tot")], speech=speech)
    rig.announce("trung-tam", "dem", " ".join(COUNT * 2))
    rig.wait(lambda: any(e[2] == "wedge" for e in rig.alsa.events("ket")), "the card to stand still")
    node.wait_receipt("dem", "finished", "tot")
    same(analysis.said(rig.alsa.heard("tot")), COUNT * 2)
    # the wedge is noticed, the card opened anew, and the sentence said again
    node.wait_receipt("dem", "finished", "ket", timeout=30)
    same(analysis.said(rig.alsa.heard("ket"))[-20:], COUNT * 2)
    node.stop()


def test_b3_sigterm_while_a_card_is_wedged(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "ket", wedge_at=20000)], speech=speech)
    rig.announce("trung-tam", "dem", " ".join(COUNT))
    rig.wait(lambda: any(e[2] == "wedge" for e in rig.alsa.events("ket")), "the card to stand still")
    node.stop()


def test_b3_stop_while_a_card_is_wedged(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "ket", wedge_at=20000)], speech=speech)
    rig.announce("trung-tam", "dem", " ".join(COUNT))
    rig.wait(lambda: any(e[2] == "wedge" for e in rig.alsa.events("ket")), "the card to stand still")
    rig.control("trung-tam", "stop")
    same(node.wait_receipt("dem", "cancelled", "ket", timeout=8)["reason"], "stopped")
    rig.announce("trung-tam", "sau", "một hai")
    node.wait_receipt("sau", "finished", "ket")
    same(analysis.said(rig.alsa.heard("ket"))[-2:], ["một", "hai"])


def test_b7_unplugged_card_does_not_disturb_the_other(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "usb", gone_at=30000), card(rig, "tot")], speech=speech)
    rig.announce("trung-tam", "dem", " ".join(COUNT))
    node.wait_state("usb", "lost")
    node.wait_receipt("dem", "finished", "tot")
    words = analysis.tone_words(rig.alsa.heard("tot"))
    same([w for w, _, _ in words], COUNT)
    for (_, _, end), (_, start, _) in zip(words, words[1:]):
        near(start - end, analysis.TONE_GAP_SECONDS, 0.01, "pause between words")


def test_two_cards_begin_together(rig):
    """Two devices with clocks of their own: the first frames leave within 10 ms."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "a"), card(rig, "b", buffer_frames=9600)], speech=speech)
    start = time.monotonic() + 2.0
    rig.announce("trung-tam", "cung", "một năm hai chín ba", start=rig.in_future(2.0))
    node.wait_finished("cung")
    first = [rig.alsa.mono_of_frame(name, analysis.segments(rig.alsa.heard(name))[0][0]
                                    * analysis.RATE) for name in ("a", "b")]
    near(first[0], start, 0.030 * rig.scale, "the first frame")
    between(abs(first[0] - first[1]) * 1000, 0, 10 * rig.scale, "apart (ms)")
    started = mono_of(node.receipts("cung", "started", "a")[0]["at"])
    near(first[0], started, 0.030 * rig.scale, "the receipt's time")
