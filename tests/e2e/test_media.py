# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings: an announcement that names one by its SHA-256."""

import os

from case import between, near, same
from heard import SHORT, barrier, card, ends_in, said
from recordings import publish, recording, sha256, tones_of
from rig import analysis

LONG_SECONDS = 1.5  # of each tone: seven of them are longer than what is simply heard again


def one(rig, **more):
    engine, speech = rig.tone_engine()
    return rig.node("ubnd", [card(rig, "loa", **more)], speech=speech)


# --- what is played ----------------------------------------------------------------------------

def test_text_then_recording_then_recording_alone(rig):
    node = one(rig)
    hash = publish(rig, recording(rig, "ghi-am.wav", tones_of("bảy", "tám", "chín")))
    rig.announce("trung-tam", "ca-hai", "một hai", media=hash)
    rig.announce("trung-tam", "chi-ghi-am", media=hash, repeat={"times": 2, "gap": "500ms"})
    finished = ends_in(node, "ca-hai", "loa", "finished")
    near(finished["seconds_played"], 1.0, 0.9, "seconds of both")
    alone = ends_in(node, "chi-ghi-am", "loa", "finished")
    near(alone["seconds_played"], 1.7, 0.2, "seconds of the recording, twice")
    same(said(rig, "loa"), ["một", "hai"] + ["bảy", "tám", "chín"] * 3)
    same(alone["spoken_sha256"], None)


