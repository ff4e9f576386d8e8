# SPDX-License-Identifier: GPL-3.0-or-later
"""Recurring broadcasts: FAULTS D1 to D4, C6, E1, E7, and what a schedule is besides."""

import datetime
import os
import signal
import sqlite3
import time

from case import between, near, options, same
from heard import (HANOI, LONG, SHORT, barrier, card, ends_in, finals, said, text, wait_said, wall,
                   words)
from rig.asker import Asker
from rig.node import instant

MINUTE, HOUR, DAY = 60, 3600, 86400


def clocked(rig, outputs=None, name="ubnd", **changes):
    """A node whose clock can be set, with the engine that says words as tones."""
    if not rig.engines:
        rig.tone_engine()
    engine = rig.engines[0]
    return rig.node(name, outputs or [card(rig, "loa")], clock=True,
                    speech=rig.speech({"name": "tones", "address": engine.address}),
                    timezone="Asia/Ho_Chi_Minh", **changes)


def put(rig, id, cron, words=SHORT, zone="trung-tam", revision=1, announcement=None, **fields):
    says = {"text": words} if announcement is None else {}
    message = {"id": id, "revision": revision, "cron": cron,
               "announcement": {**says, **(announcement or {})}, **fields}
    return rig.client.publish(rig.zone(zone, f"schedule/{id}"), message, retain=True)


def occurrence(id, seconds):
    """The id of the occurrence at that instant."""
    utc = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{id}@{utc:%Y%m%dT%H%MZ}"


def told(node, schedule, output="loa"):
    """{occurrence: [final event, reason]} of that schedule."""
    return {r["id"]: (r["event"], r["reason"]) for r in node.receipts(None, None, output)
            if r["schedule"] == schedule and r["event"] in
            ("finished", "cancelled", "expired", "failed", "superseded")}


# --- said --------------------------------------------------------------------------------------

def test_an_occurrence_begins_with_its_minute(rig):
    """Its id is the schedule's with the UTC minute, its receipts name the schedule, its first sound
    leaves at the minute."""
    node = clocked(rig)
    start = wall(node, "05:29:57") + 3
    put(rig, "sang", "30 5 * * *")
    node.wait_receipt("sang", "accepted")
    id = occurrence("sang", start)
    finished = ends_in(node, id, "loa", "finished")
    same(finished["schedule"], "sang")
    started = node.receipts(id, "started", "loa")[0]
    near(instant(started["at"]), start, 0.1 * rig.scale, "its start")
    same(node.events(id, "loa"), ["accepted", "started", "finished"])
    same(said(rig, "loa"), SHORT.split())


def test_lunar_days(rig):
    """The first day of the lunar year 2027 (6 February) is one, the day before is none."""
    node = clocked(rig)
    put(rig, "mung-mot", "30 5 1 * *", calendar="lunar")
    node.wait_receipt("mung-mot", "accepted")
    for day, word in ((5, False), (6, True)):
        start = datetime.datetime(2027, 2, day, 5, 30, tzinfo=HANOI).timestamp()
        node.set_clock(start - 2 - time.time())
        rig.settle()
        if word:
            ends_in(node, occurrence("mung-mot", start), "loa", "finished")
    same(said(rig, "loa"), SHORT.split())


def test_a_broadcast_of_parts(rig):
    """Text, a pause, another text: one announcement, in order, with the pause between."""
    node = clocked(rig)
    start = wall(node, "05:29:57") + 3
    put(rig, "sang", "30 5 * * *", announcement={"parts": [
        {"text": "một"}, {"pause": "2s"}, {"text": "hai"}]})
    finished = ends_in(node, occurrence("sang", start), "loa", "finished")
    same(said(rig, "loa"), ["một", "hai"])
    between(finished["seconds_played"], 2.3, 5, "with the pause")


