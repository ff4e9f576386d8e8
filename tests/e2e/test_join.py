# SPDX-License-Identifier: GPL-3.0-or-later
"""Late joiners: a loudspeaker that comes back while the others are speaking (`join`). Two nodes, each
with a card of its own; both recordings are put on one time line and compared."""

import random
import time

import numpy as np

from case import between, near, options, same
from heard import card, ends_in, text
from rig import analysis
from rig.node import mono_of

RATE = analysis.RATE
IN_STEP_SECONDS = 0.005


def sentences(count, seed):
    """Words in an order that repeats nowhere: a place in it is found by its sound."""
    chance, words = random.Random(seed), []
    while len(words) < 6 * count:
        word = chance.choice(list(analysis.TONES))
        if not words or words[-1] != word:
            words.append(word)
    return [" ".join(words[i:i + 6]) for i in range(0, len(words), 6)]


LONG = sentences(12, 1)  # some 18 s
NEXT = sentences(3, 2)


def line(rig, name, origin):
    """What a card has played, each frame at its time since `origin` (monotonic)."""
    sound = rig.alsa.heard(name)
    starts = [(mono, frame) for mono, frame, event in rig.alsa.events(name) if event == "start"]
    times = np.zeros(0, dtype=np.float32)
    for i, (mono, frame) in enumerate(starts):
        end = starts[i + 1][1] if i + 1 < len(starts) else len(sound)
        at = int(round((mono - origin) * RATE))
        if at < 0:
            continue
        if at + end - frame > len(times):
            times = np.concatenate((times, np.zeros(at + end - frame - len(times), np.float32)))
        times[at:at + end - frame] = sound[frame:end]
    return times


def in_step(rig, origin, begin, end, least_words):
    """Between these instants the second card says what the first one says, at the same time."""
    a, b = (line(rig, name, origin)[int((begin - origin) * RATE):int((end - origin) * RATE)]
            for name in ("loa0", "loa1"))
    size = min(len(a), len(b))
    words = [analysis.tone_words(sound[:size]) for sound in (a, b)]
    assert len(words[1]) >= least_words, f"only {len(words[1])} words were heard: {words[1]}"
    lag = analysis.lag_frames(a[:size], b[:size]) / RATE
    print(f"{len(words[1])} words, {1000 * lag:.2f} ms apart")
    assert abs(lag) <= IN_STEP_SECONDS, f"{1000 * lag:.1f} ms apart"
    same([w for w, _, _ in words[1]][1:], [w for w, _, _ in words[0]][1:], "words")
    for (word, x, _), (_, y, _) in list(zip(*words))[1:]:
        near(y, x, IN_STEP_SECONDS, f"{word} begins")


def two(rig, join, late=False, **numbers):
    """(the node that stays, the one that comes late); `late`: it has not been started."""
    engine, speech = rig.tone_engine()
    return [rig.node(name, [card(rig, output, **more)], speech=speech, start=start)
            for name, output, start, more in (
                ("nut-a", "loa0", True, {}),
                ("nut-b", "loa1", not late, {"join": join, **numbers}))]


def announce_soon(rig, id="dai", words=LONG, seconds=1.5, **more):
    """Returns its start, by the monotonic clock."""
    start = time.monotonic() + seconds
    rig.announce("trung-tam", id, text(words), start=rig.in_future(seconds), **more)
    return start


def wait_mono(rig, mono):
    rig.wait(lambda: time.monotonic() > mono, "that instant")


def joined(rig, node, event):
    """It came in in the middle, and says so. Returns its first sound."""
    receipt = node.wait_receipt("dai", event, "loa1")
    same(receipt["reason"], "late", event)
    assert "giữa chừng" in receipt["detail"], receipt["detail"]
    return mono_of(receipt["at"])


def ends_together(rig, nodes, start, begun):
    whole = ends_in(nodes[0], "dai", "loa0", "finished", timeout=40)
    part = ends_in(nodes[1], "dai", "loa1", "finished", timeout=40)
    near(mono_of(part["at"]), mono_of(whole["at"]), 0.05 * rig.scale, "their end")
    near(part["seconds_asked"], whole["seconds_asked"], 0.02, "seconds of the whole")
    between(part["seconds_played"], 3, whole["seconds_played"] - 0.3, "seconds heard")
    in_step(rig, start - 1, begun + 0.1, mono_of(whole["at"]), 12)
    return part


def next_together(rig, nodes, after=0):
    """What comes after that instant is in step, from its beginning."""
    start = announce_soon(rig, "sau", NEXT, max(1.5, after + 0.5 - time.monotonic()))
    ends = [ends_in(node, "sau", output, "finished") for node, output in zip(nodes, ("loa0", "loa1"))]
    same([e["reason"] for e in ends], [None, None], "reasons")
    in_step(rig, start - 1, start - 0.2, mono_of(ends[0]["at"]) + 0.2, 18)


@options(timeout=90)
def test_killed_and_back_at_the_right_place(rig):
    nodes = two(rig, "place")
    start = announce_soon(rig)
    wait_mono(rig, start + 2.5)
    nodes[1].kill()
    nodes[1].start()
    begun = joined(rig, nodes[1], "resumed")
    part = ends_together(rig, nodes, start, begun)
    assert part["seconds_played"] > mono_of(part["at"]) - begun + 0.5, "heard before it was killed"
    next_together(rig, nodes)
    same(nodes[1].events("dai", "loa1"), ["accepted", "started", "resumed", "finished"])


