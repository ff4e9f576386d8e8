# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS C: what falls upon the queue and its disk: crashes, floods, bad records, a week away."""

import collections
import glob
import os
import signal
import sqlite3

from case import between, options, same
from heard import SHORT, barrier, card, ends_in, finals, said, text
from rig.broker import PATIENT
from rig.node import FINAL
from rig.process import rss_kib

DAY = 86400
MIB = 1024


def one(rig, clock=False, **more):
    rig.start_broker(PATIENT)  # two thousand receipts may come at once
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa", **more)], speech=speech, clock=clock)
    return engine, node


# --- C2: it falls while something is prepared --------------------------------------------------

def falls_while_preparing(rig, engine, node, id, number):
    """The engine is asked for `id` and does not answer: it is being prepared, and nothing of it is
    heard, when the process ends by that signal."""
    rig.wait(lambda: engine.asked, f"{id} to be prepared")
    node.process.signal(number)
    node.process.wait(10 * rig.scale)
    engine.asked.clear()


def test_c2_two_falls_while_it_is_prepared(rig):
    """A process that falls by itself (what the watchdog's SIGABRT does to one that hangs is the
    same) with one announcement in hand: after two it is `failed`, however soon it falls; the next
    one speaks; a retained copy and another start do not bring it back."""
    engine, node = one(rig)
    engine.hang = True
    rig.announce("trung-tam", "doc", "một hai")
    node.wait_receipt("doc", "accepted")
    rig.announce("trung-tam", "lanh", SHORT)
    node.wait_receipt("lanh", "accepted")
    falls_while_preparing(rig, engine, node, "doc", signal.SIGABRT)
    node.start(wait=False)
    falls_while_preparing(rig, engine, node, "doc", signal.SIGABRT)
    engine.hang = False
    node.start()
    failed = ends_in(node, "doc", "loa", "failed", "engine")
    assert "dừng đột ngột" in failed["detail"], failed
    ends_in(node, "lanh", "loa", "finished")
    node.restart()
    barrier(rig, node)
    same(said(rig, "loa"), SHORT.split() + ["tám"])
    same(node.events("doc", "loa"), ["accepted", "failed"])


def test_c2_killed_while_it_is_prepared_is_not_its_fault(rig):
    """Three power cuts say nothing of an announcement that had not begun."""
    engine, node = one(rig)
    engine.hang = True
    rig.announce("trung-tam", "lanh", SHORT)
    node.wait_receipt("lanh", "accepted")
    for kill in (1, 2, 3):
        falls_while_preparing(rig, engine, node, "lanh", signal.SIGKILL)
        engine.hang = kill < 3
        node.start()
    ends_in(node, "lanh", "loa", "finished")
    same(said(rig, "loa"), SHORT.split())


# --- C5: a flood -------------------------------------------------------------------------------

FULL, EMERGENCIES = 1000, 50  # docs/PROTOCOL.md, "Order"
KINDS = ("background", "normal", "priority")


def receipts_of(node, prefix):
    """{id: [(event, reason)]} of the ids that begin so."""
    found = collections.defaultdict(list)
    for receipt in node.receipts():
        if receipt["id"].startswith(prefix):
            found[receipt["id"]].append((receipt["event"], receipt["reason"]))
    return found


def flood(rig, node, prefix, count, **fields):
    """`id`s count upwards."""
    for i in range(count):
        more = {key: value(i) if callable(value) else value for key, value in fields.items()}
        rig.client.publish(rig.zone("trung-tam"), {"id": f"{prefix}{i:04}", "text": "bảy", **more},
                           wait=False)
    for _ in range(2):  # what makes room is told after the messages that were handled with it
        rig.settle()


def queue_length(node, length):
    node.wait_queue("loa", lambda q: q["length"] == length)


