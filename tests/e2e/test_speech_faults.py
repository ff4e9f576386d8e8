# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS A: what hurts a speech engine hurts one sentence, never the daemon."""

import glob
import os
import re
import signal

import numpy as np

from case import ends_once, near, options, same
from heard import card, ends_in
from rig import analysis
from rig.broker import free_port

ESPEAK = {"name": "espeak-ng", "command": ("loalang-synth",), "voice": "vi"}
ABORTS = "s'" * 220  # makes espeak-ng 1.51 abort, if it ever saw it
BOMB = "bom bom bom"


def fragile(rig):
    """The real worker, but that it aborts when it is asked to say BOMB."""
    return {**ESPEAK, "command": (f"{rig.source}/tests/engines/fragile", BOMB,
                                  f"{rig.build}/bin/loalang-synth")}


def still_the_same(node, pid):
    assert node.process.running() and node.pid == pid, "the daemon died"


def test_a1_text_that_would_abort_espeak_is_words_to_it(rig):
    node = rig.node()
    pid = node.pid
    rig.announce("trung-tam", "doc-hai", "Mời bà con " + ABORTS + " vào")
    node.wait_finished("doc-hai", timeout=60)
    still_the_same(node, pid)
    assert "espeak-ng" not in node.log(), "the worker died"


def test_a1_text_that_aborts_the_engine_fails_alone(rig):
    node = rig.node(speech=rig.speech(fragile(rig)))
    pid = node.pid
    rig.announce("trung-tam", "truoc", "Kính thưa bà con")
    rig.announce("trung-tam", "doc-hai", BOMB)
    rig.announce("trung-tam", "sau", "Kính thưa bà con")
    failed = node.wait_receipt("doc-hai", "failed", "loa")
    same(failed["reason"], "engine")
    assert failed["detail"], "says why"
    node.wait_finished("sau")
    ends_once(node, "doc-hai", "loa")
    same(node.receipts("truoc", "finished", "loa")[0]["spoken_sha256"],
         node.receipts("sau", "finished", "loa")[0]["spoken_sha256"])
    still_the_same(node, pid)
    node.wait_status(lambda s: any("espeak-ng" in f["what"] + f["detail"] for f in s["faults"])
                     or "espeak-ng" in node.log())


def test_a1_next_engine_says_the_sentence(rig):
    engine, speech = rig.tone_engine()
    speech["engines"].insert(0, fragile(rig))
    node = rig.node(speech=speech)
    rig.announce("trung-tam", "doc-hai", BOMB + " một hai.")
    node.wait_finished("doc-hai")
    assert engine.asked, "the second engine was not asked"
    node.stop()
    assert analysis.said(rig.alsa.sound_of("loa"))[-2:] == ["một", "hai"]


@options(timeout=120)
def test_a2_engine_that_never_answers_is_killed_and_passed_over(rig):
    engine, speech = rig.tone_engine()
    speech["engines"].insert(0, {"name": "treo", "command": ("/bin/sleep", "1000"), "voice": "vi"})
    node = rig.node(speech=speech)
    pid = node.pid
    rig.announce("trung-tam", "treo", "một hai")
    node.wait_finished("treo", timeout=60)
    still_the_same(node, pid)
    node.stop()  # also: no worker left
    same(analysis.said(rig.alsa.sound_of("loa")), ["một", "hai"])


