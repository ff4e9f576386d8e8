# SPDX-License-Identifier: GPL-3.0-or-later
"""An announcement from publishing to sound and receipts."""

import hashlib
import json
import time
import unicodedata

from case import between, ends_once, near, same, spoken
from rig import analysis
from rig.node import instant, mono_of

GREETING = "Kính thưa bà con"


def three_outputs(rig):
    return [{"name": name, "device": rig.alsa.unpaced(name.replace("-", "_")), "zones": zones}
            for name, zones in (("san-uy-ban", ["trung-tam"]), ("na-san", ["na-san", "trung-tam"]),
                                ("ban-khoang", ["phia-bac"]))]


def test_plain_text_is_heard_in_its_zone_only(rig):
    node = rig.node("ubnd", three_outputs(rig))
    rig.mosquitto_pub("-t", rig.zone("trung-tam"), "-m", GREETING)
    accepted = rig.client.wait_for(node.topic("receipt")).json()
    same(accepted["event"], "accepted")
    id = accepted["id"]
    assert id, "the node gives it an id"
    same((accepted["node"], accepted["output"], accepted["revision"]), ("ubnd", None, 1))
    same(accepted["reason"], None)
    same(accepted["schedule"], None)
    assert accepted["seconds_asked"] is None or 0.4 < accepted["seconds_asked"] < 4
    for output in ("san-uy-ban", "na-san"):
        started = node.wait_receipt(id, "started", output)
        finished = node.wait_receipt(id, "finished", output)
        between(finished["seconds_played"], 0.5, 4, "seconds_played")
        near(finished["seconds_asked"], finished["seconds_played"], 0.05, "seconds asked, played")
        assert instant(started["at"]) <= instant(finished["at"])
        same(finished["reason"], None)
        same(len(finished["spoken_sha256"]), 64)
        same(finished["spoken_sha256"], started["spoken_sha256"])
        same(node.events(id, output), ["accepted", "started", "finished"])
    node.stop()
    # frames(finished) is what the device got: to the frame, at 48 kHz
    for device in ("san_uy_ban", "na_san"):
        sound = rig.alsa.sound_of(device)
        spoken(sound)
        near(len(sound) / analysis.RATE, finished["seconds_played"], 0.15, "length of " + device)
    assert analysis.is_silent(rig.alsa.sound_of("ban_khoang")), "heard outside its zone"
    same(node.receipts(id, None, "ban-khoang"), [])


def test_all_and_a_zone_that_nobody_has(rig):
    node = rig.node("ubnd", three_outputs(rig))
    rig.announce("khong-ai", "khong-ai", GREETING)
    rig.announce("all", "tat-ca", GREETING)
    node.wait_finished("tat-ca")
    same(node.receipts("khong-ai"), [])
    node.stop()
    for device in ("san_uy_ban", "na_san", "ban_khoang"):
        spoken(rig.alsa.sound_of(device))


def test_spoken_sha256_is_of_the_words_of_read(rig):
    node = rig.node()
    rig.announce("trung-tam", "bam", GREETING)
    finished, = node.wait_finished("bam")
    words = rig.loalang("read", GREETING).stdout.rstrip("\n")
    same(finished["spoken_sha256"], hashlib.sha256(words.encode()).hexdigest())


def test_receipt_times_are_of_the_sound(rig):
    """started and finished name when sound left the device, not when it was handed over."""
    node = rig.node("ubnd", [rig.paced(0)])
    rig.announce("trung-tam", "gio", "Kính thưa bà con, hôm nay trời nắng đẹp.")
    started = node.wait_receipt("gio", "started", "loa0")
    finished = node.wait_receipt("gio", "finished", "loa0")
    rig.recording.wait_recorded(mono_of(finished["at"]) + 0.2)
    parts = analysis.segments(rig.recording.sound(0), join=1.0)
    same(len(parts), 1, "parts of sound")
    near(mono_of(started["at"]), rig.recording.mono_of(parts[0][0]), 0.1, "started")
    near(mono_of(finished["at"]), rig.recording.mono_of(parts[0][1]), 0.35, "finished")
    near(instant(finished["at"]) - instant(started["at"]), finished["seconds_played"], 0.1)
    near(finished["seconds_played"], parts[0][1] - parts[0][0], 0.3, "seconds_played")


