# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS C4: what is on air, and what arrives. Judged by what the loudspeaker has played and by the
receipts."""

import time

from case import between, near, options, same
from heard import (LONG, SHORT, barrier, card, ends_in, finals, goes_on_at_its_sentence, said, split,
                   story, text, wait_frames, wait_said, words)
from recordings import hum
from rig import analysis
from rig.node import mono_of, rfc3339

PRIORITIES = ("background", "normal", "priority", "emergency")
ONCE = {"repeat": {"times": 1}}
DUCK_DB = -15.0


def interrupts(on, comes):
    """Whether `comes` cuts off `on` (else it waits, or ducks it)."""
    if on == "background":
        return comes == "emergency"
    return PRIORITIES.index(comes) > PRIORITIES.index(on)


def ducks(on, comes):
    return on == "background" and comes in ("normal", "priority")


def expected_story(on, comes):
    if interrupts(on, comes):
        return ["duoi started", "duoi interrupted", "tren started", "tren finished",
                "duoi resumed", "duoi finished"]
    if ducks(on, comes):
        return ["duoi started", "tren started", "tren finished", "duoi finished"]
    return ["duoi started", "duoi finished", "tren started", "tren finished"]


def check_pair(rig, node, on, comes):
    name = f"{on}-{comes}"
    receipts = story(node, name, f"duoi-{name}", f"tren-{name}")
    same([r.replace(f"-{name}", "") for r in receipts], expected_story(on, comes), name)
    if ducks(on, comes):
        tracks = analysis.Tracks(rig.alsa.heard(name)).words(threshold=0.012)
        have = [word for word, _, _ in tracks]
        same([w for w in have if w not in SHORT.split()], words(LONG[:3]), f"under: {name}")
        same([w for w in have if w in SHORT.split()], SHORT.split(), f"over: {name}")
        return
    before, after = split(said(rig, name), SHORT)
    if interrupts(on, comes):
        goes_on_at_its_sentence(before, after, LONG[:3])
        assert len(before) < len(words(LONG[:2])), f"{name}: not at once: {before}"
    else:
        same((before, after), (words(LONG[:3]), []), name)


@options(first=True, timeout=90)
def test_c4_every_pair_of_priorities(rig):
    """Sixteen loudspeakers, each with one pair; all below begin at one instant, and when every one
    of them is in its second sentence all newcomers are sent."""
    engine, speech = rig.tone_engine()
    pairs = [(on, comes) for on in PRIORITIES for comes in PRIORITIES]
    names = [f"{on}-{comes}" for on, comes in pairs]
    node = rig.node("ubnd", [card(rig, name, name, buffer_frames=9600) for name in names],
                    speech=speech)
    start = time.time() + 2
    for (on, comes), name in zip(pairs, names):
        rig.announce(name, f"duoi-{name}", text(LONG[:3]), priority=on, start=rfc3339(start), **ONCE)
    rig.wait(lambda: time.time() > start + 1.45, "the second sentence")
    for (on, comes), name in zip(pairs, names):
        rig.announce(name, f"tren-{name}", SHORT, priority=comes, **ONCE)
    for name in names:
        for which in ("tren", "duoi"):
            node.wait_receipt(f"{which}-{name}", "finished", name)
    for on, comes in pairs:
        check_pair(rig, node, on, comes)


def test_c4_policies(rig):
    """resume and restart are heard to their end, drop is not, and says so."""
    engine, speech = rig.tone_engine()
    policies = ("resume", "restart", "drop")
    node = rig.node("ubnd", [card(rig, p, p, buffer_frames=9600) for p in policies], speech=speech)
    for policy in policies:
        rig.announce(policy, f"duoi-{policy}", text(LONG[:2]), interrupted=policy)
    for policy in policies:
        wait_said(rig, policy, "hai")
    rig.announce("all", "tren", SHORT, priority="emergency", **ONCE)
    node.wait_finished("tren")
    for policy in ("resume", "restart"):
        ends_in(node, f"duoi-{policy}", policy, "finished")
        same(node.events(f"duoi-{policy}", policy),
             ["accepted", "started", "interrupted", "resumed", "finished"], policy)
    cancelled = ends_in(node, "duoi-drop", "drop", "cancelled")
    same(node.events("duoi-drop", "drop"), ["accepted", "started", "cancelled"])
    assert cancelled["detail"], "why, in words"
    barrier(rig, node, "all")
    goes_on_at_its_sentence(*split(said(rig, "resume")[:-1], SHORT), LONG[:2])
    before, after = split(said(rig, "restart")[:-1], SHORT)
    same(after, words(LONG[:2]), "restart")
    before, after = split(said(rig, "drop")[:-1], SHORT)
    same((before, after), (words(LONG[:2])[:len(before)], []), "drop")


def test_c4_seconds_of_what_was_interrupted(rig):
    """What was heard before counts, what was repeated too."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "duoi", text(LONG[:2]))
    wait_said(rig, "loa", "hai")
    rig.announce("trung-tam", "tren", SHORT, priority="emergency", **ONCE)
    finished = node.wait_receipt("duoi", "finished", "loa")
    interrupted = node.receipts("duoi", "interrupted", "loa")[0]
    between(interrupted["seconds_played"], 1.2, 2.8, "played when it was cut off")
    heard = 0.2 * len([w for w in said(rig, "loa") if w not in SHORT.split()]) + 0.3
    near(finished["seconds_played"], heard, 0.4, "played at the end")


