# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS C1: the node ends, by kill -9 or in order, at any instant. Nothing that was accepted is
lost, nothing that was finished is said again, what was cut off goes on by its policy."""

import random
import time

from case import between, options, same
from heard import (barrier, card, ends_in, finals, goes_on_at_its_sentence, heard_till_now, said,
                   said_since, story, text, wait_frames, wait_said, words)
from rig import analysis

POLICIES = ("resume", "restart", "drop")
# The third sentence is on air for longer than it takes until the disk knows it.
FOUR = ("một năm sáu", "hai năm sáu", "ba" + " năm sáu" * 7, "bốn năm sáu")


def three(rig, speech):
    return rig.node("ubnd", [card(rig, policy, policy) for policy in POLICIES], speech=speech)


def third_sentence_on_air(rig, node):
    for policy in POLICIES:
        rig.announce(policy, f"tin-{policy}", text(FOUR), interrupted=policy)
    for policy in POLICIES:
        wait_frames(rig, policy, 3.4)  # the third sentence is on air from 1.8 s to 4.8 s


def check_policies(rig, node, before):
    for policy in ("resume", "restart"):
        ends_in(node, f"tin-{policy}", policy, "finished", timeout=30)
        same(story(node, policy, f"tin-{policy}")[-2:],
             [f"tin-{policy} resumed", f"tin-{policy} finished"])
        same(node.events(f"tin-{policy}", policy).count("started"), 1)
    ends_in(node, "tin-drop", "drop", "cancelled")
    barrier(rig, node, "all")
    after = {policy: said_since(rig, policy, before[policy][1])[:-1] for policy in POLICIES}
    goes_on_at_its_sentence(before["resume"][0], after["resume"], FOUR)
    same(after["resume"][0], "ba", "the sentence it went on with")
    same(after["restart"], words(FOUR), "restart")
    same(after["drop"], [], "drop")
    for policy in POLICIES:
        same(len(finals(node, f"tin-{policy}", policy)), 1, policy)


@options(timeout=90)
def test_c1_killed_in_the_third_sentence(rig):
    engine, speech = rig.tone_engine()
    node = three(rig, speech)
    third_sentence_on_air(rig, node)
    node.kill()
    before = {policy: heard_till_now(rig, policy) for policy in POLICIES}
    node.start()
    check_policies(rig, node, before)
    node.restart()  # and never again
    barrier(rig, node, "all", id="sau-nua")
    for policy in POLICIES:
        same(said(rig, policy)[-2:], ["tám", "tám"], policy)


@options(timeout=90)
def test_c1_stopped_in_order_in_the_third_sentence(rig):
    engine, speech = rig.tone_engine()
    node = three(rig, speech)
    third_sentence_on_air(rig, node)
    node.stop()
    before = {policy: heard_till_now(rig, policy) for policy in POLICIES}
    node.start()
    check_policies(rig, node, before)
    for policy in ("resume", "restart"):
        same(node.events(f"tin-{policy}", policy),
             ["accepted", "started", "interrupted", "resumed", "finished"])


def test_c1_killed_in_the_second_repetition(rig):
    """It goes on in that repetition: the first is not said again."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    sentences = ("một hai ba", "bốn năm sáu bảy tám năm sáu bảy tám")
    rig.announce("trung-tam", "lap", text(sentences), repeat={"times": 2, "gap": "1s"})
    wait_frames(rig, "loa", 5.9)  # its second sentence is on air from 4.6 s to 6.4 s
    node.kill()
    before, frames = heard_till_now(rig, "loa")
    node.start()
    ends_in(node, "lap", "loa", "finished")
    same(said_since(rig, "loa", frames), words(sentences[1:]), f"after {before}")