def test_d4_two_in_one_minute_in_order(rig):
    """Both are said, in the order of their ids, on every node the same."""
    node = clocked(rig)
    start = wall(node, "05:29:54") + 6
    put(rig, "b-hai", "30 5 * * *", "hai")
    put(rig, "a-mot", "30 5 * * *", "một")
    for id in ("a-mot", "b-hai"):
        ends_in(node, occurrence(id, start), "loa", "finished")
    same(said(rig, "loa"), ["một", "hai"])


def test_in_several_zones_it_is_said_once(rig):
    node = clocked(rig, [card(rig, "loa"), card(rig, "xa", "na-san")])
    start = wall(node, "05:29:57") + 3
    for zone in ("trung-tam", "na-san", "all"):
        put(rig, "sang", "30 5 * * *", "một", zone)
    id = occurrence("sang", start)
    for output in ("loa", "xa"):
        ends_in(node, id, output, "finished")
        same(said(rig, output), ["một"])
    same(len(node.receipts(id, "accepted")), 1)


def test_what_is_wrong_with_one_is_said(rig):
    node = clocked(rig)
    for id, fields, reason, word in (
            ("trong", {"cron": "0 0 31 6 *"}, "bad-value", "cron"),
            ("khoa", {"cron": "0 5 * * *", "lich": 1}, "unknown-key", "lich"),
            ("rong", {"cron": "0 5 * * *", "announcement": {"text": ""}}, "empty", "announcement")):
        message = {"announcement": {"text": "a"}, **fields}
        rig.client.publish(rig.zone("trung-tam", f"schedule/{id}"), message, retain=True)
        rejected = node.wait_receipt(id, "rejected")
        same(rejected["reason"], reason)
        assert word in rejected["detail"], rejected
    rig.client.publish(rig.zone("trung-tam", "schedule/lon"), "x" * 70000, retain=True)
    same(node.wait_receipt("lon", "rejected")["reason"], "too-large")


# --- not said ----------------------------------------------------------------------------------

def test_d2_quiet_hours_veto_schedules(rig):
    """In quiet hours nothing: what cannot wait expires with that reason, what can is said after."""
    node = clocked(rig, [card(rig, "loa", quiet_hours=["21:00-05:00"])])
    put(rig, "dem", "15 3 * * *", "một", announcement={"text": "một", "expires_after": "30m"})
    put(rig, "som", "55 4 * * *", announcement={"text": "hai", "expires_after": "30m"})
    node.wait_receipt("som", "accepted")
    start = wall(node, "03:14:58") + 2
    ends_in(node, occurrence("dem", start), "loa", "expired", "quiet-hours")
    start = wall(node, "04:54:58") + 2
    node.wait_queue("loa", lambda q: [i["waits"] for i in q["items"]] == ["quiet-hours"])
    rig.wait(lambda: node.clock.now() > start + 1, "its start to pass")
    wall(node, "04:59:58")
    finished = ends_in(node, occurrence("som", start), "loa", "finished")
    same(said(rig, "loa"), ["hai"])
    between(instant(finished["at"]) - start, 5 * MINUTE, 5 * MINUTE + 10, "its end")


def test_d3_missed_while_off(rig):
    """Off from 05:00 to 05:45:30: what was missed by more than `late` is not said, each with a receipt;
    the one a moment ago is."""
    node = clocked(rig)
    wall(node, "05:00:00")
    put(rig, "gio", "*/15 5 * * *", "một")
    put(rig, "lau", "20 5 * * *", "hai", late="1h")
    put(rig, "khong", "45 5 * * *", "ba", late="0s")
    for id in ("gio", "lau", "khong"):
        node.wait_receipt(id, "accepted")
    day = wall(node, "05:01:00") - 61 * 60 - 5 * HOUR + HOUR
    node.stop()
    wall(node, "05:45:30")
    node.start()
    at = lambda hour, minute: day + hour * HOUR + minute * MINUTE
    for id, minute in (("gio", 15), ("gio", 30), ("khong", 45)):
        ends_in(node, occurrence(id, at(5, minute)), "loa", "expired", "late")
    ends_in(node, occurrence("lau", at(5, 20)), "loa", "finished")
    ends_in(node, occurrence("gio", at(5, 45)), "loa", "finished")
    node.restart()
    barrier(rig, node)
    same(said(rig, "loa"), ["hai", "một", "tám"])
    same(len(told(node, "gio")), 3)
    same(node.receipts(occurrence("gio", at(5, 0)), None), [])  # before it came


