# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS D1: a clock that is wrong at boot, or that somebody sets while things wait and play."""

import time

from case import between, near, same
from heard import LONG, SHORT, barrier, card, ends_in, finals, said, text, wait_said, words
from rig import analysis
from rig.node import instant, rfc3339

DAY = 86400


def clocked(rig, offset=0.0, outputs=None, **changes):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", outputs or [card(rig, "loa")], start=False, clock=True, speech=speech,
                    timezone="Asia/Ho_Chi_Minh", **changes)
    node.set_clock(offset)
    return node.start()


def heard_at(rig, node, word):
    """The instant of the node's clock at which that word was said first."""
    at = next(start for w, start, _ in analysis.tone_words(rig.alsa.heard("loa")) if w == word)
    return node.clock.real_of(rig.alsa.mono_of_frame("loa", at * analysis.RATE))


def back_in_the_past(rig, node, seconds):
    """Its clock was ahead, the machine was off, and is on again with a clock that is behind what the
    disk has seen; no kernel keeps it."""
    node.set_clock(seconds)
    rig.wait_log(node, "the clock was set")
    rig.settle()
    node.stop()
    node.set_clock(0)
    return node.start()


# --- a clock that cannot be believed -----------------------------------------------------------

def test_d1_untrusted_at_boot_holds_what_is_timed(rig):
    """The year 1970: what has a start waits with `clock`, nothing expires, an emergency is heard, and
    so is what is to be said at once. When somebody sets the clock, everything is in its place."""
    node = clocked(rig)
    node.stop()
    node.set_clock(-time.time() + 3600)
    node.start()
    node.wait_status(lambda s: s["clock"]["trusted"] is False and s["state"] == "degraded"
                     and any(f["what"] == "clock" for f in s["faults"]))
    start = time.time() + 8
    rig.announce("trung-tam", "hen", "một hai", start=rfc3339(start))
    rig.announce("trung-tam", "qua-han", "ba", start=rig.in_future(-700),
                 expires=rig.in_future(-600))
    node.wait_queue("loa", lambda q: {i["id"]: i["waits"] for i in q["items"]}.get("hen") == "clock")
    rig.announce("trung-tam", "dien-tap", SHORT, priority="emergency", start=rfc3339(start + 3600),
                 expires=rfc3339(start + 7200), repeat={"times": 1})  # a drill is not a cry for help
    rig.announce("trung-tam", "khan", SHORT, priority="emergency", issued_at=rfc3339(start - 8),
                 repeat={"times": 1})
    ends_in(node, "khan", "loa", "finished")
    same(node.receipts("dien-tap", "started"), [])
    same(finals(node, "qua-han", "loa"), [])
    node.wait_state("loa", "held")
    node.set_clock(0)
    node.wait_status(lambda s: s["clock"]["trusted"] and not s["faults"])
    ends_in(node, "qua-han", "loa", "expired", "expired")
    ends_in(node, "hen", "loa", "finished")
    same(said(rig, "loa"), SHORT.split() + ["một", "hai"])
    between(heard_at(rig, node, "một") - start, -0.05, 0.6, "its start")


def test_d1_last_seen_in_the_future(rig):
    """The clock was three days ahead before the last boot and is right now: what is timed is held until
    somebody vouches for the clock; emergencies are heard."""
    node = clocked(rig)
    rig.announce("trung-tam", "dau", "một")
    ends_in(node, "dau", "loa", "finished")
    back_in_the_past(rig, node, 3 * DAY)
    node.wait_status(lambda s: s["clock"]["trusted"] is False)
    rig.announce("trung-tam", "hen", "hai", start=rig.in_future(0))
    node.wait_queue("loa", lambda q: [i["waits"] for i in q["items"]] == ["clock"])
    rig.announce("trung-tam", "khan", SHORT, priority="emergency", repeat={"times": 1})
    ends_in(node, "khan", "loa", "finished")
    node.set_clock(0.5)  # a technician, or NTP
    node.wait_status(lambda s: s["clock"]["trusted"])
    ends_in(node, "hen", "loa", "finished")
    rig.announce("trung-tam", "dau", "một")
    barrier(rig, node)
    same(said(rig, "loa"), ["một"] + SHORT.split() + ["hai", "tám"])
    node.restart()  # it is not held against it again
    node.wait_status(lambda s: s["clock"]["trusted"])


def test_d1_nothing_untrusted_but_emergencies_where_there_are_quiet_hours(rig):
    """Nobody knows whether it is night."""
    node = clocked(rig, 0, [card(rig, "loa", quiet_hours=["21:00-21:01"]), card(rig, "khac")])
    back_in_the_past(rig, node, 3 * DAY)
    rig.announce("trung-tam", "ngay", "một")
    ends_in(node, "ngay", "khac", "finished")
    node.wait_queue("loa", lambda q: [i["waits"] for i in q["items"]] == ["clock"])
    rig.announce("trung-tam", "khan", SHORT, priority="emergency", repeat={"times": 1})
    for output in ("loa", "khac"):
        node.wait_receipt("khan", "finished", output)
    same(said(rig, "loa"), SHORT.split())


# --- a clock that is set -----------------------------------------------------------------------

