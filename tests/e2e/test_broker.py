# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker fails, the village goes on; and what is on disk survives a kill."""

from case import ends_once, options, same
from rig import analysis
from rig.broker import Broker
from rig.node import instant, mono_of


def test_e1_broker_down_at_start(rig):
    rig.broker = Broker(f"{rig.folder}/broker", start=False)
    node = rig.node(wait=False)
    rig.wait_log(node, "mqtt", "broker", "connect")
    rig.broker.start()
    rig.observe()
    node.wait_online()
    rig.announce("trung-tam", "mot", "Kính thưa bà con")
    node.wait_finished("mot")


def test_e1_broker_restarted_while_it_plays(rig):
    """Receipts made while offline come afterwards, in order; the retained state is right."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    rig.announce("trung-tam", "dai", "một hai ba bốn năm sáu bảy tám chín mười")
    rig.announce("trung-tam", "sau", "mười")
    node.wait_receipt("sau", "accepted")
    node.wait_receipt("dai", "started", "loa0")
    rig.broker.stop()
    rig.wait(lambda: len(analysis.said(rig.recording.sound(0))) == 11,
             "both to be heard without a broker")
    mark = rig.client.mark()
    rig.broker.start()
    finished = node.wait_receipt("sau", "finished", "loa0", timeout=30)
    node.wait_receipt("dai", "finished", "loa0")
    order = [(r["id"], r["event"]) for r in node.receipts(since=mark)]
    same(order, [("dai", "finished"), ("sau", "started"), ("sau", "finished")])
    times = [instant(r["at"]) for r in node.receipts()]
    same(times, sorted(times), "times of the receipts")
    assert mono_of(finished["at"]) < rig.client.select(node.topic("receipt"), since=mark)[0].mono
    state = node.wait_state("loa0", "idle")
    same((state["id"], state["queue_length"]), (None, 0))
    node.wait_status(lambda s: s["state"] == "online")


def test_status_is_a_last_will(rig):
    node = rig.node()
    node.kill()
    status = node.wait_status(lambda s: s["state"] == "offline")
    same(status["state"], "offline")
    same(rig.client.last(node.topic("status")).retain, False)
    late = rig.another_client("late")
    late.subscribe(node.topic("status"))
    same(late.wait_for(node.topic("status")).json()["state"], "offline")


def test_orderly_stop_says_so(rig):
    node = rig.node()
    mark = rig.client.mark()
    node.stop()
    rig.client.wait_until(lambda: [m for m in rig.client.select(node.topic("status"), since=mark)
                                   if m.json()["state"] == "offline"], "offline")
    states = [m.json()["state"] for m in rig.client.select(node.topic("status"), since=mark)]
    same((states[0], states[-1]), ("stopping", "offline"))


def test_status_tells_what_there_is(rig):
    outputs = [{"name": "san", "device": rig.alsa.unpaced("san"), "zones": ["trung-tam", "bac"],
                "gain_db": -4.5}]
    node = rig.node("ubnd", outputs)
    late = rig.another_client("late")
    late.subscribe(node.topic("status"))
    message = late.wait_for(node.topic("status"))
    assert message.retain
    status = message.json()
    same((status["node"], status["state"]), ("ubnd", "online"))
    same(status["faults"], [])
    same(status["clock"]["trusted"], True)
    output, = status["outputs"]
    same((output["name"], output["zones"], output["state"]), ("san", ["trung-tam", "bac"], "idle"))
    same((output["device"], output["gain_db"], output["rate_hz"]), ("san", -4.5, 48000))
    assert status["version"] and status["uptime"] >= 0


def test_c1_kill_9_queued_and_playing_are_said_finished_is_not(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [{"name": "loa", "device": rig.alsa.loatest("the"),
                              "zones": ["trung-tam"]}], speech=speech)
    rig.announce("trung-tam", "xong", "một")
    node.wait_receipt("xong", "finished", "loa")
    rig.announce("trung-tam", "dang-noi", "hai " * 15 + "ba.")
    rig.announce("trung-tam", "cho", "bốn")
    rig.client.publish(rig.zone("trung-tam"), {"id": "khong-giu", "text": "năm"})
    for id in ("dang-noi", "cho", "khong-giu"):
        node.wait_receipt(id, "accepted")
    node.wait_receipt("dang-noi", "started", "loa")
    node.kill()
    mark = rig.client.mark()
    node.start()
    for id in ("dang-noi", "cho", "khong-giu"):
        node.wait_receipt(id, "finished", "loa", since=mark)
        ends_once(node, id, "loa")
    said = analysis.said(rig.alsa.heard("the"))
    same([said.count(w) for w in ("một", "ba", "bốn", "năm")], [1, 1, 1, 1])
    same(len(node.receipts("xong", "finished")), 1)


@options(timeout=120)
def test_c1_kill_9_right_after_accepted_many_times(rig):
    """What was accepted is said, whatever the instant of the kill, and once finished never again."""
    node = rig.node()
    for i in range(6):
        id = f"giet-{i}"
        rig.announce("trung-tam", id, "Hết", start=rig.in_future(0.05 * i))
        node.wait_receipt(id, "accepted")
        node.kill()
        node.start()
        node.wait_receipt(id, "finished", "loa")  # on air at two kills it would be given up
    for i in range(6):
        ends_once(node, f"giet-{i}", "loa")


def test_receipts_of_an_offline_node_survive_its_restart(rig):
    node = rig.node("ubnd", [{"name": "loa", "device": rig.alsa.unpaced("loa"),
                              "zones": ["trung-tam"]}])
    rig.announce("trung-tam", "mot", "Kính thưa bà con", start=rig.in_future(2))
    node.wait_receipt("mot", "accepted")
    rig.broker.stop()
    rig.wait(lambda: len(rig.alsa.sound_of("loa")) > 24000, "the sound")
    rig.wait_log(node, "finished")
    node.stop()
    rig.broker.start()
    node.start()
    node.wait_receipt("mot", "finished", "loa")
    ends_once(node, "mot", "loa")
    same(len(analysis.segments(rig.alsa.sound_of("loa"), join=1)), 1)