def test_d3_queued_and_then_the_power_fails(rig):
    """It was prepared and then the power failed, for longer than `late`."""
    node = clocked(rig)
    start = wall(node, "05:29:50") + 10
    put(rig, "sang", "30 5 * * *")
    id = occurrence("sang", start)
    node.wait_receipt(id, "accepted")
    node.process.kill()
    wall(node, "05:33:00")
    node.start()
    ends_in(node, id, "loa", "expired", "late")
    barrier(rig, node)
    same(said(rig, "loa"), ["tám"])


def test_d4_a_machine_that_slept(rig):
    """Suspended over two occurrences: the last one, a minute ago, is said, the other is late."""
    node = clocked(rig)
    wall(node, "05:20:00")
    put(rig, "phut", "30,39 5 * * *")
    node.wait_receipt("phut", "accepted")
    os.kill(node.pid, signal.SIGSTOP)
    now = wall(node, "05:40:00")
    os.kill(node.pid, signal.SIGCONT)
    ends_in(node, occurrence("phut", now - 10 * MINUTE), "loa", "expired", "late")
    ends_in(node, occurrence("phut", now - MINUTE), "loa", "finished")
    same(said(rig, "loa"), SHORT.split())


def test_d1_the_clock_jumps_and_comes_back(rig):
    """Three days ahead: no mass of broadcasts, a receipt for each; two hours back: none twice; put
    right: the next one comes at its time."""
    node = clocked(rig)
    wall(node, "04:00:00")
    put(rig, "gio", "0 * * * *", "một")
    node.wait_receipt("gio", "accepted")
    five = wall(node, "04:59:58") + 2
    ends_in(node, occurrence("gio", five), "loa", "finished")
    wall(node, "05:30:00", days=3)
    ends_in(node, occurrence("gio", five + 3 * DAY), "loa", "expired", "late")
    rig.settle()
    late = [id for id, end in told(node, "gio").items() if end == ("expired", "late")]
    same(len(late), 72)
    mark = rig.client.mark()
    wall(node, "03:30:00")  # two hours behind
    rig.settle()
    wall(node, "04:59:58")  # five o'clock again
    rig.settle()
    six = wall(node, "05:59:58") + 2
    node.wait_receipt(occurrence("gio", six), "finished", "loa", since=mark)
    barrier(rig, node)
    same(said(rig, "loa"), ["một", "một", "tám"])
    same(len(finals(node, occurrence("gio", five), "loa")), 1)


def test_d1_what_was_judged_in_2038_is_forgotten(rig):
    """The mark of a wrong clock is written over by the right one at once, though nothing is due: or a
    second restart would begin with it again, and nobody would hear of what came up between."""
    def mark(node):
        node.process.kill()
        store = sqlite3.connect(f"{node.folder}/state/loalang.db")
        value, = store.execute("SELECT value FROM setting WHERE key = 'schedules-mark'").fetchone()
        store.close()
        return int(value) / 1e6

    node = clocked(rig)
    put(rig, "sang", "30 5 * * *")
    node.wait_receipt("sang", "accepted")
    node.set_clock(12 * 366 * DAY)
    put(rig, "trua", "30 11 * * *")
    node.wait_receipt("trua", "accepted")
    rig.settle()
    between(mark(node), time.time() + 11 * 365 * DAY, time.time() + 13 * 366 * DAY, "the mark")
    node.set_clock(0)
    node.start()
    node.set_clock(1)  # somebody says that this is right
    node.wait_status(lambda s: not any(f["what"] == "clock" for f in s["faults"]))
    rig.settle()
    between(mark(node), time.time() - HOUR, time.time() + HOUR, "the mark")
    node.start()