def test_every_format(rig):
    """wav, flac, ogg (Vorbis), opus, mp3: each recognised, mono and stereo, of other rates."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    names = ("mot.wav", "hai.flac", "ba.ogg", "bon.opus", "nam.mp3", "sau.wav")
    spoken = dict(zip(names, analysis.TONES))
    for name, word in spoken.items():
        data = recording(rig, name, tones_of(word, word, seconds=0.3),
                         channels=2 if name == "sau.wav" else 1)
        rig.announce("trung-tam", name, media=publish(rig, data))
        between(ends_in(node, name, "loa", "finished")["seconds_played"], 0.6, 1.0, name)
    tracks = analysis.Tracks(rig.alsa.heard("loa"))
    for name, word in spoken.items():
        same(len(tracks.runs(word, shortest=0.25)), 2, f"{name}: {word}")
        near(tracks.loudest(word, 0, 1e6), tracks.loudest("một", 0, 1e6), 3, f"level of {name}")


def wait_tone(rig, word):
    rig.wait(lambda: analysis.Tracks(rig.alsa.heard("loa")).runs(word, shortest=0.3),
             f"the tone of {word}")


def test_a_recording_is_interrupted_and_goes_on_where_it_was(rig):
    """A long recording has no sentences: it goes on where it was, or a little before, and not at
    its beginning. It is cut off twice, by an emergency and by a kill."""
    node = one(rig)
    counted = ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy"]
    hash = publish(rig, recording(rig, "dai.flac", tones_of(*counted, seconds=LONG_SECONDS)))
    rig.announce("trung-tam", "dai", media=hash)
    wait_tone(rig, "bốn")
    rig.announce("trung-tam", "khan", SHORT, priority="emergency", repeat={"times": 1})
    ends_in(node, "khan", "loa", "finished")
    wait_tone(rig, "sáu")
    node.kill()
    node.start()
    ends_in(node, "dai", "loa", "finished")
    tracks = analysis.Tracks(rig.alsa.heard("loa"))
    heard = {word: sum(b - a for a, b in tracks.runs(word, shortest=0.1)) for word in counted}
    assert min(heard.values()) > LONG_SECONDS * 0.95, f"not all of it: {heard}"
    between(heard["một"], 1.4, 1.6, "seconds of its beginning")
    between(sum(heard.values()) - 7 * LONG_SECONDS, 2, 10, "seconds heard twice")
    assert tracks.runs("chín")[0][0] < tracks.runs("năm")[-1][0], "it was interrupted"
    same(node.events("dai", "loa"),
         ["accepted", "started", "interrupted", "resumed", "resumed", "finished"])


# --- what is missing ---------------------------------------------------------------------------

def test_never_published(rig):
    """With a text: the text is said, and the receipt says what was missing. Without: it has failed.
    What can be said is not held up by what cannot."""
    node = one(rig)
    missing = sha256(b"never published")
    sent = rig.announce("trung-tam", "co-chu", "một hai", media=missing)
    rig.announce("trung-tam", "khong-chu", media=missing)
    node.wait_queue("loa", lambda q: [i["waits"] for i in q["items"]] == ["media"] * 2)
    rig.announce("trung-tam", "khac", "ba")
    ends_in(node, "khac", "loa", "finished", timeout=5)
    finished = ends_in(node, "co-chu", "loa", "finished", "media-missing", timeout=25)
    assert finished["detail"], "what is missing, in words"
    failed = ends_in(node, "khong-chu", "loa", "failed", "media-missing", timeout=25)
    assert missing[:8] in failed["detail"], failed
    same(said(rig, "loa"), ["ba", "một", "hai"])
    assert sent


def test_bad_recordings(rig):
    """Bytes that are not what the hash says; a file that is no sound; nothing."""
    node = one(rig)
    other = recording(rig, "khac.flac", tones_of("bảy"))
    bad = {"sai-bam": publish(rig, other, sha256(b"what was meant")),
           "khong-phai": publish(rig, b"<html>" * 1000), "rong": publish(rig, b" ")}
    for id, hash in bad.items():
        rig.announce("trung-tam", id, "một", media=hash)
        rig.announce("trung-tam", f"{id}-khong-chu", media=hash)
    for id in bad:
        ends_in(node, id, "loa", "finished", "media-missing", timeout=25)
        ends_in(node, f"{id}-khong-chu", "loa", "failed", "media-missing", timeout=25)
    barrier(rig, node)
    same(said(rig, "loa"), ["một"] * 3 + ["tám"])


def test_half_a_recording_is_heard_as_far_as_it_goes(rig):
    node = one(rig)
    whole = recording(rig, "nua.wav", tones_of("bảy", "tám", "chín", "mười"))
    rig.announce("trung-tam", "nua", "một", media=publish(rig, whole[:len(whole) // 2]))
    receipt = node.wait_receipt("nua", "finished", "loa")
    assert receipt["reason"] in (None, "media-missing"), receipt
    same(said(rig, "loa")[0], "một")
    barrier(rig, node)


def test_comes_after_its_announcement(rig):
    """The order of two topics is not known: the recording is waited for."""
    node = one(rig)
    data = recording(rig, "sau.wav", tones_of("bảy", "tám"))
    rig.announce("trung-tam", "tin", "một", media=sha256(data))
    node.wait_queue("loa", lambda q: [i["waits"] for i in q["items"]] == ["media"])
    publish(rig, data)
    ends_in(node, "tin", "loa", "finished")
    same(said(rig, "loa"), ["một", "bảy", "tám"])


def test_a_bad_one_is_replaced_by_a_good_one(rig):
    node = one(rig)
    data = recording(rig, "thay.wav", tones_of("bảy", "tám"))
    publish(rig, b"broken on the way", sha256(data))
    rig.announce("trung-tam", "hong", "một", media=sha256(data))
    ends_in(node, "hong", "loa", "finished", "media-missing", timeout=25)
    publish(rig, data)
    rig.announce("trung-tam", "tot", "hai", media=sha256(data))
    ends_in(node, "tot", "loa", "finished", timeout=25)
    same(said(rig, "loa"), ["một", "hai", "bảy", "tám"])


# --- what is kept ------------------------------------------------------------------------------

def test_is_kept_over_restarts_without_a_broker(rig):
    """It was fetched when its announcement came; when it is to be said the broker is away."""
    node = one(rig)
    data = recording(rig, "giu.ogg", tones_of("bảy", "tám", seconds=0.3))
    hash = publish(rig, data)
    rig.announce("trung-tam", "hen", "một", media=hash, start=rig.in_future(4))
    node.wait_receipt("hen", "accepted")
    rig.wait(lambda: hash in os.listdir(f"{node.folder}/state/media"), "the file in state_dir")
    node.kill()
    rig.broker.kill()
    node.start(wait=False)
    rig.wait(lambda: len(analysis.Tracks(rig.alsa.heard("loa")).runs("tám", shortest=0.2)),
             "the recording")
    tracks = analysis.Tracks(rig.alsa.heard("loa")).words()
    same([w for w, _, _ in tracks], ["một", "bảy", "tám"])
    rig.broker.start()
    ends_in(node, "hen", "loa", "finished")


def test_put_by_the_operators_command(rig):
    node = one(rig)
    path = f"{rig.folder}/lenh.flac"
    data = recording(rig, "lenh.flac", tones_of("bảy", "tám"))
    done = rig.loalang("media", "put", path)
    same((done.returncode, done.stderr), (0, ""))
    assert sha256(data) in done.stdout, done.stdout
    rig.announce("trung-tam", "tin", "một", media=sha256(data))
    ends_in(node, "tin", "loa", "finished")
    same(said(rig, "loa"), ["một", "bảy", "tám"])
    not_there = rig.loalang("media", "put", f"{rig.folder}/khong-co.wav")
    same(not_there.returncode, 1, not_there.stderr)
    assert "khong-co.wav" in not_there.stderr


def test_is_asked_for_only_while_it_is_needed(rig):
    """A node does not fetch what nobody names: a megabyte for another village stays on the broker."""
    node = one(rig)
    other = recording(rig, "khac.wav", tones_of("bảy"))
    mine = recording(rig, "minh.wav", tones_of("tám"))
    publish(rig, other)
    rig.announce("khong-ai", "cua-khac", media=sha256(other))
    rig.announce("trung-tam", "cua-minh", media=publish(rig, mine))
    ends_in(node, "cua-minh", "loa", "finished")
    kept = os.listdir(f"{node.folder}/state/media")
    assert any(sha256(mine) in name for name in kept), kept
    assert not any(sha256(other) in name for name in kept), kept
