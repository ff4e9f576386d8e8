# SPDX-License-Identifier: GPL-3.0-or-later
"""stop, skip, mute, unmute: the operator's hand on a zone's loudspeakers."""

import numpy as np

from case import between, options, same
from heard import (LONG, SHORT, barrier, card, ends_in, finals, goes_on_at_its_sentence, said, split,
                   story, text, wait_frames, wait_said, words)
from recordings import hum
from rig import analysis
from rig.node import mono_of

SILENT_WITHIN = 0.200
THREE = LONG[:3]
HUM = " ".join(["một"] * 60) + "."


def two_zones(rig, **changes):
    engine, speech = rig.tone_engine()
    return rig.node("ubnd", [card(rig, "bac", "bac"), card(rig, "nam", "nam")], speech=speech,
                    **changes)


def last_sound(rig, name):
    """Monotonic time of the last frame that could be heard."""
    loud = np.flatnonzero(np.abs(rig.alsa.heard(name)) > 10 ** (-60 / 20))
    return rig.alsa.mono_of_frame(name, int(loud[-1]))


def both_speak(rig, node, **fields):
    for zone in ("bac", "nam"):
        rig.announce(zone, f"tin-{zone}", text(THREE), **fields)
    for zone in ("bac", "nam"):
        wait_said(rig, zone, "hai")


# --- mute and unmute ---------------------------------------------------------------------------

@options(plain_only=True)
def test_each_action_silences_within_200_ms(rig):
    """Measured at the loudspeaker, from just before the message was sent."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    hash, took = hum(rig, "một", 30), {}
    for action in ("stop", "skip", "mute"):
        rig.announce("trung-tam", action, media=hash, interrupted="drop")
        node.wait_receipt(action, "started", "loa")
        wait_frames(rig, "loa", len(rig.alsa.heard("loa")) / analysis.RATE + 0.3)
        sent = rig.control("trung-tam", action)
        ends_in(node, action, "loa", "cancelled", "muted" if action == "mute" else "stopped")
        node.wait_state("loa", "muted" if action == "mute" else "idle")
        took[action] = last_sound(rig, "loa") - sent
    between(max(took.values()), -0.1, SILENT_WITHIN, f"silent after (s): {took}")
    fades = analysis.fades(rig.alsa.heard("loa"), "một")
    same(len(fades), 3, f"ends of the tone: {fades}")
    between(min(seconds for _, seconds in fades), 0.010, 0.050, "the quickest fade")


def test_mute_silences_its_zone_and_holds_everything(rig):
    """The other zone goes on; what was cut off goes on at its sentence when it may; an emergency
    that came meanwhile goes first."""
    node = two_zones(rig)
    both_speak(rig, node)
    rig.control("bac", "mute")
    interrupted = node.wait_receipt("tin-bac", "interrupted", "bac")
    same(interrupted["reason"], "muted")
    node.wait_state("bac", "muted")
    rig.announce("bac", "khan", SHORT, priority="emergency", repeat={"times": 1})
    queue = node.wait_queue("bac", lambda q: q["length"] == 2)
    same([item["id"] for item in queue["items"]], ["khan", "tin-bac"])
    queue = node.wait_queue("bac", lambda q: all(i["waits"] == "muted" for i in q["items"]))
    assert all(item["detail"] for item in queue["items"]), "why, in words"
    ends_in(node, "tin-nam", "nam", "finished")
    same(said(rig, "nam"), words(THREE))
    before = said(rig, "bac")
    same(node.receipts("khan", "started"), [])
    rig.control("bac", "unmute")
    ends_in(node, "khan", "bac", "finished")
    ends_in(node, "tin-bac", "bac", "finished")
    heard = said(rig, "bac")
    same(heard[:len(before)], before)
    goes_on_at_its_sentence(*split(heard, SHORT), THREE)
    same(story(node, "bac"), ["tin-bac started", "tin-bac interrupted", "khan started",
                              "khan finished", "tin-bac resumed", "tin-bac finished"])
    node.wait_state("bac", "idle")
    same(node.receipts("tin-nam", "interrupted"), [])


def test_mute_lasts_over_kill_and_restart(rig):
    node = two_zones(rig)
    both_speak(rig, node)
    rig.control("bac", "mute")
    node.wait_receipt("tin-bac", "interrupted", "bac")
    before = said(rig, "bac")
    for end in (node.kill, node.stop):
        end()
        node.start()
        node.wait_state("bac", "muted")
        rig.settle()
    ends_in(node, "tin-nam", "nam", "finished")
    rig.announce("bac", "khan", SHORT, priority="emergency", repeat={"times": 1})
    node.wait_receipt("khan", "accepted")
    barrier(rig, node, "nam")
    same(said(rig, "bac"), before, "while it is muted")
    rig.control("bac", "unmute")
    ends_in(node, "khan", "bac", "finished")
    ends_in(node, "tin-bac", "bac", "finished")
    goes_on_at_its_sentence(*split(said(rig, "bac"), SHORT), THREE)
    node.restart()  # that it is not muted lasts too
    node.wait_state("bac", "idle")


def test_mute_and_unmute_said_twice_change_nothing(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.control("trung-tam", "unmute")
    for _ in range(2):
        rig.control("trung-tam", "mute")
    rig.announce("trung-tam", "tin", "một hai")
    node.wait_queue("loa", lambda q: q["length"] == 1 and q["items"][0]["waits"] == "muted")
    for _ in range(2):
        rig.control("trung-tam", "unmute")
    ends_in(node, "tin", "loa", "finished")
    same(said(rig, "loa"), ["một", "hai"])
    node.wait_state("loa", "idle")


def test_muted_until_it_expires(rig):
    """It is not heard afterwards; the receipt says why."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.control("trung-tam", "mute")
    node.wait_state("loa", "muted")
    rig.announce("trung-tam", "tin", "một hai", expires=rig.in_future(1.5))
    rig.announce("trung-tam", "khan", "ba", priority="emergency", expires=rig.in_future(1.5))
    for id in ("tin", "khan"):
        ends_in(node, id, "loa", "expired", "muted")
    rig.control("trung-tam", "unmute")
    barrier(rig, node)
    same(said(rig, "loa"), ["tám"])


