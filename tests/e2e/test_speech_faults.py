# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS A: what hurts a speech engine hurts one sentence, never the daemon."""

import os
import re
import signal

from case import ends_once, options, same
from rig import analysis

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