def test_json_retained_with_every_key(rig):
    node = rig.node()
    fields = {
        "revision": 3, "title": "Lịch cắt điện", "priority": "priority",
        "start": rig.in_future(-1), "expires": rig.in_future(600),
        "repeat": {"times": 2, "gap": "300ms"}, "chime": {"open": "none", "close": "none"},
        "bed": "none", "voice": {"engine": "espeak-ng", "name": "vi", "rate": 180, "pitch": 30},
        "gain_db": -3, "interrupted": "resume", "issued_by": "Ban Văn hóa – Xã hội",
        "issued_at": rig.in_future(-2), "x-so": 308,
    }
    rig.announce("trung-tam", "day-du", "Kính thưa bà con!", **fields)
    finished, = node.wait_finished("day-du")
    same(finished["revision"], 3)
    node.stop()
    parts = analysis.segments(rig.alsa.sound_of("loa"), join=0.2)
    same(len(parts), 2, "repeats")


def test_decomposed_text_and_byte_order_mark_say_the_same(rig):
    """A4: what looks the same is the same."""
    node = rig.node()
    rig.announce("trung-tam", "nfc", GREETING)
    rig.client.publish(rig.zone("trung-tam", "announce/nfd"), b"\xef\xbb\xbf" + json.dumps(
        {"text": unicodedata.normalize("NFD", GREETING) + "\u200b"},
        ensure_ascii=False).encode(), retain=True)
    rig.client.publish(rig.zone("trung-tam"), b"\xef\xbb\xbf" + GREETING.encode() + b"\r\n")
    nfc, = node.wait_finished("nfc")
    nfd, = node.wait_finished("nfd")
    plain = rig.client.wait_for(node.topic("receipt"), lambda m: m.json()["event"] == "finished" and
                                m.json()["id"] not in ("nfc", "nfd"), 20 * rig.scale).json()
    same(nfd["spoken_sha256"], nfc["spoken_sha256"])
    same(plain["spoken_sha256"], nfc["spoken_sha256"])


# --- once --------------------------------------------------------------------------------------

def times_finished(node, id):
    return len(node.receipts(id, "finished"))


def test_c3_ten_times_is_once(rig):
    node = rig.node()
    for _ in range(10):
        rig.announce("trung-tam", "muoi-lan", GREETING)
    for _ in range(3):  # also not retained, with the id in the JSON
        rig.client.publish(rig.zone("trung-tam"), {"id": "muoi-lan", "text": GREETING})
    node.wait_finished("muoi-lan")
    rig.announce("trung-tam", "muoi-lan", GREETING)
    rig.announce("trung-tam", "sau", "Hết")
    node.wait_finished("sau")
    same(times_finished(node, "muoi-lan"), 1)
    same(node.events("muoi-lan", "loa").count("accepted"), 1)
    node.stop()
    # Words may have pauses; what was said twice is twice as long.
    heard = sum(end - begin for begin, end in
                analysis.segments(rig.alsa.sound_of("loa"), join=0.3))
    claimed = sum(r["seconds_played"] for r in node.receipts(None, "finished"))
    near(heard, claimed, 0.3, "seconds of sound")


def test_c3_once_after_restart_and_retained_replay(rig):
    node = rig.node()
    rig.announce("trung-tam", "mot-lan", GREETING)
    node.wait_finished("mot-lan")
    for _ in range(2):
        node.restart()  # the retained message is received again at every start
        rig.announce("trung-tam", "mot-lan", GREETING)
    rig.announce("trung-tam", "sau", "Hết")
    node.wait_finished("sau")
    same(times_finished(node, "mot-lan"), 1)
    ends_once(node, "mot-lan", "loa")