def test_d1_year_1970_at_boot(rig):
    """Nobody knows the time: nothing is said; when it is known, what was missed is told."""
    node = clocked(rig)
    wall(node, "04:30:00")
    put(rig, "gio", "0 5,6 * * *", "một")
    node.wait_receipt("gio", "accepted")
    node.stop()
    node.set_clock(-time.time() + 4 * HOUR + 50)
    node.start()
    node.wait_status(lambda s: s["clock"]["trusted"] is False)
    put(rig, "moi", "0 5,6 * * *", "hai")
    node.wait_receipt("moi", "accepted")
    six = wall(node, "05:59:58") + 2
    ends_in(node, occurrence("gio", six), "loa", "finished")
    ends_in(node, occurrence("moi", six), "loa", "finished")
    ends_in(node, occurrence("gio", six - HOUR), "loa", "expired", "late")
    same(len(told(node, "gio")), 2)
    same(len(told(node, "moi")), 1)
    same(said(rig, "loa"), ["một", "hai"])


def test_excepted_days_are_silent(rig):
    node = clocked(rig)
    tomorrow = datetime.datetime.fromtimestamp(rig.began, HANOI).date() + datetime.timedelta(days=1)
    put(rig, "sang", "30 5 * * *", **{"except": [str(tomorrow)]})
    put(rig, "moc", "31 5 * * *", "tám")
    node.wait_receipt("moc", "accepted")
    start = wall(node, "05:29:58") + 2
    wall(node, "05:30:58")
    ends_in(node, occurrence("moc", start + MINUTE), "loa", "finished")
    same(said(rig, "loa"), ["tám"])
    same(node.receipts(occurrence("sang", start), None), [])


# --- state -------------------------------------------------------------------------------------

def test_e7_obeyed_without_the_broker_and_without_its_data(rig):
    """The broker has lost all it had, and is away: the schedule is on the node's disk."""
    node = clocked(rig)
    put(rig, "sang", "30 5 * * *")
    node.wait_receipt("sang", "accepted")
    node.stop()
    rig.broker.stop()
    start = wall(node, "05:29:56") + 4
    node.start(wait=False)
    rig.wait(lambda: said(rig, "loa") == SHORT.split(), "it to be said")
    rig.broker.start()
    ends_in(node, occurrence("sang", start), "loa", "finished", timeout=60)


def test_e7_deleted_though_the_broker_has_lost_it(rig):
    """The nodes go on; the operator says where it is to end."""
    node = clocked(rig)
    wall(node, "05:00:00")
    put(rig, "sang", "30 5 * * *", revision=7)
    node.wait_receipt("sang", "accepted")
    rig.broker.stop()
    for name in os.listdir(rig.broker.folder):
        if name.endswith(".db"):
            os.unlink(f"{rig.broker.folder}/{name}")
    rig.broker.start()
    rig.wait(lambda: node.log().count("connected to the broker") > 1, "the node to be back", 30)
    lost = rig.loalang("schedule", "delete", "sang")
    same(lost.returncode, 1, lost.stderr)
    assert "--zone" in lost.stderr, lost.stderr
    same(rig.loalang("schedule", "delete", "sang", "--zone", "trung-tam").returncode, 0)
    rig.wait(lambda: "withdrawn" in node.log(), "it to be withdrawn")
    wall(node, "05:30:01")
    barrier(rig, node)
    same(said(rig, "loa"), ["tám"])


def test_e7_a_schedule_withdrawn_while_the_node_was_off(rig):
    node = clocked(rig)
    wall(node, "05:00:00")
    put(rig, "sang", "30 5 * * *")
    node.wait_receipt("sang", "accepted")
    node.stop()
    rig.client.publish(rig.zone("trung-tam", "schedule/sang"), {"withdrawn": True, "revision": 2},
                       retain=True)
    node.start()
    rig.settle()
    wall(node, "05:30:01")
    barrier(rig, node)
    put(rig, "sang", "30 5 * * *", revision=1)  # an old copy changes nothing
    rig.settle()
    wall(node, "05:30:01", days=1)
    barrier(rig, node, id="sau-nua")
    same(said(rig, "loa"), ["tám", "tám"])
    node.restart()
    rig.settle()
    same(told(node, "sang"), {})