def test_c1_expired_while_it_was_off(rig):
    """Cut off, and the time in which it could go on has passed: it is not said any more."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    for how in ("kill", "stop"):
        rig.announce("trung-tam", how, text(FOUR), expires=rig.in_future(4))
        wait_frames(rig, "loa", len(rig.alsa.heard("loa")) / analysis.RATE + 0.5)
        expires = time.monotonic() + 4
        getattr(node, how)()
        before = said(rig, "loa")
        rig.wait(lambda: time.monotonic() > expires, "it to expire")
        node.start()
        receipt = ends_in(node, how, "loa", "expired", "expired")
        assert how == "kill" or receipt["seconds_played"] > 0.1, receipt
        same(said(rig, "loa"), before, how)
    barrier(rig, node)


def test_c1_what_waits_survives_and_keeps_its_order(rig):
    """Behind the one that is on air: by priority, then start, then arrival, as before the kill."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "dau", text(["một một một một một một"] * 2))
    wait_said(rig, "loa", "một", 2)
    for id, word, fields in (("b", "hai", {"priority": "background"}), ("n1", "ba", {}),
                             ("n2", "bốn", {}), ("hen", "năm", {"start": rig.in_future(-1)})):
        rig.announce("trung-tam", id, word, **fields)
        node.wait_receipt(id, "accepted")
    rig.client.publish(rig.zone("trung-tam"), {"id": "mot-lan", "text": "sáu"})  # not retained
    node.wait_receipt("mot-lan", "accepted")
    node.kill()
    node.start()
    for id in ("dau", "hen", "n1", "n2", "mot-lan", "b"):
        ends_in(node, id, "loa", "finished")
    same([w for w in said(rig, "loa") if w != "một"], ["năm", "ba", "bốn", "sáu", "hai"])
    for id in ("n1", "n2", "hen", "b", "mot-lan"):
        same(node.events(id, "loa"), ["accepted", "started", "finished"])


def test_c1_finished_is_not_said_again(rig):
    """Killed right behind `finished`, with the retained message still on the broker."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    for i in range(5):
        rig.announce("trung-tam", f"tin-{i}", "một hai")
        node.wait_receipt(f"tin-{i}", "finished", "loa")
        node.kill()
        node.start()
    barrier(rig, node)
    same(said(rig, "loa"), ["một", "hai"] * 5 + ["tám"])
    for i in range(5):
        same(node.events(f"tin-{i}", "loa"), ["accepted", "started", "finished"])


# --- at the moment of arrival ------------------------------------------------------------------

KILLS = 60


@options(first=True, timeout=120)
def test_c1_killed_at_the_moment_of_arrival(rig):
    """Sixty times, at a random instant of the first 40 ms after publishing: on arrival, before and
    after the fsync, while it is prepared, while it is played. What is retained is heard, what is not
    may be lost, but only if it was not accepted. Again is heard only what the kill has cut off."""
    seed = int(time.time())
    chance = random.Random(seed)
    print("seed", seed)
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa", unpaced=1)], speech=speech)
    tones = list(analysis.TONES)
    names = [f"tin-{i}" for i in range(KILLS)]
    signature = {name: [tones[i % 9], tones[9], tones[i // 9]] for i, name in enumerate(names)}
    finished = []  # whether it had said so before it was killed
    for i, name in enumerate(names):
        message = {"id": name, "text": " ".join(signature[name])}
        rig.client.publish(rig.zone("trung-tam", f"announce/{name}" if i % 2 else "announce"),
                           message, retain=bool(i % 2))
        time.sleep(chance.random() * 0.040)  # the instant of the kill
        node.kill()
        finished.append(bool(node.receipts(name, "finished")))
        node.start(wait=False)
        if i % 2 or node.receipts(name, "accepted"):
            node.wait_receipt(name, "finished", "loa")
    barrier(rig, node, id="sau-cung")
    heard = said(rig, "loa")
    for i, name in enumerate(names):
        count = sum(heard[at:at + 3] == signature[name] for at in range(len(heard)))
        accepted, ends = node.receipts(name, "accepted"), finals(node, name, "loa")
        if not accepted:
            assert not i % 2, f"{name} is retained, but not accepted"
            same((count, len(ends)), (0, 0), f"{name} was never accepted")
            continue
        same([r["event"] for r in ends], ["finished"], name)
        between(count, 1, 1 if finished[i] else 2, f"times that {name} was heard")