@options(timeout=90)
def test_started_late_it_comes_in_at_the_right_place(rig):
    nodes = two(rig, "place", late=True)
    start = announce_soon(rig)
    wait_mono(rig, start + 2.5)
    nodes[1].start()
    begun = joined(rig, nodes[1], "started")
    part = ends_together(rig, nodes, start, begun)
    near(part["seconds_played"], mono_of(part["at"]) - begun, 0.05 * rig.scale, "heard")
    next_together(rig, nodes)
    same(nodes[1].events("dai", "loa1"), ["accepted", "started", "finished"])


@options(timeout=90)
def test_unplugged_and_back_at_the_right_place(rig):
    nodes = two(rig, "place")
    start = announce_soon(rig)
    wait_mono(rig, start + 2)
    rig.alsa.control("loa1", absent=1)
    nodes[1].wait_receipt("dai", "interrupted", "loa1")
    rig.alsa.control("loa1", absent=0)
    begun = joined(rig, nodes[1], "resumed")
    ends_together(rig, nodes, start, begun)
    next_together(rig, nodes)


@options(timeout=90)
def test_joined_and_interrupted_it_goes_on_like_the_others(rig):
    """It knows at which sentence it was, though it has not said those before it."""
    nodes = two(rig, "place", late=True)
    start = announce_soon(rig)
    wait_mono(rig, start + 2.5)
    nodes[1].start()
    begun = joined(rig, nodes[1], "started")
    wait_mono(rig, begun + 3)
    announce_soon(rig, "gap", NEXT[:1], 1, priority="emergency", repeat={"times": 1})
    whole, part = (ends_in(node, "dai", output, "finished", timeout=40)
                   for node, output in zip(nodes, ("loa0", "loa1")))
    in_step(rig, start - 1, begun + 0.1, mono_of(whole["at"]) + 0.1, 40)
    same(nodes[1].events("dai", "loa1"),
         ["accepted", "started", "interrupted", "resumed", "finished"])
    between(part["seconds_played"], 3, whole["seconds_played"] - 0.3, "seconds heard")


@options(timeout=90)
def test_what_is_queued_behind_begins_in_step(rig):
    nodes = two(rig, "place", late=True)
    start = announce_soon(rig)
    announce_soon(rig, "sau", NEXT)
    wait_mono(rig, start + 2)
    nodes[1].start()
    joined(rig, nodes[1], "started")
    ends = [ends_in(node, "sau", output, "finished", timeout=40)
            for node, output in zip(nodes, ("loa0", "loa1"))]
    same([e["reason"] for e in ends], [None, None], "reasons")
    began = nodes[0].receipts("sau", "started", "loa0")[0]
    in_step(rig, start - 1, mono_of(began["at"]) - 0.05, mono_of(ends[0]["at"]) + 0.1, 18)


@options(timeout=90)
def test_waits_for_the_next(rig):
    nodes = two(rig, "next", late=True)
    start = announce_soon(rig)
    wait_mono(rig, start + 3)
    nodes[1].start()
    expired = ends_in(nodes[1], "dai", "loa1", "expired", "late")
    assert "chờ bản tin sau" in expired["detail"], expired["detail"]
    same(expired["seconds_played"], 0.0, "seconds played")
    ends_in(nodes[0], "dai", "loa0", "finished", timeout=40)
    # This voice is quicker than any that people use: the others are thought to be speaking still.
    next_together(rig, nodes, after=start + expired["seconds_asked"])
    same(nodes[1].events("dai", "loa1"), ["accepted", "expired"])
    same(len(analysis.said(rig.alsa.heard("loa1"))), 18, "words")


@options(timeout=90)
def test_killed_and_waits_for_the_next(rig):
    nodes = two(rig, "next")
    start = announce_soon(rig)
    wait_mono(rig, start + 2.5)
    nodes[1].kill()
    nodes[1].start()
    expired = ends_in(nodes[1], "dai", "loa1", "expired", "late")
    ends_in(nodes[0], "dai", "loa0", "finished", timeout=40)
    # This voice is quicker than any that people use: the others are thought to be speaking still.
    next_together(rig, nodes, after=start + expired["seconds_asked"])
    same(nodes[1].events("dai", "loa1"), ["accepted", "started", "expired"])


@options(timeout=90)
def test_whole_says_all_of_it(rig):
    nodes = two(rig, "whole", late=True)
    start = announce_soon(rig)
    wait_mono(rig, start + 3)
    nodes[1].start()
    ends_in(nodes[1], "dai", "loa1", "finished", timeout=50)
    same(analysis.said(rig.alsa.heard("loa1")), " ".join(LONG).split(), "words")
    same(nodes[1].receipts("dai", "started", "loa1")[0]["reason"], None)


@options(timeout=90)
def test_what_came_late_to_all_is_said_whole(rig):
    """A sender whose clock is behind: nobody has begun, so nobody is in the middle of it."""
    nodes = two(rig, "place")
    wait_mono(rig, time.monotonic() + 3)
    announce_soon(rig, seconds=-2.5)
    for node, output in zip(nodes, ("loa0", "loa1")):
        ends_in(node, "dai", output, "finished", timeout=40)
        same(analysis.said(rig.alsa.heard(output)), " ".join(LONG).split(), output)


@options(timeout=90)
def test_an_emergency_is_always_heard_whole(rig):
    nodes = two(rig, "next", late=True)
    start = announce_soon(rig, words=NEXT, priority="emergency", repeat={"times": 2, "gap": "1s"})
    wait_mono(rig, start + 2.5)
    nodes[1].start()
    ends_in(nodes[1], "dai", "loa1", "finished", timeout=30)
    same(analysis.said(rig.alsa.heard("loa1")), " ".join(NEXT * 2).split(), "words")