@options(first=True, timeout=90)
def test_c5_three_thousand_into_a_queue_of_a_thousand(rig):
    """Something long is on air; 1,000 of each lower priority come after it, mixed. The lowest and
    oldest make room; an emergency finds its place and is heard; each that was accepted ends once;
    a second flood costs no memory."""
    engine, node = one(rig)
    rig.announce("trung-tam", "dang", text(["một hai ba bốn năm sáu " * 40] * 12),
                 priority="priority")
    node.wait_receipt("dang", "started", "loa")
    flood(rig, node, "lu-", 3 * FULL, priority=lambda i: KINDS[i % 3])
    queue_length(node, FULL)
    told = receipts_of(node, "lu-")
    for kind in range(3):
        ends = collections.Counter(events[-1] for id, events in told.items()
                                   if int(id[3:]) % 3 == kind)
        waiting = ends.pop(("accepted", None), 0)
        refused = ends.pop(("rejected", "queue-full"), 0)
        evicted = ends.pop(("expired", "queue-full"), 0)
        same((waiting + refused + evicted, dict(ends)), (FULL, {}), f"ends of {KINDS[kind]}")
        same((waiting, refused) if kind == 2 else waiting, (FULL, 0) if kind == 2 else 0,
             f"{KINDS[kind]} that wait, refused")

    rig.announce("trung-tam", "khan", SHORT, priority="emergency", repeat={"times": 1})
    ends_in(node, "khan", "loa", "finished")
    node.wait_receipt("dang", "resumed", "loa")
    same(node.receipts("dang", "expired"), [])
    queue_length(node, FULL)

    before = rss_kib(node.pid)
    flood(rig, node, "nua-", FULL, priority="priority")
    left = sum(events[-1] == ("accepted", None) for events in receipts_of(node, "lu-").values())
    between(left, 0, FULL // 10, "of the oldest that still wait")
    if not rig.sanitizers:
        between((rss_kib(node.pid) - before) / MIB, -64, 4, "growth by another flood (MiB)")
        between(rss_kib(node.pid) / MIB, 1, 64, "resident memory (MiB)")
    rig.control("trung-tam", "stop")
    ends_in(node, "dang", "loa", "cancelled", "stopped")
    barrier(rig, node)
    for prefix in ("lu-", "nua-"):
        for id, events in receipts_of(node, prefix).items():
            names = [event for event, _ in events]
            accepted = "accepted" in names
            assert accepted or names == ["rejected"], f"{id}: {names}"
            same(sum(name in FINAL for name in names), int(accepted), f"ends of {id}: {names}")
    assert "bảy" not in said(rig, "loa")


def test_c5_emergencies_have_a_lane_of_their_own(rig):
    """60 of them into 50 places, while all is muted: the ten oldest make room, nobody else does."""
    engine, node = one(rig, unpaced=1)
    rig.control("trung-tam", "mute")
    node.wait_state("loa", "muted")
    for i in range(3):
        rig.announce("trung-tam", f"thuong-{i}", "chín")
    flood(rig, node, "khan-", EMERGENCIES + 10, priority="emergency", repeat={"times": 1})
    queue_length(node, EMERGENCIES + 3)
    for i in range(10):
        ends_in(node, f"khan-{i:04}", "loa", "expired", "queue-full")
    rig.control("trung-tam", "unmute")
    for i in range(3):
        ends_in(node, f"thuong-{i}", "loa", "finished", timeout=40)
    same(said(rig, "loa"), ["bảy"] * EMERGENCIES + ["chín"] * 3)
    for i in range(10, EMERGENCIES + 10):
        ends_in(node, f"khan-{i:04}", "loa", "finished")


# --- C6, C1: what rots on the disk -------------------------------------------------------------

def database(node):
    return f"{node.folder}/state/loalang.db"


def edit(node, *statements):
    """As bad memory or a bad card does it, while the node is off."""
    with sqlite3.connect(database(node)) as connection:
        for statement in statements:
            same(connection.execute(statement).rowcount, 1, statement)
    connection.close()


def query(node, sql):
    connection = sqlite3.connect(database(node))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def store_faults(status):
    return [f["detail"] for f in status["faults"] if f["what"] == "store"]


def one_of_each(rig, node):
    """Three that were accepted and wait, and one that was said."""
    rig.announce("trung-tam", "xong", "mười")
    ends_in(node, "xong", "loa", "finished")
    rig.control("trung-tam", "mute")
    node.wait_state("loa", "muted")
    for id, word in (("chu", "một"), ("luot", "hai"), ("lanh", "ba")):
        rig.announce("trung-tam", id, word)
        node.wait_receipt(id, "accepted")


FLIPPED = "UPDATE announcement SET json = replace(json, 'một', 'mốt') WHERE id = 'chu'"
NONSENSE = "UPDATE play SET state = 'pl\x01ying', item = -7 WHERE id = 'luot'"


def test_c6_bad_records_are_set_aside(rig):
    """A text with a flipped byte is not said, a state that is none is not believed: they are kept
    apart, with a fault, and all else goes on; the copies on the broker are good, and are said. The
    next start is clean."""
    engine, node = one(rig)
    one_of_each(rig, node)
    node.stop()
    edit(node, FLIPPED, NONSENSE)
    node.start()
    fault, = store_faults(node.wait_status(lambda s: s["state"] == "degraded"))
    assert "announcement" in fault and "play" in fault, fault
    rig.settle()
    rig.control("trung-tam", "unmute")
    for id in ("lanh", "luot", "chu"):
        ends_in(node, id, "loa", "finished")
    node.stop()
    same(sorted(query(node, "SELECT source FROM set_aside")), [("announcement",), ("play",)])
    node.start()
    same(store_faults(node.wait_status(lambda s: s["state"] in ("online", "degraded"))), [])
    barrier(rig, node)
    same(sorted(said(rig, "loa")), sorted(["mười", "ba", "hai", "một", "tám"]))
    for id in ("xong", "lanh", "luot", "chu"):
        same(len(finals(node, id, "loa")), 1, f"ends of {id}")


@options(first=True, timeout=90)
def test_c6_a_bad_record_of_which_there_is_no_copy(rig):
    """The broker has lost it too: what was accepted still ends (half a minute later: perhaps a copy
    comes), and nothing wrong is said."""
    engine, node = one(rig)
    one_of_each(rig, node)
    node.stop()
    edit(node, FLIPPED)
    rig.client.publish(rig.zone("trung-tam", "announce/chu"), b"", retain=True)
    node.start()
    node.wait_status(store_faults)
    rig.control("trung-tam", "unmute")
    ends_in(node, "lanh", "loa", "finished")
    barrier(rig, node)
    failed = ends_in(node, "chu", "loa", "failed", timeout=60)
    assert failed["detail"], "says why"
    same(said(rig, "loa"), ["mười", "hai", "ba", "tám"])


def test_c1_a_smashed_page_costs_what_stood_on_it(rig):
    """A page of the store's file is overwritten while the node is off: the file is kept aside, what
    can be read of it goes on, and what was said is not said again."""
    engine, node = one(rig)
    one_of_each(rig, node)
    start = rig.in_future(3600)
    for i in range(40):  # pages of announcements
        rig.announce("trung-tam", f"sau-{i:02}", "bảy " * 100, start=start)
    node.wait_receipt("sau-39", "accepted")
    node.stop()
    smash(node, "sau-20", "bảy bảy")
    node.start()
    status = node.wait_status(store_faults)
    assert glob.glob(f"{database(node)}.corrupt-*"), os.listdir(f"{node.folder}/state")
    assert "corrupt" in store_faults(status)[0], status
    rig.settle()
    rig.control("trung-tam", "unmute")
    for id in ("chu", "luot", "lanh"):
        ends_in(node, id, "loa", "finished")
    queue_length(node, 40)  # what stood there comes again from the broker
    node.restart()
    same(store_faults(node.wait_status(lambda s: s["state"] in ("online", "degraded"))), [])
    same(len(glob.glob(f"{database(node)}.corrupt-*")), 1)
    barrier(rig, node)
    same(sorted(said(rig, "loa")), sorted(["mười", "một", "hai", "ba", "tám"]))


def smash(node, *markers):
    """Overwrites the table page on which all that stands."""
    markers = [marker.encode() for marker in markers]
    with open(database(node), "r+b") as file:
        data = file.read()
        size = int.from_bytes(data[16:18], "big")
        at = next(at for at in range(size, len(data), size)
                  if data[at] == 13 and all(m in data[at:at + size] for m in markers))
        file.seek(at)
        file.write(b"\xa5" * size)


# --- C8: a week off ----------------------------------------------------------------------------

def test_c8_a_backlog_of_a_week_expires(rig):
    """What waited when it was switched off, and what was sent while it was: all of it ends as
    `expired`, once, and nothing of it is read aloud; what is new is."""
    engine, node = one(rig, clock=True)
    for i in range(40):
        rig.announce("trung-tam", f"co-{i}", "bảy", start=node.clock.in_future(600 + i * 600))
    rig.settle()
    node.stop()
    for i in range(40):  # the broker kept them: their sender set no expiry
        rig.announce("trung-tam", f"moi-{i}", "sáu", start=node.clock.in_future(i * 7200))
    node.set_clock(7 * DAY)
    node.start()
    for prefix in ("co", "moi"):
        for i in range(40):
            ends_in(node, f"{prefix}-{i}", "loa", "expired", "expired")
    barrier(rig, node)
    same(said(rig, "loa"), ["tám"])
    node.restart()
    barrier(rig, node, id="lan-nua", word="chín")
    same(said(rig, "loa"), ["tám", "chín"])
    ends = collections.Counter(r["id"] for r in node.receipts() if r["event"] in FINAL)
    same({count for id, count in ends.items()}, {1}, "ends of each")