def test_mute_reaches_the_background_too(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "nen", text(["một một một một"] * 3), priority="background")
    wait_said(rig, "loa", "một", 1)
    rig.announce("trung-tam", "tin", text(["mười mười mười mười"] * 2))
    node.wait_receipt("tin", "started", "loa")
    rig.control("trung-tam", "mute")
    for id in ("nen", "tin"):
        same(node.wait_receipt(id, "interrupted", "loa")["reason"], "muted")
    node.wait_state("loa", "muted")
    frames = len(rig.alsa.heard("loa"))
    rig.control("trung-tam", "unmute")
    for id in ("tin", "nen"):
        ends_in(node, id, "loa", "finished")
    # the foreground first: the background begins only when nothing else is to be said
    assert analysis.tone_words(rig.alsa.heard("loa")[frames:])[0][0] == "mười"


# --- stop --------------------------------------------------------------------------------------

def test_stop_ends_all_but_what_is_to_start_later(rig):
    """What is on air, what was cut off by it, what waits and the background; not what has a start of
    its own that is still to come; and nothing of the other zone."""
    node = two_zones(rig)
    both_speak(rig, node)
    rig.announce("bac", "khan", text(["chín chín chín mười"] * 3), priority="emergency",
                 repeat={"times": 1})
    node.wait_receipt("khan", "started", "bac")
    rig.announce("bac", "cho", "bảy")
    rig.announce("bac", "nen", "bảy", priority="background")
    rig.announce("bac", "hen", "tám tám", start=rig.in_future(3.2))
    for id in ("cho", "nen", "hen"):
        node.wait_receipt(id, "accepted")
    rig.control("bac", "stop")
    for id in ("khan", "tin-bac", "cho", "nen"):
        assert ends_in(node, id, "bac", "cancelled", "stopped")["detail"], "why, in words"
    ends_in(node, "hen", "bac", "finished")
    ends_in(node, "tin-nam", "nam", "finished")
    same(said(rig, "nam"), words(THREE))
    heard = said(rig, "bac")
    same(heard[-2:], ["tám", "tám"])
    assert "bảy" not in heard and "ba" not in heard, heard