def test_a_newer_revision_and_a_withdrawal_of_what_waits(rig):
    """What is held says what the newer revision says, once; withdrawn, it is cancelled."""
    node = clocked(rig, [card(rig, "loa", quiet_hours=["21:00-05:00"])])
    put(rig, "som", "50 4 * * *", "một")
    put(rig, "bo", "51 4 * * *", "hai")
    node.wait_receipt("bo", "accepted")
    start = wall(node, "04:50:58") - 58
    node.wait_queue("loa", lambda q: len(q["items"]) == 2)
    put(rig, "som", "50 4 * * *", "ba", revision=2)
    rig.client.publish(rig.zone("trung-tam", "schedule/bo"), {"withdrawn": True, "revision": 2},
                       retain=True)
    ends_in(node, occurrence("bo", start + MINUTE), "loa", "cancelled", "withdrawn")
    node.wait_receipt(occurrence("som", start), "superseded", "loa")
    wall(node, "04:59:58")
    node.wait_receipt(occurrence("som", start), "finished", "loa")
    put(rig, "som", "50 4 * * *", "bốn", revision=3)  # it was said: not again
    barrier(rig, node)
    same(said(rig, "loa"), ["ba", "tám"])


def test_an_empty_message_withdraws(rig):
    node = clocked(rig)
    put(rig, "sang", "30 5 * * *")
    node.wait_receipt("sang", "accepted")
    rig.client.publish(rig.zone("trung-tam", "schedule/sang"), b"", retain=True)
    rig.settle()
    wall(node, "05:29:58")
    wall(node, "05:30:01")
    barrier(rig, node)
    same(said(rig, "loa"), ["tám"])


def test_c6_one_bad_schedule_in_the_store(rig):
    """It is a fault, and everything else goes on."""
    node = clocked(rig)
    put(rig, "hong", "30 5 * * *", "một")
    put(rig, "lanh", "30 5 * * *", "hai")
    node.wait_receipt("lanh", "accepted")
    node.stop()
    rig.broker.stop()  # so that no copy of it comes back
    store = sqlite3.connect(f"{node.folder}/state/loalang.db")
    store.execute("UPDATE schedule SET json = '{\"cron\":' WHERE id = 'hong'")
    store.commit()
    store.close()
    start = wall(node, "05:29:55") + 5
    node.start(wait=False)
    rig.wait(lambda: said(rig, "loa") == ["hai"], "the good one to be said")
    rig.broker.start()
    ends_in(node, occurrence("lanh", start), "loa", "finished", timeout=60)
    node.wait_status(lambda s: any(f["what"] in ("schedule", "store") for f in s["faults"]), 60)


def test_two_nodes_make_the_same_ids_and_starts(rig):
    """One of them is restarted in between."""
    nodes = [clocked(rig, [card(rig, name)], name=name) for name in ("mot", "hai")]
    for node in nodes:
        wall(node, "05:00:00")
    put(rig, "sang", "30 5 * * *", "một")
    put(rig, "ram", "31 5 * * *", "hai")
    for node in nodes:
        node.wait_receipt("ram", "accepted")
    nodes[1].restart()
    starts = [wall(node, "05:29:57") + 3 for node in nodes]
    id = occurrence("sang", starts[0])
    for node in nodes:
        node.wait_receipt(id, "finished", node.name)
    nodes[0].restart()
    for node in nodes:
        wall(node, "05:30:57")
        node.wait_receipt(occurrence("ram", starts[0] + MINUTE), "finished", node.name)
    for id in (id, occurrence("ram", starts[0] + MINUTE)):
        at = [instant(node.receipts(id, "started", node.name)[0]["at"]) for node in nodes]
        near(at[0], at[1], 0.1 * rig.scale, f"the starts of {id}")


