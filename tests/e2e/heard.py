# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an interrupted announcement back from what a loudspeaker has played: the tone engine says
each word as a tone of its own (rig/tones.py), so a recording is a list of words."""

import datetime
import time

from case import same
from rig import analysis
from rig.node import FINAL, instant

# An announcement of several sentences, of words that no newcomer has.
LONG = ("một năm sáu năm sáu", "hai năm sáu năm sáu", "ba năm sáu năm sáu", "bốn năm sáu năm sáu")
SHORT = "chín mười"  # a newcomer


def text(sentences):
    return " ".join(sentence + "." for sentence in sentences)


def words(sentences):
    return [word for sentence in sentences for word in sentence.split()]


def card(rig, name, zone="trung-tam", **more):
    """A paced sound card whose recording has the time of each frame. (`more`: of the output.)"""
    numbers = {key: more.pop(key) for key in ("buffer_frames", "unpaced", "absent") if key in more}
    return {"name": name, "device": rig.alsa.loatest(name, **numbers), "zones": [zone], **more}


def said(rig, name):
    return analysis.said(rig.alsa.heard(name))


def heard_till_now(rig, name):
    """(the words so far, the frames): for what follows a kill. The next process's sound comes right
    behind a torn word, so it is read by itself: said_since()."""
    sound = rig.alsa.heard(name)
    return analysis.said(sound), len(sound)


def said_since(rig, name, frames):
    return analysis.said(rig.alsa.heard(name)[frames:])


def wait_said(rig, name, word, count=1, timeout=20):
    """Until the loudspeaker has said that word so many times (the last of them perhaps not to its
    end). What was looked at is not looked at again."""
    seen, begin = 0, 0

    def enough():
        nonlocal seen, begin
        found = analysis.tone_words(rig.alsa.heard(name)[begin:])
        if seen + sum(w == word for w, _, _ in found) >= count:
            return True
        if len(found) > 1:  # the last one may still grow
            seen += sum(w == word for w, _, _ in found[:-1])
            begin += int((found[-1][1] - 0.01) * analysis.RATE)
        return False
    rig.wait(enough, f"{word} on {name}", timeout)


def wait_frames(rig, name, seconds):
    """Until the loudspeaker has played so much."""
    rig.wait(lambda: len(rig.alsa.heard(name)) > seconds * analysis.RATE, f"{seconds} s on {name}")


def story(node, output, *ids):
    """["id event", …] of the receipts of that output, in the order in which they came. What is cut
    off fades while the newcomer begins: which of the two is told first is left open, if they are no
    more than a fade apart."""
    told = [r for r in node.receipts(None, None, output) if not ids or r["id"] in ids]
    for i in range(1, len(told)):
        if (told[i]["event"] == "interrupted" and told[i - 1]["event"] in ("started", "resumed")
                and told[i]["id"] != told[i - 1]["id"]
                and instant(told[i]["at"]) - instant(told[i - 1]["at"]) < 0.080):
            told[i - 1], told[i] = told[i], told[i - 1]
    return [f"{r['id']} {r['event']}" for r in told]


def sentence_of(sentences, index):
    """Which sentence the word with that index belongs to."""
    for number, sentence in enumerate(sentences):
        index -= len(sentence.split())
        if index < 0:
            return number
    return len(sentences)


def split(heard, newcomer):
    """(what was said before the newcomer, after it); the newcomer is there once, in one piece."""
    newcomer = newcomer.split()
    places = [i for i, word in enumerate(heard) if word in newcomer]
    assert places, f"{newcomer} was not heard: {heard}"
    same(heard[places[0]:places[0] + len(newcomer)], newcomer, f"the newcomer in {heard}")
    same(len(places), len(newcomer), f"words of the newcomer in {heard}")
    return heard[:places[0]], heard[places[0] + len(newcomer):]


def goes_on_at_its_sentence(before, after, sentences):
    """That `after` begins at the start of the sentence in which `before` was cut off, and is said to
    its end. (Cut between two sentences, or in the very end of the last word of one: either.)"""
    full = words(sentences)
    same(before, full[:len(before)], "what was said before it was cut off")
    number = sentence_of(sentences, len(before))
    allowed = [words(sentences[number:])]
    if before and sentence_of(sentences, len(before) - 1) != number:
        allowed.append(words(sentences[number - 1:]))
    assert after in allowed, f"cut off after {before}, went on with {after}"


def finals(node, id, output):
    return [r for r in node.receipts(id, None, output) if r["event"] in FINAL]


def ends_in(node, id, output, event, reason=None, timeout=20):
    """Waits for the end of `id` there; that it is this one, with this reason, and the only one."""
    receipt = node.wait_receipt(id, event, output, timeout)
    same(receipt["reason"], reason, f"reason of {event} of {id} on {output}")
    same(len(finals(node, id, output)), 1, f"ends of {id} on {output}")
    return receipt


def barrier(rig, node, zone="trung-tam", id="sau-cung", word="tám", timeout=20):
    """Something more is said to its end: what was to come before it has come."""
    rig.announce(zone, id, word)
    for output in node.outputs:
        if zone == "all" or zone in output["zones"]:
            node.wait_receipt(id, "finished", output["name"], timeout)


HANOI = datetime.timezone(datetime.timedelta(hours=7))


def wall(node, time_of_day, days=0):
    """Sets the node's clock to that time of the day in Viet Nam, on the day after the test began or
    so many days later. Returns the instant (of its clock)."""
    began = datetime.datetime.fromtimestamp(node.rig.began, HANOI).date()
    day = began + datetime.timedelta(days=1 + days)
    wanted = datetime.datetime.combine(day, datetime.time.fromisoformat(time_of_day), HANOI)
    node.set_clock(wanted.timestamp() - time.time())
    return wanted.timestamp()