# --- how it sounds -----------------------------------------------------------------------------

@options(plain_only=True)
def test_c4_fades_quickly_and_the_newcomer_is_soon_there(rig):
    """A lasting tone is cut off in 50 ms, not so abruptly that it cracks, and what has cut it off is
    heard at once."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    hash = hum(rig, "một", 30)
    soon = {}
    for priority in ("priority", "emergency"):
        rig.announce("trung-tam", f"duoi-{priority}", media=hash, interrupted="drop")
        node.wait_receipt(f"duoi-{priority}", "started", "loa")
        wait_frames(rig, "loa", len(rig.alsa.heard("loa")) / analysis.RATE + 0.4)
        sent = rig.announce("trung-tam", f"tren-{priority}", SHORT, priority=priority, **ONCE)
        node.wait_receipt(f"tren-{priority}", "finished", "loa")
        begins = analysis.Tracks(rig.alsa.heard("loa")).runs("chín")[-1][0]
        soon[priority] = rig.alsa.mono_of_frame("loa", begins * analysis.RATE) - sent
    between(max(soon.values()), 0, 0.4, f"first sound after sending: {soon}")
    fades = analysis.fades(rig.alsa.heard("loa"), "một")
    same(len(fades), 2, f"ends of the tone: {fades}")
    for end, seconds in fades:
        between(seconds, 0.010, 0.050, f"seconds of the fade at {end:.3f}")


@options(plain_only=True)
def test_c4_a_newcomer_with_a_start_leaves_the_other_till_then(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    sentences = [" ".join(["một", "năm"] * 3)] * 4
    rig.announce("trung-tam", "duoi", text(sentences))
    wait_said(rig, "loa", "một")
    start = rig.in_future(3.5)
    rig.announce("trung-tam", "tren", SHORT, priority="priority", start=start, **ONCE)
    node.wait_receipt("tren", "started", "loa")
    node.wait_receipt("duoi", "finished", "loa")
    tracks = analysis.Tracks(rig.alsa.heard("loa"))
    (begins, _), = tracks.runs("chín")
    near(rig.alsa.mono_of_frame("loa", begins * analysis.RATE), mono_of(start), 0.05, "its start")
    # till then the other one spoke: a pause between two of its sentences is 0.3 s
    before = [end for word in ("một", "năm") for at, end in tracks.runs(word, shortest=0.02)
              if at < begins]
    between(begins - max(before), -0.1, 0.4, "silence before it")
    same(story(node, "loa"), ["duoi started", "duoi interrupted", "tren started", "tren finished",
                              "duoi resumed", "duoi finished"])


def level_under(tracks, word, spans):
    return [tracks.loudest(word, a, b) for a, b in spans]


def test_c4_background_is_ducked_and_comes_back(rig):
    """Under normal and under priority by 15 dB, at its own level again after; it loses no word."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa", sound="flat")], speech=speech)
    rig.announce("trung-tam", "nen", " ".join(["một"] * 45) + ".", priority="background")
    for id, priority in (("thuong", "normal"), ("uu-tien", "priority")):
        wait_said(rig, "loa", "một", 3 if id == "thuong" else 1)
        rig.announce("trung-tam", id, "mười mười mười mười mười", priority=priority)
        node.wait_receipt(id, "finished", "loa")
    node.wait_receipt("nen", "finished", "loa", timeout=30)
    same(node.events("nen", "loa"), ["accepted", "started", "finished"])
    tracks = analysis.Tracks(rig.alsa.heard("loa"))
    over = tracks.runs("mười")
    same(len(over), 10, "words over it")
    full = tracks.loudest("một", 0, 0.5)
    near(tracks.loudest("một", over[-1][1] + 1, over[-1][1] + 2.5), full, 0.5, "after")
    # the ramp lies under the first word or two of what comes at once
    for span in ((over[2][0], over[4][0]), (over[7][0], over[9][0])):
        near(tracks.loudest("một", *span) - full, DUCK_DB, 1.0, "ducked by (dB)")
    # both are equally loud, which is some dB less for the higher of two tones
    near(tracks.loudest("mười", over[2][0], over[2][1]), full, 4.5, "the level of what ducks it")
    same(len(tracks.runs("một", threshold=0.012)), 45, "words of the background")


