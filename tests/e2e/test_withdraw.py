# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking an announcement back: queued or playing, lasting or by an empty message; and `stop`."""

import numpy as np

from case import between, ends_once, options, same
from rig import analysis
from rig.node import mono_of

LONG = "một hai ba bốn năm sáu bảy tám chín mười. " * 12
SILENT_WITHIN = 0.200


def playing(rig, id="dai", **fields):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    rig.announce("trung-tam", id, LONG, **fields)
    node.wait_receipt(id, "started", "loa0")
    rig.recording.wait_sound(0)
    return node


def silent_after(rig, node, published, id, reason):
    """That the loudspeaker is silent soon after `published` and stays so."""
    cancelled = node.wait_receipt(id, "cancelled", "loa0")
    same(cancelled["reason"], reason)
    rig.recording.wait_recorded(published + 1.2)
    loud = np.flatnonzero(np.abs(rig.recording.sound(0)) > 10 ** (-60 / 20))
    last = rig.recording.mono_of(loud[-1] / analysis.RATE)
    between(last - published, -0.5, SILENT_WITHIN * rig.scale, "silence after publishing (s)")
    between(mono_of(cancelled["at"]) - published, -0.05, 0.4 * rig.scale, "the receipt's time")
    assert cancelled["seconds_played"] < cancelled["seconds_asked"] or not cancelled["seconds_asked"]
    node.wait_state("loa0", "idle")
    ends_once(node, id, "loa0")


def test_lasting_withdrawal_of_the_playing_one(rig):
    node = playing(rig)
    silent_after(rig, node, rig.withdraw("trung-tam", "dai"), "dai", "withdrawn")


def test_empty_message_withdraws_the_playing_one(rig):
    node = playing(rig)
    published = rig.client.publish(rig.zone("trung-tam", "announce/dai"), b"", retain=True)
    silent_after(rig, node, published, "dai", "withdrawn")


def test_stop_silences_and_clears(rig):
    node = playing(rig)
    rig.announce("trung-tam", "cho", "một")
    rig.announce("trung-tam", "hen", "chín mười", start=rig.in_future(4))
    node.wait_receipt("hen", "accepted")
    silent_after(rig, node, rig.control("trung-tam", "stop"), "dai", "stopped")
    same(node.wait_receipt("cho", "cancelled", "loa0")["reason"], "stopped")
    node.wait_receipt("hen", "finished", "loa0")  # what is scheduled later stays


def test_stop_in_another_zone_changes_nothing(rig):
    node = rig.node("ubnd", [rig.paced(0), rig.paced(1, zones=("phia-bac",))])
    rig.announce("trung-tam", "a", "Kính thưa bà con, đây là loa trung tâm.")
    node.wait_receipt("a", "started", "loa0")
    rig.control("phia-bac", "stop")
    node.wait_receipt("a", "finished", "loa0")


def test_withdrawal_of_queued_ones(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    for id in ("lau-dai", "trong"):
        rig.announce("trung-tam", id, "một", start=rig.in_future(3))
        node.wait_receipt(id, "accepted")
    rig.withdraw("trung-tam", "lau-dai")
    rig.client.publish(rig.zone("trung-tam", "announce/trong"), b"", retain=True)
    for id in ("lau-dai", "trong"):
        same(node.wait_receipt(id, "cancelled", "loa")["reason"], "withdrawn")
    node.wait_queue("loa", lambda q: q["length"] == 0)
    rig.announce("trung-tam", "sau", "hai", start=rig.in_future(3.2))
    node.wait_finished("sau")
    node.stop()
    same(analysis.said(rig.alsa.sound_of("loa")), ["hai"])


def test_withdrawal_in_one_zone_of_two(rig):
    """One message to each zone: taking it back from one leaves the other's loudspeakers."""
    outputs = [{"name": n, "device": rig.alsa.unpaced(n), "zones": [n]} for n in ("bac", "nam")]
    node = rig.node("ubnd", outputs)
    for zone in ("bac", "nam"):
        rig.announce(zone, "hai-khu", "Kính thưa bà con", start=rig.in_future(2.5))
    for _ in range(2):
        node.wait_receipt("hai-khu", "accepted")
    rig.withdraw("bac", "hai-khu")
    same(node.wait_receipt("hai-khu", "cancelled", "bac")["reason"], "withdrawn")
    node.wait_receipt("hai-khu", "finished", "nam")
    same(node.receipts("hai-khu", "started", "bac"), [])


def test_e7_withdrawn_while_the_node_was_off(rig):
    node = rig.node()
    rig.announce("trung-tam", "rut", "một", start=rig.in_future(4))
    node.wait_receipt("rut", "accepted")
    node.stop()
    rig.withdraw("trung-tam", "rut")
    node.start()
    same(node.wait_receipt("rut", "cancelled", "loa")["reason"], "withdrawn")
    rig.announce("trung-tam", "sau", "hai", start=rig.in_future(4))
    node.wait_finished("sau")
    same(node.receipts("rut", "started"), [])


def test_a_missing_message_says_nothing(rig):
    """The broker lost its data: what was accepted is said all the same."""
    node = rig.node()
    rig.announce("trung-tam", "mat", "Kính thưa bà con", start=rig.in_future(4))
    node.wait_receipt("mat", "accepted")
    node.stop()
    rig.client.publish(rig.zone("trung-tam", "announce/mat"), b"", retain=True)
    node.start()
    node.wait_finished("mat")


@options(timeout=90)
def test_withdrawal_of_a_ten_minute_text_in_real_speech(rig):
    node = rig.node("ubnd", [rig.paced(0)])
    text = "Kính thưa bà con, hôm nay trời nắng đẹp, mời bà con ra đồng thu hoạch lúa. " * 120
    rig.announce("trung-tam", "dai", text)
    node.wait_receipt("dai", "started", "loa0")
    heard = rig.recording.wait_sound(0)
    rig.recording.wait_recorded(heard + 3)
    silent_after(rig, node, rig.withdraw("trung-tam", "dai"), "dai", "withdrawn")


def test_withdrawal_that_comes_before_the_announcement(rig):
    """Messages of two zones have no order: a lasting withdrawal is remembered."""
    node = rig.node()
    rig.withdraw("trung-tam", "som", revision=3)
    rig.announce("trung-tam", "som", "một", revision=3)
    rig.announce("trung-tam", "sau", "Kính thưa bà con")
    node.wait_finished("sau")
    same(node.receipts("som", "started"), [])
    rig.announce("trung-tam", "som", "Kính thưa bà con", revision=4)  # meant anew
    same(node.wait_receipt("som", "finished", "loa")["revision"], 4)