def withdraw(rig, id, zone="trung-tam", revision=2):
    return rig.client.publish(rig.zone(zone, f"schedule/{id}"),
                              {"withdrawn": True, "revision": revision}, retain=True)


def quiet_node(rig, *outputs, **changes):
    return clocked(rig, list(outputs) or [card(rig, "loa", quiet_hours=["21:00-05:00"])], **changes)


def held(node, output="loa"):
    """[occurrence] that wait for the end of quiet hours."""
    last = node.rig.client.last(node.topic(f"output/{output}/queue"))
    return [i["id"] for i in last.json()["items"] if i["waits"] == "quiet-hours"] if last else []


def test_d2_held_from_before_its_lead(rig):
    """Nothing else happens on the node: it is held, in time, and said when quiet hours are over; a
    restart in between makes it neither late nor lost."""
    node = quiet_node(rig)
    put(rig, "dem", "15 3 * * *", late="0s", announcement={"text": "một", "expires_after": "3h"})
    node.wait_receipt("dem", "accepted")
    start = wall(node, "03:14:43") + 17
    id = occurrence("dem", start)
    node.wait_receipt(id, "accepted")
    rig.wait(lambda: node.clock.now() > start + 3, "its start to pass")
    rig.wait(lambda: held(node) == [id], "it to be held")
    wall(node, "04:30:00")
    node.restart()
    wall(node, "04:40:00")
    node.process.kill()
    node.start()
    wall(node, "04:59:58")
    finished = ends_in(node, id, "loa", "finished")
    between(instant(finished["at"]) - start, 1.75 * HOUR, 1.75 * HOUR + 10, "its end")
    same(said(rig, "loa"), ["một"])


@options(timeout=120)
def test_withdrawn_with_a_hundred_that_wait(rig):
    """All of them are cancelled, and a revision changes all of them."""
    node = quiet_node(rig)
    wall(node, "00:00:00")
    put(rig, "nhieu", "* 0,1 * * *", "một", late="3h", announcement={"text": "một", "expires_after": "7h"})
    put(rig, "it", "0,1 0 * * *", "hai", late="3h", announcement={"text": "hai", "expires_after": "7h"})
    node.wait_receipt("it", "accepted")
    wall(node, "01:59:50")
    node.wait_queue("loa", lambda q: q["length"] == 119 + 1)
    put(rig, "it", "0,1 0 * * *", revision=2, announcement={"text": "ba", "expires_after": "7h"})
    withdraw(rig, "nhieu")
    node.wait_queue("loa", lambda q: q["length"] == 1)
    same(sorted(set(told(node, "nhieu").values())), [("cancelled", "withdrawn")])
    same(len(told(node, "nhieu")), 119)
    wall(node, "04:59:58")
    rig.wait(lambda: said(rig, "loa") == ["ba"], "the other one")


def test_withdrawn_in_one_zone_of_two(rig):
    """The other zone still wants it."""
    node = quiet_node(rig, card(rig, "loa", quiet_hours=["21:00-05:00"]),
                      {**card(rig, "ca-hai"), "zones": ["trung-tam", "na-san"],
                       "quiet_hours": ["21:00-05:00"]})
    for zone in ("trung-tam", "na-san"):
        put(rig, "som", "50 4 * * *", "một", zone)
        node.wait_receipt("som", "accepted")
    start = wall(node, "04:50:30") - 30
    id = occurrence("som", start)
    rig.wait(lambda: held(node) and held(node, "ca-hai"), "it to be held")
    withdraw(rig, "som")
    ends_in(node, id, "loa", "cancelled", "withdrawn")
    wall(node, "04:59:58")
    ends_in(node, id, "ca-hai", "finished")
    same((said(rig, "loa"), said(rig, "ca-hai")), ([], ["một"]))