def test_c4_nothing_lies_under_an_emergency(rig):
    """Nothing lies under an emergency, its pauses between repetitions included."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "nen", text(["một một một một một"] * 4), priority="background")
    wait_said(rig, "loa", "một", 2)
    rig.announce("trung-tam", "khan", SHORT, priority="emergency",
                 repeat={"times": 2, "gap": "1s"})
    node.wait_receipt("khan", "finished", "loa")
    node.wait_receipt("nen", "finished", "loa")
    tracks = analysis.Tracks(rig.alsa.heard("loa"))
    first, last = tracks.runs("chín")[0][0], tracks.runs("mười")[-1][1]
    assert tracks.loudest("một", first + 0.1, last) < -50, "the background lay under the emergency"
    same(story(node, "loa"), ["nen started", "nen interrupted", "khan started", "khan finished",
                              "nen resumed", "nen finished"])


# --- more than two -----------------------------------------------------------------------------

def test_c4_a_chain_unwinds(rig):
    """normal < priority < emergency, each into the one before; then each goes on, highest first."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    chain = (("thuong", "normal", "một"), ("uu-tien", "priority", "ba"),
             ("khan", "emergency", "bảy"))
    for id, priority, word in chain:
        rig.announce("trung-tam", id, text([f"{word} {word} {word} {word}"] * 2),
                     priority=priority, **ONCE)
        wait_said(rig, "loa", word, 2)
    for id, _, _ in chain:
        ends_in(node, id, "loa", "finished")
    same(story(node, "loa"), [
        "thuong started", "thuong interrupted", "uu-tien started", "uu-tien interrupted",
        "khan started", "khan finished", "uu-tien resumed", "uu-tien finished",
        "thuong resumed", "thuong finished"])
    order = [word for i, word in enumerate(said(rig, "loa"))
             if i == 0 or word != said(rig, "loa")[i - 1]]
    same(order, ["một", "ba", "bảy", "ba", "một"])


def test_c4_emergencies_in_order_of_arrival(rig):
    """Five within a moment, over one that speaks: each whole, none into another."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    spoken = ("một hai", "ba bốn", "năm sáu", "bảy tám", "chín mười")
    for i, two in enumerate(spoken):
        rig.announce("trung-tam", f"khan-{i}", two, priority="emergency", **ONCE)
    for i in range(len(spoken)):
        same(node.wait_receipt(f"khan-{i}", "finished", "loa")["reason"], None)
    same(said(rig, "loa"), words(spoken))
    same(node.receipts(None, "interrupted"), [])


def test_c4_two_of_one_priority_collide_and_either_can_be_moved(rig):
    """At one instant: in the order of arrival. A newer revision moves one behind the other."""
    engine, speech = rig.tone_engine()
    zones = ("giu", "doi-truoc", "doi-sau")
    node = rig.node("ubnd", [card(rig, zone, zone) for zone in zones], speech=speech)
    start, later, sooner = rig.in_future(4), rig.in_future(4.3), rig.in_future(3.7)
    for zone in zones:
        rig.announce(zone, f"a-{zone}", "một hai", priority="priority", start=start)
        rig.announce(zone, f"b-{zone}", "ba bốn", priority="priority", start=start)
    rig.announce("doi-truoc", "a-doi-truoc", "một hai", priority="priority", start=later, revision=2)
    rig.announce("doi-sau", "b-doi-sau", "ba bốn", priority="priority", start=sooner, revision=2)
    for zone in zones:
        for which in "ab":
            node.wait_receipt(f"{which}-{zone}", "finished", zone)
    same(said(rig, "giu"), ["một", "hai", "ba", "bốn"])
    same(said(rig, "doi-truoc"), ["ba", "bốn", "một", "hai"])
    same(said(rig, "doi-sau"), ["ba", "bốn", "một", "hai"])


# --- a newer revision, a withdrawal ------------------------------------------------------------

def interrupted_under_emergency(rig, *ids):
    """A node on which each of `ids` (on a loudspeaker of its own name) was cut off by an emergency
    that still speaks."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, id, id) for id in ids], speech=speech)
    for id in ids:
        rig.announce(id, id, text(LONG[:3]))
    for id in ids:
        wait_said(rig, id, "hai")
    rig.announce("all", "khan", text(["chín chín chín chín mười"] * 2), priority="emergency", **ONCE)
    for id in ids:
        node.wait_receipt(id, "interrupted", id)
    return node