def test_stop_while_muted(rig):
    """Clears what is held; the mute stays."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.control("trung-tam", "mute")
    rig.announce("trung-tam", "tin", "một hai")
    node.wait_queue("loa", lambda q: q["length"] == 1)
    rig.control("trung-tam", "stop")
    ends_in(node, "tin", "loa", "cancelled", "stopped")
    rig.announce("trung-tam", "sau", "ba")
    node.wait_queue("loa", lambda q: q["length"] == 1 and q["items"][0]["waits"] == "muted")
    rig.control("trung-tam", "unmute")
    ends_in(node, "sau", "loa", "finished")
    same(said(rig, "loa"), ["ba"])


# --- skip --------------------------------------------------------------------------------------

def test_skip_lets_the_next_one_speak(rig):
    node = two_zones(rig)
    both_speak(rig, node)
    rig.announce("bac", "sau", SHORT)
    node.wait_receipt("sau", "accepted")
    rig.control("bac", "skip")
    assert ends_in(node, "tin-bac", "bac", "cancelled", "stopped")["detail"], "why, in words"
    ends_in(node, "sau", "bac", "finished")
    ends_in(node, "tin-nam", "nam", "finished")
    before, after = split(said(rig, "bac"), SHORT)
    same((before, after), (words(THREE)[:len(before)], []))
    same(said(rig, "nam"), words(THREE))
    rig.control("bac", "skip")  # nothing is there to be skipped
    barrier(rig, node, "bac")


def test_skip_of_an_emergency_lets_what_it_cut_off_go_on(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "tin", text(THREE))
    wait_said(rig, "loa", "hai")
    rig.announce("trung-tam", "khan", text(["chín chín chín mười"] * 5), priority="emergency")
    wait_said(rig, "loa", "chín", 2)  # one of them whole
    rig.control("trung-tam", "skip")
    ends_in(node, "khan", "loa", "cancelled", "stopped")
    ends_in(node, "tin", "loa", "finished")
    heard = said(rig, "loa")
    is_newcomer = [word in SHORT for word in heard]
    first, last = is_newcomer.index(True), len(heard) - is_newcomer[::-1].index(True)
    goes_on_at_its_sentence(heard[:first], heard[last:], THREE)
    same(len(finals(node, "khan", "loa")), 1)


def test_skip_is_of_the_foreground_first(rig):
    """With something to say over the background the former is skipped; then the background."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "nen", HUM, priority="background")
    wait_said(rig, "loa", "một", 2)
    rig.announce("trung-tam", "tin", " ".join(["mười"] * 40) + ".")
    node.wait_receipt("tin", "started", "loa")
    rig.control("trung-tam", "skip")
    skipped = ends_in(node, "tin", "loa", "cancelled", "stopped")
    rig.wait(lambda: len(rig.alsa.heard("loa")) and last_sound(rig, "loa") >
             mono_of(skipped["at"]) + 0.5, "the background to go on")
    same(finals(node, "nen", "loa"), [])
    rig.control("trung-tam", "skip")
    ends_in(node, "nen", "loa", "cancelled", "stopped")
    node.wait_state("loa", "idle")


def test_control_lives_through_the_end_of_the_node(rig):
    """What was stopped and skipped does not come back after kill -9 right behind it."""
    node = two_zones(rig)
    both_speak(rig, node)
    rig.control("bac", "stop")
    rig.control("nam", "skip")
    for zone in ("bac", "nam"):
        node.wait_receipt(f"tin-{zone}", "cancelled", zone)
    node.kill()
    before = {zone: said(rig, zone) for zone in ("bac", "nam")}
    node.start()
    barrier(rig, node, "all")
    for zone in ("bac", "nam"):
        same(said(rig, zone), before[zone] + ["tám"], zone)
        ends_in(node, f"tin-{zone}", zone, "cancelled", "stopped")