@options(timeout=120)
def test_a2_server_that_hangs_in_the_middle_fails_the_announcement(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    engine.hang = True
    rig.announce("trung-tam", "treo", "một hai")
    failed = node.wait_receipt("treo", "failed", "loa", timeout=60)
    same(failed["reason"], "engine")
    engine.hang = False
    rig.announce("trung-tam", "sau", "ba bốn")
    node.wait_finished("sau")
    node.stop()
    same(analysis.said(rig.alsa.sound_of("loa")), ["ba", "bốn"])


def test_a2_withdrawal_while_the_engine_hangs(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    engine.hang = True
    rig.announce("trung-tam", "treo", "một hai")
    node.wait_receipt("treo", "accepted")
    rig.client.wait_until(lambda: engine.asked, "the engine to be asked")
    published = rig.withdraw("trung-tam", "treo")
    cancelled = node.wait_receipt("treo", "cancelled", "loa")
    same(cancelled["reason"], "withdrawn")
    took = rig.client.wait_for(node.topic("receipt"),
                               lambda m: m.json()["event"] == "cancelled").mono - published
    assert took < 1.0 * rig.scale, f"{took:.2f} s"


def test_a3_engine_that_lies_is_a_dead_engine(rig):
    liar, _ = rig.tone_engine()
    engine, _ = rig.tone_engine()
    node = rig.node(speech=rig.speech({"name": "doi", "address": liar.address},
                                      {"name": "tot", "address": engine.address}))
    pid = node.pid
    for lie in liar.LIES:
        liar.lie = lie
        liar.asked.clear()
        rig.announce("trung-tam", lie, "một hai")
        node.wait_receipt(lie, "finished", "loa", timeout=40)
        # A flood was heard, and would be heard again.
        same(len(liar.asked), 1 if lie == "flood" else 2, f"{lie}: tried once more")
    same(len(engine.asked), len(liar.LIES), "said by the second engine")
    still_the_same(node, pid)


MARKUP = {
    "ngoac": "Mời bà con [[h@l'oU]] nghe",
    "the": 'Mời <audio src="/etc/passwd"> bà con <break time="5s"/> nghe',
    "thuc-the": "Mời bà con &lt;break/&gt; &#91;&#91;a nghe",
    "tuy-chon": "-f/etc/passwd",
    "so-am": "-5",
    "lenh": "Mời <voice name=\"en\">bà con</voice> nghe",
}


def test_a5_markup_and_options_never_reach_an_engine(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    for id, text in MARKUP.items():
        rig.announce("trung-tam", id, text)
        node.wait_finished(id)
    for text in engine.asked:
        assert not re.search(r"\[\[|]]|[<>\x01]|&#?\w+;|^-", text), f"an engine was sent {text!r}"


def test_a5_real_engine_says_markup_as_text(rig):
    node = rig.node()
    for id, text in MARKUP.items():
        rig.announce("trung-tam", id, text)
        finished, = node.wait_finished(id)
        assert finished["seconds_played"] < 20, f"{id} took {finished['seconds_played']} s"


def test_worker_that_dies_while_idle_is_replaced(rig):
    node = rig.node()
    rig.announce("trung-tam", "mot", "Kính thưa bà con")
    node.wait_finished("mot")
    for worker in node.workers():
        os.kill(worker, signal.SIGKILL)
    rig.announce("trung-tam", "hai", "Kính thưa bà con")
    node.wait_finished("hai")
    same(node.receipts("hai", "failed"), [])


# --- what is too long to be said ---------------------------------------------------------------

def test_a6_an_hour_long_is_refused(rig):
    """By its predicted length, as it would be spoken: figures are short only on paper, and what is
    repeated counts each time. Nothing of it is said; what just fits is taken."""
    node = rig.node(speech=rig.tone_engine()[1])
    hour = {"so": "999.999 đồng; " * 1400, "lap": {"text": "Mời bà con đi họp. " * 200,
                                                   "repeat": {"times": 10}}}
    rig.announce("trung-tam", "so", hour["so"])
    rig.announce("trung-tam", "lap", **hour["lap"])
    for id in hour:
        rejected = node.wait_receipt(id, "rejected")
        same((rejected["reason"], rejected["output"]), ("too-long", None))
        assert "phút" in rejected["detail"], rejected
        minutes = int(re.search(r"(\d+) phút", rejected["detail"]).group(1))
        assert minutes >= 45, rejected
    rig.announce("trung-tam", "vua", start=rig.in_future(3600), expires=rig.in_future(7200),
                 **{**hour["lap"], "repeat": {"times": 5}})
    node.wait_receipt("vua", "accepted")
    for id in hour:
        same(node.events(id), ["rejected"])


# --- nothing that could say it -----------------------------------------------------------------

CHIMES = {"open": "thong-bao", "close": "het", "bed": "none"}
URGENT_CHIMES = {"open": "khan-cap", "close": "none", "bed": "none"}


def shipped(rig, name):
    """A sound that comes with the product, at the device's rate."""
    frames, rate = analysis.read_sound_file(f"{rig.source}/conf/chimes/{name}.flac")
    sound = frames.mean(axis=1)
    count = len(sound) * analysis.RATE // rate
    return np.fft.irfft(np.fft.rfft(sound), count) * count / len(sound)


def speechless(rig, *engines, **more):
    return rig.node("ubnd", [card(rig, "loa", unpaced=1, sound="flat")], speech=rig.speech(*engines),
                    chimes={"normal": CHIMES, "priority": CHIMES, "emergency": URGENT_CHIMES}, **more)


def chime_and_recording(rig, begin, opening):
    """That since frame `begin` the loudspeaker said the chime, then the whole recording; returns
    what came after it, and the frame at which it was over."""
    recording = shipped(rig, "system/khong-doc-duoc")
    sound = rig.alsa.heard("loa")[begin:]
    chime_at, likeness = analysis.find(shipped(rig, opening)[:int(0.6 * analysis.RATE)], sound)
    assert likeness > 0.97, f"no chime: likeness {likeness:.2f}"
    at, likeness = analysis.find(recording, sound)
    assert likeness > 0.97, f"the recording was not heard: likeness {likeness:.2f}"
    near((at - chime_at) / analysis.RATE, len(shipped(rig, opening)) / analysis.RATE + 0.3, 2.5,
         "the recording begins after the chime")
    after = sound[at + len(recording):]
    _, likeness = analysis.find(recording[:analysis.RATE], after)
    assert likeness < 0.5, f"it was heard twice: likeness {likeness:.2f}"
    return after


def cannot_be_said(rig, node):
    """`priority` and `emergency` are told of by the recording, once and not each time it would have
    been repeated; of a `normal` one nothing is heard but perhaps its opening chime."""
    for id, priority, opening in (("thuong", "normal", None), ("uu-tien", "priority", "thong-bao"),
                                  ("khan", "emergency", "khan-cap")):
        begin = len(rig.alsa.heard("loa"))
        rig.announce("trung-tam", id, "Kính thưa bà con. Mời bà con đi họp.", priority=priority)
        failed = ends_in(node, id, "loa", "failed", "engine", timeout=30)
        assert failed["detail"], "says why"
        if not opening:
            sound = rig.alsa.heard("loa")[begin:]
            seconds = sum(b - a for a, b in analysis.segments(sound))
            assert seconds < len(shipped(rig, "thong-bao")) / analysis.RATE + 0.1, f"{seconds:.1f} s"
            continue
        after = chime_and_recording(rig, begin, opening)
        there = [analysis.find(shipped(rig, name)[:int(0.6 * analysis.RATE)], after)[1] > 0.97
                 for name in ("het", "khan-cap")]
        same(there, [priority == "priority", False], f"what closes {id}")
    status = node.wait_status(lambda s: any(f["what"] == "engine" for f in s["faults"]))
    same(status["state"], "degraded")


@options(timeout=90)
def test_a7_every_engine_dead_a_recording_says_so(rig):
    """A worker that ends at once, and a server that nobody has started; until somebody does."""
    refuses = free_port()
    node = speechless(rig, {"name": "chet", "command": ("/bin/false",), "voice": "vi"},
                      {"name": "vang", "address": f"tcp://127.0.0.1:{refuses}"})
    pid = node.pid
    cannot_be_said(rig, node)
    engine, _ = rig.tone_engine(port=refuses)
    rig.announce("trung-tam", "lai", "một hai")
    ends_in(node, "lai", "loa", "finished")
    assert engine.asked, "the server was asked again"
    still_the_same(node, pid)


@options(timeout=90)
def test_a7_no_voice_data(rig):
    """The real worker in a place where espeak-ng's data is not installed; until it is."""
    data = f"{rig.folder}/espeak"
    os.mkdir(data)
    node = speechless(rig, ESPEAK, environment={"ESPEAK_DATA_PATH": data})
    pid = node.pid
    cannot_be_said(rig, node)
    assert "không tìm thấy dữ liệu của espeak-ng" in node.log(), "what is missing is named"
    installed, = glob.glob("/usr/lib/*/espeak-ng-data") or glob.glob("/usr/share/espeak-ng-data")
    os.symlink(installed, f"{data}/espeak-ng-data")
    rig.announce("trung-tam", "lai", "Kính thưa bà con")
    ends_in(node, "lai", "loa", "finished")
    node.wait_status(lambda s: not s["faults"])
    still_the_same(node, pid)