def test_revised_long_after_its_start(rig):
    """What waits is said as it is now, however long it waits."""
    node = quiet_node(rig)
    put(rig, "som", "10 3 * * *", announcement={"text": "một", "expires_after": "3h"})
    node.wait_receipt("som", "accepted")
    start = wall(node, "03:09:58") + 2
    id = occurrence("som", start)
    rig.wait(lambda: held(node) == [id] and node.clock.now() > start + 1, "it to be held")
    wall(node, "04:30:00")
    put(rig, "som", "10 3 * * *", revision=2, announcement={"text": "hai", "expires_after": "3h"})
    node.wait_receipt(id, "superseded", "loa")
    wall(node, "04:59:58")
    node.wait_receipt(id, "finished", "loa")
    same(said(rig, "loa"), ["hai"])


def test_revised_while_another_output_plays(rig):
    """What has begun goes on, also after a power cut; the same words are said everywhere."""
    node = clocked(rig, [card(rig, "loa"), card(rig, "xa", quiet_hours=["05:00-06:00"])])
    start = wall(node, "05:29:57") + 3
    put(rig, "sang", "30 5 * * *", announcement={"text": text(LONG), "expires_after": "2h"})
    wait_said(rig, "loa", "hai")
    put(rig, "sang", "30 5 * * *", revision=2, announcement={"text": "bảy", "expires_after": "2h"})
    node.wait_receipt("sang", "accepted", since=0)
    rig.settle()
    node.process.kill()
    node.start()
    ends_in(node, occurrence("sang", start), "loa", "finished")
    wall(node, "05:59:58")
    ends_in(node, occurrence("sang", start), "xa", "finished")
    same(said(rig, "xa"), words(LONG))
    assert "bảy" not in said(rig, "loa"), said(rig, "loa")


def test_a_revision_while_nobody_knows_the_time(rig):
    """What the older one has missed is told all the same."""
    node = clocked(rig)
    wall(node, "04:30:00")
    put(rig, "gio", "0 5,6 * * *", "một")
    node.wait_receipt("gio", "accepted")
    node.stop()
    node.set_clock(-time.time() + 4 * HOUR)
    node.start()
    node.wait_status(lambda s: s["clock"]["trusted"] is False)
    put(rig, "gio", "0 5,6 * * *", "hai", revision=2)
    rig.settle()
    six = wall(node, "05:59:58") + 2
    ends_in(node, occurrence("gio", six), "loa", "finished")
    ends_in(node, occurrence("gio", six - HOUR), "loa", "expired", "late")
    same(said(rig, "loa"), ["hai"])


def test_an_older_revision_is_answered(rig):
    node = clocked(rig)
    put(rig, "sang", "30 5 * * *", revision=5)
    node.wait_receipt("sang", "accepted")
    put(rig, "sang", "31 5 * * *", revision=4)
    rejected = node.wait_receipt("sang", "rejected")
    same((rejected["reason"], rejected["revision"]), ("duplicate", 4))
    assert "5" in rejected["detail"], rejected
    put(rig, "sang", "30 5 * * *", revision=5)  # the same again: nothing to say
    node.restart()  # the older one is what the broker has kept: it is not told at every connect
    rig.settle()
    same(len([r for r in node.receipts("sang", "rejected")]), 1)


@options(timeout=120)
def test_c1_killed_while_it_catches_up(rig):
    """Two days off and a hundred schedules, killed again and again while it tells what it has missed:
    each is told exactly once."""
    node = clocked(rig)
    wall(node, "04:00:00")
    for i in range(100):
        put(rig, f"lich-{i:02}", "30 5,6,7 * * *", "một")
    node.wait_receipt("lich-99", "accepted")
    node.stop()
    wall(node, "08:00:00", days=1)
    for _ in range(4):
        node.start(wait=False)
        before = len(node.receipts(None, "expired"))
        rig.wait(lambda: len(node.receipts(None, "expired")) > before or "ready" in node.log()
                 and not node.receipts(None, "expired"), "something to be told")
        node.process.kill()
    node.start()
    rig.wait(lambda: len({r["id"] for r in node.receipts(None, "expired")}) == 600, "all of them")
    barrier(rig, node)
    ids = [r["id"] for r in node.receipts(None, "expired")]
    same(len(ids), len(set(ids)))
    same(said(rig, "loa"), ["tám"])


