# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS D2: nothing is heard in quiet hours, by whatever way it comes; only an emergency is, and
its receipts say so. The node's clock is set, so that their beginning and end are near."""

from case import between, near, same
from heard import (LONG, SHORT, barrier, card, ends_in, finals, goes_on_at_its_sentence,
                   heard_till_now, said, said_since, text, wait_said, wall, words)
from rig import analysis
from rig.node import instant
from rig.tones import ToneEngine

QUIET = ["21:00-05:00"]
TILL_MORNING = 12 * 3600


def night(rig, clock, outputs=None, engine=None, **changes):
    """A node whose clock shows that time of the day."""
    _, speech = (engine, rig.speech({"name": "tones", "address": engine.address})) if engine \
        else rig.tone_engine()
    node = rig.node("ubnd", outputs or [card(rig, "loa", quiet_hours=QUIET)], start=False, clock=True,
                    speech=speech, timezone="Asia/Ho_Chi_Minh", **changes)
    wall(node, clock)
    return node.start()


def first_sound(rig, node, name, word=None):
    """The instant of the node's clock at which a word (or anything) was heard first."""
    found = [w for w in analysis.tone_words(rig.alsa.heard(name)) if word in (None, w[0])]
    return node.clock.real_of(rig.alsa.mono_of_frame(name, found[0][1] * analysis.RATE))


def last_sound(rig, node, name):
    end = analysis.segments(rig.alsa.heard(name), threshold_db=-60)[-1][1]
    return node.clock.real_of(rig.alsa.mono_of_frame(name, end * analysis.RATE - 1))


def announce(rig, node, id, said_text, seconds=TILL_MORNING, zone="trung-tam", **fields):
    """One that has time until the morning."""
    rig.announce(zone, id, said_text, expires=node.clock.in_future(seconds), **fields)


# --- at night ----------------------------------------------------------------------------------

def test_d2_every_path_is_silent_at_night(rig):
    """At once, with a start, repeated, retained and replayed after a lost broker, a restart, a kill;
    until the morning, when each is heard once."""
    node = night(rig, "03:15:00")
    announce(rig, node, "ngay", "một")
    announce(rig, node, "hen-gio", "hai", start=node.clock.in_future(1))
    announce(rig, node, "lap", "ba", repeat={"times": 3, "gap": "200ms"})
    announce(rig, node, "nen", "bốn", priority="background")
    announce(rig, node, "uu-tien", "năm", priority="priority")
    rig.client.publish(rig.zone("trung-tam"), {"id": "khong-giu", "text": "sáu",
                                               "expires": node.clock.in_future(TILL_MORNING)})
    queue = node.wait_queue("loa", lambda q: q["length"] == 6 and all(
        item["waits"] == "quiet-hours" for item in q["items"]))
    assert all(item["detail"] for item in queue["items"]), "why, in words"
    same(node.wait_state("loa", "held")["queue_length"], 6)
    mark = rig.client.mark()
    rig.broker.restart()
    node.wait_online(mark)
    rig.settle()
    for end in (node.stop, node.kill):
        end()
        node.start()
        rig.settle()
    rig.announce("trung-tam", "khan", SHORT, priority="emergency", repeat={"times": 1})
    ends_in(node, "khan", "loa", "finished", "quiet-hours")
    same(node.wait_receipt("khan", "started", "loa")["reason"], "quiet-hours")
    rig.settle()
    same(said(rig, "loa"), SHORT.split(), "at 03:15")
    morning = wall(node, "04:59:58") + 2
    for id in ("uu-tien", "ngay", "hen-gio", "lap", "khong-giu", "nen"):
        ends_in(node, id, "loa", "finished")
    same(sorted(said(rig, "loa")[2:]), sorted("một hai ba ba ba bốn năm sáu".split()))
    begins = first_sound(rig, node, "loa", "năm")
    between(begins - morning, 0, 0.5 * rig.scale, "the first of them, after 05:00")


def test_d2_what_cannot_wait_expires_at_once(rig):
    """The office learns it while it can still do something; not when the hour has passed."""
    node = night(rig, "03:15:00")
    rig.announce("trung-tam", "ngay", "một")  # expires in an hour: 04:15
    rig.announce("trung-tam", "hen", "hai", start=node.clock.in_future(1800))
    rig.announce("trung-tam", "sat", "ba", expires=node.clock.in_future(1.74 * 3600))
    for id in ("ngay", "hen", "sat"):
        receipt = ends_in(node, id, "loa", "expired", "quiet-hours", timeout=5)
        assert "yên lặng" in receipt["detail"], receipt
        same(node.events(id, "loa"), ["accepted", "expired"])
    node.wait_state("loa", "idle")
    wall(node, "05:00:01")
    barrier(rig, node)
    same(said(rig, "loa"), ["tám"])