def test_several_zones_with_one_id_is_once(rig):
    node = rig.node("ubnd", three_outputs(rig))
    for zone in ("trung-tam", "na-san", "phia-bac"):
        rig.announce(zone, "nhieu-khu", GREETING)
    node.wait_finished("nhieu-khu")
    rig.announce("all", "sau", "Hết")
    node.wait_finished("sau")
    for output in ("san-uy-ban", "na-san", "ban-khoang"):
        same(node.events("nhieu-khu", output).count("finished"), 1, output)
        ends_once(node, "nhieu-khu", output)


# --- revisions ---------------------------------------------------------------------------------

def test_newer_revision_replaces_a_queued_one(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    rig.announce("trung-tam", "sua", "một một", start=rig.in_future(2.5))
    node.wait_receipt("sua", "accepted")
    rig.announce("trung-tam", "sua", "hai ba", revision=2, start=rig.in_future(2.5))
    finished, = node.wait_finished("sua")
    same(finished["revision"], 2)
    rig.announce("trung-tam", "sua", "bốn", revision=1)  # older: changes nothing
    rig.announce("trung-tam", "het", "năm")
    node.wait_finished("het")
    node.stop()
    same(analysis.said(rig.alsa.sound_of("loa")), ["hai", "ba", "năm"])
    superseded = node.receipts("sua", "superseded", "loa")
    same([r["revision"] for r in superseded], [1])


def test_newer_revision_replaces_the_playing_one(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    rig.announce("trung-tam", "sua", "một hai " * 40)
    rig.recording.wait_sound(0)
    rig.announce("trung-tam", "sua", "chín mười", revision=2)
    finished = node.wait_receipt("sua", "finished", "loa0")
    same(finished["revision"], 2)
    same([r["revision"] for r in node.receipts("sua", "superseded", "loa0")], [1])
    rig.recording.wait_recorded(mono_of(finished["at"]) + 0.2)
    said = analysis.said(rig.recording.sound(0))
    same(said[-2:], ["chín", "mười"])
    assert len(said) < 30, f"the old one went on: {said}"


# --- when --------------------------------------------------------------------------------------

def test_start_in_the_future_begins_at_its_instant(rig):
    node = rig.node("ubnd", [rig.paced(0)])
    start = time.time() + 4.5  # preparing begins 3 s before
    rig.announce("trung-tam", "hen-gio", GREETING, start=rig.in_future(4.5))
    item = node.wait_queue("loa0", lambda q: q["length"] == 1
                           and q["items"][0]["waits"] == "start")["items"][0]
    same(item["id"], "hen-gio")
    assert item["detail"], "why it waits, in words"
    started = node.wait_receipt("hen-gio", "started", "loa0")
    near(instant(started["at"]), start, 0.1, "started")
    heard = rig.recording.wait_sound(0)
    near(heard, start - time.time() + time.monotonic(), 0.25, "first sound")


def test_issued_at_and_sync_lead_set_the_start(rig):
    node = rig.node("ubnd", [{"name": "loa", "device": rig.alsa.loatest("the"),
                              "zones": ["trung-tam"]}], sync_lead="1500ms")
    issued = time.time()
    rig.announce("trung-tam", "cung-luc", GREETING, issued_at=rig.in_future(0))
    started = node.wait_receipt("cung-luc", "started", "loa")
    near(instant(started["at"]), issued + 1.5, 0.1 * rig.scale, "started")


def test_expired_is_not_said(rig):
    node = rig.node()
    rig.announce("trung-tam", "qua-han", GREETING, start=rig.in_future(-700),
                 expires=rig.in_future(-600))
    expired = rig.client.wait_for(node.topic("receipt"),
                                  lambda m: m.json()["event"] != "accepted").json()
    assert expired["event"] in ("expired", "rejected"), expired
    same(expired["reason"], "expired")
    rig.announce("trung-tam", "moi", "Hết")
    node.wait_finished("moi")
    same(node.receipts("qua-han", "started"), [])


def test_queue_goes_by_priority_then_start_then_arrival(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    rig.announce("trung-tam", "dang-noi", "mười " * 12, priority="priority")
    rig.recording.wait_sound(0)
    for id, word, priority in (("nen", "một", "background"), ("thuong-1", "hai", "normal"),
                               ("thuong-2", "ba", "normal"), ("uu-tien", "bốn", "priority")):
        rig.announce("trung-tam", id, word, priority=priority)
    queue = node.wait_queue("loa0", lambda q: q["length"] == 4 and
                            all(item["waits"] in ("next", "behind") for item in q["items"]))
    same([item["id"] for item in queue["items"]], ["uu-tien", "thuong-1", "thuong-2", "nen"])
    same([item["waits"] for item in queue["items"][1:]], ["behind"] * 3)
    state = node.wait_state("loa0", lambda s: s["state"] == "playing" and s["queue_length"] == 4)
    same((state["id"], state["priority"], state["revision"]), ("dang-noi", "priority", 1))
    finished = node.wait_receipt("nen", "finished", "loa0")
    rig.recording.wait_recorded(mono_of(finished["at"]) + 0.2)
    said = [w for w in analysis.said(rig.recording.sound(0)) if w != "mười"]
    same(said, ["bốn", "hai", "ba", "một"])
    node.wait_state("loa0", lambda s: s["state"] == "idle" and s["queue_length"] == 0)


# --- how ---------------------------------------------------------------------------------------

def test_repeats_with_their_gap(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    rig.announce("trung-tam", "lap", "một hai", repeat={"times": 3, "gap": "1s"})
    node.wait_finished("lap")
    node.stop()
    words = analysis.tone_words(rig.alsa.sound_of("loa"))
    same([w for w, _, _ in words], ["một", "hai"] * 3)
    for i in (2, 4):
        near(words[i][1] - words[i - 1][2], 1.0, 0.35, "gap")


def test_emergency_is_said_three_times(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    rig.announce("trung-tam", "khan", "một hai", priority="emergency")
    node.wait_finished("khan")
    node.stop()
    same(analysis.said(rig.alsa.sound_of("loa")), ["một", "hai"] * 3)


def level_of(rig, node, id):
    mark = len(rig.alsa.sound_of("loa"))
    rig.announce("trung-tam", id, "một hai ba")
    node.wait_finished(id)
    return mark


def test_gain_topic_replaces_the_configured_gain_and_lasts(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    gain = node.topic("output/loa/gain")
    levels = []
    for id, gain_db in (("g0", 0.0), ("g6", -6.0), ("g12", -12.0)):
        rig.client.publish(gain, {"gain_db": gain_db}, retain=True)
        node.wait_state("loa", lambda s: abs(s["gain_db"] - gain_db) < 0.01)
        rig.announce("trung-tam", id, "một hai ba")
        node.wait_finished(id)
    node.restart()
    node.wait_state("loa", lambda s: abs(s["gain_db"] + 12.0) < 0.01)
    rig.announce("trung-tam", "g12-sau", "một hai ba", gain_db=-3)
    node.wait_finished("g12-sau")
    node.stop()
    words = analysis.tone_words(rig.alsa.sound_of("loa"), threshold_db=-60)
    same([w for w, _, _ in words], ["một", "hai", "ba"] * 4)
    sound = rig.alsa.sound_of("loa")
    for i in range(4):
        start, end = words[3 * i + 1][1:]
        levels.append(analysis.rms_db(sound[int((start + 0.04) * 48000):int((end - 0.04) * 48000)]))
    near(levels[1] - levels[0], -6.0, 0.3, "gain −6 dB")
    near(levels[2] - levels[0], -12.0, 0.3, "gain −12 dB")
    near(levels[3] - levels[0], -15.0, 0.3, "gain −12 dB and the announcement's −3 dB, after a restart")
    rig.client.publish(gain, b"", retain=True)


def test_voice_reaches_the_engine(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech={**speech, "rate": 140, "pitch": 40})
    rig.announce("trung-tam", "giong", "một", voice={"rate": 200, "pitch": 60})
    rig.announce("trung-tam", "giong-thuong", "hai")
    node.wait_finished("giong")
    node.wait_finished("giong-thuong")
    same([(v.get("rate"), v.get("pitch")) for v in engine.voices], [(200, 60), (140, 40)])