def test_d1_set_back_during_a_broadcast_leaves_the_gap_behind_it(rig):
    node = clocked(rig, gap="3s")
    rig.announce("trung-tam", "mot", "một hai ba bốn năm sáu một hai ba bốn.",
                 start=rfc3339(node.clock.now() + 2))
    node.wait_receipt("mot", "started", "loa")
    rig.announce("trung-tam", "hai", "bảy")
    node.wait_receipt("hai", "accepted")
    wait_said(rig, "loa", "hai")
    node.set_clock(-3600)
    ends_in(node, "hai", "loa", "finished")
    found = analysis.tone_words(rig.alsa.heard("loa"))
    last, first = [w for w in found if w[0] == "bốn"][-1], [w for w in found if w[0] == "bảy"][0]
    gap = (rig.alsa.mono_of_frame("loa", first[1] * analysis.RATE)
           - rig.alsa.mono_of_frame("loa", last[2] * analysis.RATE))
    between(gap, 2.8, 3.5, "the gap (s)")


def test_d1_set_back_and_forth_while_things_wait_and_play(rig):
    """Two hours back, a day ahead, and back: each is said once, at its own time or not at all; what
    has expired by then says so; nothing comes in mass."""
    node = clocked(rig)
    now = node.clock.now()
    rig.announce("trung-tam", "dang", text(LONG), expires=rfc3339(now + 3 * DAY))
    for i in range(5):  # every hour, each with an hour to live
        rig.announce("trung-tam", f"gio-{i}", "bảy", start=rfc3339(now + 3600 * (i + 1)),
                     expires=rfc3339(now + 3600 * (i + 2)))
    rig.announce("trung-tam", "mai", SHORT, start=rfc3339(now + DAY), expires=rfc3339(now + 2 * DAY))
    node.wait_receipt("mai", "accepted")
    wait_said(rig, "loa", "hai")
    node.set_clock(-7200)
    wait_said(rig, "loa", "ba")
    node.set_clock(0)
    ends_in(node, "dang", "loa", "finished")
    same(node.events("dang", "loa"), ["accepted", "started", "finished"])
    same(said(rig, "loa"), words(LONG))
    node.set_clock(3600 - (node.clock.now() - now) - 1)  # a second before the first hour
    ends_in(node, "gio-0", "loa", "finished")
    near(heard_at(rig, node, "bảy") - now, 3600, 0.3, "the first hour")
    node.set_clock(0)
    rig.settle()
    node.set_clock(DAY - 2)
    for i in range(1, 5):
        ends_in(node, f"gio-{i}", "loa", "expired", "expired")
    ends_in(node, "mai", "loa", "finished")
    node.set_clock(0)
    rig.settle()
    barrier(rig, node)
    same(said(rig, "loa"), words(LONG) + ["bảy"] + SHORT.split() + ["tám"])
    for id in ("dang", "mai", "gio-0", "gio-1", "gio-4"):
        same(len(finals(node, id, "loa")), 1, id)


def test_d1_set_while_it_is_prepared(rig):
    """Three seconds before its start the clock is set ten minutes back: it is said at its start, by
    the new time; not twice; another one in the meantime is."""
    node = clocked(rig)
    start = node.clock.now() + 2.5
    rig.announce("trung-tam", "hen", "một hai", start=rfc3339(start))
    engine = rig.engines[0]
    rig.wait(lambda: engine.asked, "it to be prepared")
    node.set_clock(-600)
    rig.settle()
    rig.announce("trung-tam", "giua", "ba", expires=rfc3339(start))
    ends_in(node, "giua", "loa", "finished")
    time.sleep(2.5)  # its start by the old time passes
    same(said(rig, "loa"), ["ba"])
    node.set_clock(-1.0 + start - time.time())
    ends_in(node, "hen", "loa", "finished")
    same(said(rig, "loa"), ["ba", "một", "hai"])
    near(heard_at(rig, node, "một") - start, 0, 0.1 * rig.scale, "its start")
    same(node.events("hen", "loa"), ["accepted", "started", "finished"])


def test_d1_three_days_ahead_at_boot(rig):
    """A clock that jumps while the node is off: what has expired by it says so, once."""
    node = clocked(rig)
    rig.announce("trung-tam", "hen", "một", start=rig.in_future(3600))
    rig.announce("trung-tam", "lau", "hai", start=rig.in_future(3 * DAY),
                 expires=rig.in_future(5 * DAY))
    node.wait_receipt("lau", "accepted")
    node.stop()
    node.set_clock(3 * DAY + 5)
    node.start()
    ends_in(node, "hen", "loa", "expired", "expired")
    ends_in(node, "lau", "loa", "finished")
    node.set_clock(0)
    rig.settle()
    barrier(rig, node)
    for id in ("hen", "lau"):
        same(len(finals(node, id, "loa")), 1, id)
    same(said(rig, "loa"), ["hai", "tám"])


def test_d1_year_2038(rig):
    """Past the end of 32-bit seconds it goes on as ever."""
    node = clocked(rig, 2147483647 - time.time() - 3)
    start = 2147483648 + 1  # a second behind it
    rig.announce("trung-tam", "hen", "một hai", start=rfc3339(start))
    started = node.wait_receipt("hen", "started", "loa")
    near(instant(started["at"]), start, 0.15 * rig.scale, "its start")
    ends_in(node, "hen", "loa", "finished")
    node.restart()
    barrier(rig, node)
    same(said(rig, "loa"), ["một", "hai", "tám"])