def test_d2_a_start_in_the_coming_night(rig):
    """By day for the night: expired at once, or held until the morning; its start is not the
    morning's."""
    node = night(rig, "14:00:00")
    tonight = node.clock.in_future(8 * 3600)
    rig.announce("trung-tam", "khong-kip", "một", start=tonight,
                 expires=node.clock.in_future(9 * 3600))
    rig.announce("trung-tam", "kip", "hai", start=tonight, expires=node.clock.in_future(16 * 3600))
    ends_in(node, "khong-kip", "loa", "expired", "quiet-hours", timeout=5)
    node.wait_queue("loa", lambda q: [i["id"] for i in q["items"]] == ["kip"])
    wall(node, "21:59:58")
    rig.settle()
    rig.announce("trung-tam", "khan", SHORT, priority="emergency", repeat={"times": 2, "gap": "2s"})
    node.wait_receipt("khan", "finished", "loa")  # 22:00 has passed
    same(said(rig, "loa"), SHORT.split() * 2, "at 22:00")
    wall(node, "05:00:00", days=1)
    ends_in(node, "kip", "loa", "finished")
    same(said(rig, "loa"), SHORT.split() * 2 + ["hai"])


def test_d2_every_priority_and_only_outputs_with_quiet_hours(rig):
    node = night(rig, "23:30:00", [card(rig, "dem", quiet_hours=QUIET), card(rig, "ngay"),
                                   card(rig, "trua", quiet_hours=["11:30-13:30", "22:00-24:00"])])
    for priority in ("priority", "normal", "background"):
        rig.announce("trung-tam", priority, "một", priority=priority)
    for priority in ("background", "normal", "priority"):
        ends_in(node, priority, "ngay", "finished")
        ends_in(node, priority, "dem", "expired", "quiet-hours")
        # the other's end at midnight, in time: it waits
        node.wait_queue("trua", lambda q: q["length"] == 3)
    wall(node, "23:59:59")
    for priority in ("background", "normal", "priority"):
        ends_in(node, priority, "trua", "finished")
    same((said(rig, "dem"), said(rig, "ngay"), said(rig, "trua")), ([], ["một"] * 3, ["một"] * 3))


# --- their beginning ---------------------------------------------------------------------------

def test_d2_what_would_run_into_them_is_not_begun(rig):
    """By its predicted length, repetitions included; what is short enough is said."""
    zones = ("ngan", "dai", "lap")
    node = night(rig, "20:59:50", [card(rig, zone, zone, quiet_hours=QUIET) for zone in zones])
    announce(rig, node, "tin-dai", " ".join(["một"] * 60), zone="dai")
    announce(rig, node, "tin-lap", "hai", zone="lap", repeat={"times": 8, "gap": "2s"})
    announce(rig, node, "tin-ngan", "ba", zone="ngan")
    ends_in(node, "tin-ngan", "ngan", "finished")
    for zone in ("dai", "lap"):
        node.wait_queue(zone, lambda q: [i["waits"] for i in q["items"]] == ["quiet-hours"])
        same(said(rig, zone), [])
    rig.announce("dai", "khong-kip", " ".join(["một"] * 60))  # expires before the morning
    ends_in(node, "khong-kip", "dai", "expired", "quiet-hours", timeout=5)
    wall(node, "04:59:59", days=1)
    for zone in ("dai", "lap"):
        node.wait_receipt(f"tin-{zone}", "started", zone)


class SlowEngine(ToneEngine):
    """Says each word six times: no prediction holds."""

    def _say(self, stream, spoken_text):
        words_of = spoken_text.split()
        super()._say(stream, " ".join(word for word in words_of for _ in range(6)))


def quiet_cut(rig, node, id, name):
    """It was cut off for the quiet hours, before their beginning; nothing was heard after."""
    interrupted = node.wait_receipt(id, "interrupted", name)
    same(interrupted["reason"], "quiet-hours")
    assert "yên lặng" in interrupted["detail"], interrupted
    return interrupted


def test_d2_on_air_when_they_begin(rig):
    """It is faded out just before and goes on in the morning, by its policy."""
    engine = SlowEngine()
    rig.engines.append(engine)
    policies = ("resume", "restart", "drop")
    node = night(rig, "20:59:55", [card(rig, p, p, quiet_hours=QUIET) for p in policies],
                 engine=engine)
    sentences = ("một", "hai", "ba", "bốn", "năm")
    for policy in policies:
        announce(rig, node, f"tin-{policy}", text(sentences), zone=policy, interrupted=policy,
                 voice={"rate": 300})
    begin = instant(node.clock.in_future(0)) // 3600 * 3600 + 3600  # 21:00 of the node's clock
    for policy in ("resume", "restart"):
        receipt = quiet_cut(rig, node, f"tin-{policy}", policy)
        between(instant(receipt["at"]) - begin, -1.5, 0.25, "when it was cut off")
    ends_in(node, "tin-drop", "drop", "cancelled", "quiet-hours")
    rig.wait(lambda: node.clock.now() > begin + 0.5, "nine o'clock")
    before = {policy: said(rig, policy) for policy in policies}
    for policy in policies:
        between(last_sound(rig, node, policy) - begin, -1.5, 0.0, f"the last sound: {policy}")
        node.wait_state(policy, "idle" if policy == "drop" else "held")
        between(len(before[policy]), 6, 25, "words before the night")
    node.kill()  # what was cut off is not said at night because of a restart either
    node.start()
    rig.settle()
    wall(node, "04:59:59", days=1)
    for policy in ("resume", "restart"):
        ends_in(node, f"tin-{policy}", policy, "finished", timeout=30)
        same(node.events(f"tin-{policy}", policy),
             ["accepted", "started", "interrupted", "resumed", "finished"])
    slowly = [" ".join([word] * 6) for word in sentences]
    for policy in policies:
        same(said(rig, policy)[:len(before[policy])], before[policy], f"nothing at night: {policy}")
    after = {policy: said(rig, policy)[len(before[policy]):] for policy in policies}
    goes_on_at_its_sentence(before["resume"], after["resume"], slowly)
    same(after["restart"], words(slowly))
    same(after["drop"], [])