# --- the plan ----------------------------------------------------------------------------------

def candidate(id, cron, words="hai", zone="trung-tam", **fields):
    return {"zone": zone, "schedule": {"id": id, "cron": cron, "announcement": {"text": words}, **fields}}


def test_a_plan_says_what_will_sound_and_what_will_not(rig):
    """The node's own schedules and those that somebody thinks of, on each output that listens."""
    node = clocked(rig, [card(rig, "loa", quiet_hours=["21:00-05:00"]), card(rig, "xa", "na-san")])
    now = wall(node, "12:00:00")
    put(rig, "sang", "30 5 * * *", zone="all", announcement={"text": "một", "title": "Bản tin"})
    put(rig, "dem", "0 3 * * *", announcement={"text": "hai", "expires_after": "30m"})
    node.wait_receipt("dem", "accepted")
    asker = Asker(rig)
    plan = asker.ask(node, "plan", {"days": 2})
    same((plan["node"], plan["more"]), ("ubnd", False))
    near(instant(plan["until"]), now + 2 * DAY, 60, "until")
    rows = [(r["schedule"], r["output"], r["would"], r["reason"]) for r in plan["rows"]]
    same(rows, [("dem", "loa", "veto", "quiet-hours"), ("sang", "loa", "play", None),
                ("sang", "xa", "play", None)] * 2)
    first = plan["rows"][1]
    start = now + 17.5 * HOUR
    same((first["id"], first["title"]), (occurrence("sang", start), "Bản tin"))
    same(instant(first["start"]), start)
    assert first["seconds"] > 0 and "/" in first["lunar"], first
    # what somebody thinks of takes the place of what has the same zone and id
    other = asker.ask(node, "plan", {"days": 1, "output": "loa", "schedules": [
        candidate("dem", "30 5 * * *"), candidate("moi", "0 6 * * *", zone="xa-xoi")]})
    same([(r["schedule"], r["would"], r["reason"]) for r in other["rows"]],
         [("dem", "play", None), ("sang", "play", None)])
    same(told(node, "dem"), {})


def test_a_long_plan_comes_in_pieces_and_nothing_waits_for_it(rig):
    node = clocked(rig)
    now = wall(node, "12:00:00")
    put(rig, "phut", "* * * * *", "một", late="0s", **{"from": "2027-06-01"})
    node.wait_receipt("phut", "accepted")
    asker = Asker(rig)
    begin, rows, question = "2027-06-01T00:00:00+07:00", [], {"days": 3}
    while True:
        piece = asker.ask(node, "plan", {**question, "from": begin})
        rows += piece["rows"]
        if not piece["more"]:
            break
        assert len(piece["rows"]) == 2000, len(piece["rows"])
        begin, question = piece["until"], {"days": 3}
        if len(rows) >= 3 * 1440:
            break
    starts = [instant(r["start"]) for r in rows]
    same([b - a for a, b in zip(starts, starts[1:])], [60.0] * (len(starts) - 1))
    between(now, 0, starts[0], "it was before")


def test_questions_for_a_plan_that_are_wrong(rig):
    node = clocked(rig)
    asker = Asker(rig)
    for question, reason, word in (({"days": 0}, "bad-value", "days"),
                                   ({"days": 401}, "bad-value", "days"),
                                   ({"output": "khong-co"}, "bad-value", "khong-co"),
                                   ({"tu": 1}, "unknown-key", "tu"),
                                   ({"schedules": [{"zone": "a"}]}, "bad-value", "schedule"),
                                   ({"schedules": [candidate("x", "0 0 31 6 *")]}, "bad-value",
                                    "schedules[0]")):
        answer = asker.ask(node, "plan", question)
        same(answer["error"]["reason"], reason, answer)
        assert word in answer["error"]["detail"], answer