def test_c4_what_waits_interrupted_is_withdrawn_or_replaced(rig):
    node = interrupted_under_emergency(rig, "rut", "sua", "giu")
    rig.withdraw("rut", "rut")
    rig.announce("sua", "sua", "bảy tám", revision=2)
    same(node.wait_receipt("rut", "cancelled", "rut")["reason"], "withdrawn")
    node.wait_receipt("sua", "superseded", "sua")
    node.wait_finished("khan")
    same(node.wait_receipt("sua", "finished", "sua")["revision"], 2)
    ends_in(node, "giu", "giu", "finished")
    barrier(rig, node, "all", word="bảy")
    same(len(finals(node, "rut", "rut")), 1)
    same([(r["event"], r["revision"]) for r in finals(node, "sua", "sua")],
         [("superseded", 1), ("finished", 2)])
    after = {name: said(rig, name)[len(said(rig, name)) - said(rig, name)[::-1].index("mười"):]
             for name in ("rut", "sua")}
    same(after, {"rut": ["bảy"], "sua": ["bảy", "tám", "bảy"]}, "after the emergency")


def test_c4_what_interrupts_is_replaced(rig):
    """An emergency is corrected while it speaks: the correction is said, then what it cut off."""
    node = interrupted_under_emergency(rig, "rut", "sua")
    for name in ("rut", "sua"):
        wait_said(rig, name, "chín")
    rig.announce("all", "khan", SHORT, priority="emergency", revision=2, **ONCE)
    for name in ("rut", "sua"):
        same([r["revision"] for r in node.receipts("khan", "superseded", name)] or
             [node.wait_receipt("khan", "superseded", name)["revision"]], [1])
    for name in ("rut", "sua"):
        rig.wait(lambda: [r for r in node.receipts("khan", "finished", name)
                          if r["revision"] == 2], "the correction")
        ends_in(node, name, name, "finished")
        heard = said(rig, name)
        at = len(heard) - heard[::-1].index("mười") - 2
        same(heard[at:at + 2], SHORT.split(), f"the correction in {heard}")
        first = heard.index("chín")
        goes_on_at_its_sentence(heard[:first], heard[at + 2:], LONG[:3])


def test_c4_what_is_on_air_is_taken_back_while_another_waits_for_it(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "duoi", text(LONG[:3]))
    wait_said(rig, "loa", "hai")
    rig.announce("trung-tam", "khan", text(["chín chín chín mười"] * 3), priority="emergency")
    wait_said(rig, "loa", "chín")
    rig.withdraw("trung-tam", "khan")
    same(ends_in(node, "khan", "loa", "cancelled", "withdrawn")["event"], "cancelled")
    ends_in(node, "duoi", "loa", "finished")
    heard = said(rig, "loa")
    first = heard.index("chín")
    last = len(heard) - [w in ("chín", "mười") for w in heard][::-1].index(True)
    goes_on_at_its_sentence(heard[:first], heard[last:], LONG[:3])


def test_c4_what_is_being_prepared_is_withdrawn_replaced_or_overtaken(rig):
    """Preparing begins three seconds before the start."""
    engine, speech = rig.tone_engine()
    zones = ("rut", "sua", "khan")
    node = rig.node("ubnd", [card(rig, zone, zone) for zone in zones], speech=speech)
    start = rig.in_future(2.5)
    for zone in zones:
        rig.announce(zone, f"hen-{zone}", "một hai", start=start)
    rig.wait(lambda: len(engine.asked) >= 3, "all to be prepared")
    rig.withdraw("rut", "hen-rut")
    rig.announce("sua", "hen-sua", "ba bốn", start=start, revision=2)
    rig.announce("khan", "chen", SHORT, priority="emergency", **ONCE)
    same(ends_in(node, "hen-rut", "rut", "cancelled", "withdrawn")["event"], "cancelled")
    node.wait_receipt("hen-sua", "superseded", "sua")
    node.wait_receipt("chen", "finished", "khan")
    ends_in(node, "hen-khan", "khan", "finished")
    same(node.wait_receipt("hen-sua", "finished", "sua")["revision"], 2)
    barrier(rig, node, "rut")
    same(said(rig, "rut"), ["tám"])
    same(said(rig, "sua"), ["ba", "bốn"])
    same(said(rig, "khan"), SHORT.split() + ["một", "hai"])
    same(node.events("hen-khan", "khan"), ["accepted", "started", "finished"])
    first = analysis.tone_words(rig.alsa.heard("khan"))[2][1]
    near(rig.alsa.mono_of_frame("khan", first * analysis.RATE), mono_of(start), 0.06 * rig.scale,
         "the start of what was overtaken")