def test_d2_interrupted_before_and_not_resumed_in_them(rig):
    """An emergency lasts beyond nine: what it cut off waits for the morning, over a restart."""
    node = night(rig, "20:59:40")
    announce(rig, node, "tin", text(LONG[:3]))
    wait_said(rig, "loa", "hai")
    rig.announce("trung-tam", "khan", text(["chín chín chín mười"] * 3), priority="emergency",
                 repeat={"times": 2, "gap": "2s"})
    node.wait_receipt("tin", "interrupted", "loa")
    wall(node, "20:59:57")
    node.wait_receipt("khan", "finished", "loa")
    assert node.clock.now() % 86400 > 14 * 3600, "nine o'clock has passed (UTC+7)"
    node.wait_queue("loa", lambda q: [i["waits"] for i in q["items"]] == ["quiet-hours"])
    node.restart()
    rig.settle()
    at_night = said(rig, "loa")
    before = at_night[:at_night.index("chín")]
    same([w for w in at_night[len(before):] if w not in SHORT], [], "of it, at night")
    wall(node, "05:00:00", days=1)
    ends_in(node, "tin", "loa", "finished")
    after = said(rig, "loa")[len(at_night):]
    goes_on_at_its_sentence(before, after, LONG[:3])


def test_d2_killed_before_them_and_started_in_them(rig):
    node = night(rig, "20:59:40")
    announce(rig, node, "tin", text(LONG[:3]))
    announce(rig, node, "het", text(LONG[:3]), seconds=600)
    wait_said(rig, "loa", "hai")
    node.kill()
    before, frames = heard_till_now(rig, "loa")
    wall(node, "21:00:30")
    node.start()
    ends_in(node, "het", "loa", "expired", "quiet-hours")
    node.wait_queue("loa", lambda q: [i["waits"] for i in q["items"]] == ["quiet-hours"])
    same(said_since(rig, "loa", frames), [], "at night")
    wall(node, "04:59:59", days=1)
    ends_in(node, "tin", "loa", "finished")
    goes_on_at_its_sentence(before, said_since(rig, "loa", frames), LONG[:3])


def test_d2_a_clock_set_into_them_and_out_of_them(rig):
    """While it speaks the clock is set from 14:00 to 21:30: silence. And back: it goes on."""
    node = night(rig, "14:00:00")
    announce(rig, node, "tin", text(LONG), seconds=86400)
    wait_said(rig, "loa", "hai")
    wall(node, "21:30:00")
    node.wait_receipt("tin", "interrupted", "loa")
    before = said(rig, "loa")
    assert "bốn" not in before, f"it went on at night: {before}"
    node.wait_queue("loa", lambda q: [i["waits"] for i in q["items"]] == ["quiet-hours"])
    wall(node, "14:00:20")
    ends_in(node, "tin", "loa", "finished")
    goes_on_at_its_sentence(before, said(rig, "loa")[len(before):], LONG)
    same(len(finals(node, "tin", "loa")), 1)


# --- gain_by_hour ------------------------------------------------------------------------------

def test_gain_by_hour_changes_the_level_at_its_hour(rig):
    """While it speaks, at the minute."""
    node = night(rig, "06:29:57", [card(rig, "loa", gain_db=-3.0, gain_by_hour=[
        {"hours": "05:00-06:30", "gain_db": -12.0}])])
    rig.announce("trung-tam", "tin", " ".join(["một"] * 30))
    ends_in(node, "tin", "loa", "finished")
    sound = rig.alsa.heard("loa")
    heard = analysis.tone_words(sound, threshold_db=-60)
    same(len(heard), 30, "words")
    level = [analysis.rms_db(sound[int((a + 0.04) * 48000):int((b - 0.04) * 48000)])
             for _, a, b in heard]
    near(level[-1] - level[0], 9.0, 0.3, "the level after half past six (dB)")
    change = next(i for i, value in enumerate(level) if value > level[0] + 4.5)
    at = node.clock.real_of(rig.alsa.mono_of_frame("loa", heard[change][1] * analysis.RATE))
    near(at % 86400, (24 + 6.5 - 7) % 24 * 3600, 0.35, "when it changed (seconds of the day, UTC)")
