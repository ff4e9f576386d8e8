# SPDX-License-Identifier: GPL-3.0-or-later
"""What the loudspeakers play: several outputs, chimes, levels, starting together."""

import time

import numpy as np

import recordings
from case import between, near, options, same, spoken
from rig import analysis
from rig.node import mono_of, rfc3339
from rig.together import Together

CHIMES = {"open": "thong-bao", "close": "het", "bed": "none"}
RATE = analysis.RATE


def chime(rig, name):
    frames, rate = analysis.read_sound_file(f"{rig.source}/conf/chimes/{name}.flac")
    same(rate, RATE, f"rate of {name}")
    return frames.mean(axis=1)


def flat(rig):
    """One whose sound is what it was given, but for its level."""
    return [{"name": "loa", "device": rig.alsa.unpaced("loa"), "zones": ["trung-tam"],
             "sound": "flat"}]


def with_chimes(rig, **changes):
    return {"chimes": {"normal": CHIMES, **changes}}


def test_two_outputs_on_one_device_play_different_things_at_once(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", rig.both(("trai", "bac"), ("phai", "nam")), speech=speech)
    rig.announce("bac", "tin-bac", "một hai ba bốn năm sáu " * 3)
    rig.announce("nam", "tin-nam", "mười chín tám bảy " * 3)
    left = node.wait_receipt("tin-bac", "finished", "trai")
    right = node.wait_receipt("tin-nam", "finished", "phai")
    end = max(mono_of(left["at"]), mono_of(right["at"]))
    rig.recording.wait_recorded(end + 0.2)
    sound = rig.recording.sound()
    same(analysis.said(sound[:, 0]), ["một", "hai", "ba", "bốn", "năm", "sáu"] * 3, "left")
    same(analysis.said(sound[:, 1]), ["mười", "chín", "tám", "bảy"] * 3, "right")
    a, b = (analysis.segments(sound[:, i], join=0.3)[0] for i in (0, 1))
    assert min(a[1], b[1]) - max(a[0], b[0]) > 1.5, f"not at once: {a}, {b}"


def test_sound_comes_out_of_pulseaudio(rig):
    """Through a real sound server. When it comes is told by cards: the other tests."""
    rig.start_pulse()
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [{"name": "loa", "device": rig.alsa.pulse("may-chu"),
                              "zones": ["trung-tam"]}], speech=speech)
    rig.announce("trung-tam", "mot", "một hai")
    node.wait_receipt("mot", "finished", "loa")
    rig.wait(lambda: len(analysis.segments(rig.pulse.sound())), "sound out of PulseAudio")


# --- together ----------------------------------------------------------------------------------

WORDS = "một năm hai chín ba"
FIRST_SECONDS = 0.002  # what begins together is so near


def begins_together(rig, node_a, output_a, node_b, output_b, tolerance_seconds):
    node_a.wait_receipt("cung", "finished", output_a)
    node_b.wait_receipt("cung", "finished", output_b)
    together = Together(rig.recording.lines[0], rig.recording.lines[1])
    for channel in (0, 1):
        same(analysis.said(rig.recording.sound(channel)), WORDS.split(), f"line {channel}")
    skew = together.skew_at_first()
    assert abs(skew) <= tolerance_seconds, f"{skew * 1000:+.2f} ms apart"
    return together


def test_two_outputs_of_one_device_begin_on_the_same_frame(rig):
    """…and stay the same, whatever the card's clock."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", rig.both(("trai", "bac"), ("phai", "nam"), ppm=400), speech=speech)
    rig.announce("all", "cung", WORDS, start=rig.in_future(2))
    begins_together(rig, node, "trai", node, "phai", 0)
    left, right = (rig.alsa.heard("both", channel) for channel in (0, 1))
    assert len(left) and np.array_equal(left, right), "not the same samples"


def test_two_devices_begin_together(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0, ppm=100), rig.paced(1, ppm=-100)], speech=speech)
    rig.announce("trung-tam", "cung", WORDS, start=rig.in_future(2.5))
    begins_together(rig, node, "loa0", node, "loa1", FIRST_SECONDS)


def test_a_card_that_tells_of_whole_periods_begins_with_the_others(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0), rig.paced(1, coarse=1)], speech=speech)
    rig.announce("trung-tam", "cung", WORDS, start=rig.in_future(2.5))
    begins_together(rig, node, "loa0", node, "loa1", FIRST_SECONDS)


def two_nodes(rig, ppm, **changes):
    outputs = [rig.paced(0, ppm=ppm), rig.paced(1, ppm=-ppm)]
    return [rig.node(name, [output], **changes)
            for name, output in zip(("nut-a", "nut-b"), outputs)]


def test_two_nodes_begin_together(rig):
    engine, speech = rig.tone_engine()
    nodes = two_nodes(rig, 100, speech=speech, sync_lead="2s")
    issued = time.monotonic()
    rig.announce("trung-tam", "cung", WORDS, issued_at=rig.in_future(0))
    together = begins_together(rig, nodes[0], "loa0", nodes[1], "loa1", FIRST_SECONDS)
    for line in together.lines:
        near(line.first_sound(), issued + 2, 0.005, "first sound")


@options(timeout=90, first=True)
def test_two_nodes_stay_together_without_pauses(rig):
    """Half a minute of a recording that is never silent, on cards whose clocks are four times as wrong
    as clocks are: left alone they would be 24 ms apart."""
    seconds, ppm = 30, 400
    nodes = two_nodes(rig, ppm)
    rig.announce("trung-tam", "nhac", media=noise(rig, seconds), start=rig.in_future(3))
    played = [node.wait_receipt("nhac", "finished", f"loa{i}", 60)["seconds_played"]
              for i, node in enumerate(nodes)]
    same(played[0], played[1], "seconds played")
    together = Together(rig.recording.lines[0], rig.recording.lines[1])
    near(together.skew_at_first(), 0, FIRST_SECONDS, "skew of the first sample")
    began = together.lines[0].first_sound()
    skews = [together.skew(began + at, 0.3) for at in np.arange(0.5, seconds - 1.5, 1.0)]
    assert None not in skews, f"not the same sound: {skews}"
    worst = max(map(abs, skews))
    assert worst <= 0.005, f"up to {worst * 1000:.1f} ms apart: {skews}"
    near(skews[-1], 0, 0.002, "skew at the end")


def noise(rig, seconds):
    dice = np.random.default_rng(7)
    sound = np.convolve(dice.standard_normal(seconds * recordings.RATE), np.ones(16) / 8, "same")
    return recordings.publish(rig, recordings.recording(rig, "nhac.ogg", (0.3 * sound).clip(-1, 1)))


def test_what_an_xrun_took_is_made_up_for_in_pauses(rig):
    """One card loses 80 ms in the middle of a word. At the end of a few sentences nobody knows."""
    engine, speech = rig.tone_engine()
    nodes = two_nodes(rig, 100, speech=speech, sync_lead="3s")
    rig.alsa.control("line1", ppm=-100, xrun_at=60000)
    rig.announce("trung-tam", "dut", ". ".join([WORDS] * 8) + ".", issued_at=rig.in_future(0))
    for i, node in enumerate(nodes):
        node.wait_receipt("dut", "finished", f"loa{i}", 40)
    for channel in (0, 1):
        same(analysis.said(rig.recording.sound(channel))[-35:], WORDS.split() * 7, f"line {channel}")
    together = Together(rig.recording.lines[0], rig.recording.lines[1])
    assert any(event == "xrun" for _, _, event in rig.alsa.events("line1")), "no xrun"
    last = min(line.end() for line in together.lines)
    near(together.skew(last - 1.4, 1.2), 0, 0.005, "skew of the last sentence")


def test_what_follows_in_the_queue_keeps_step(rig):
    """By arithmetic: neither what the cards have told nor the delay of one output adds up."""
    engine, speech = rig.tone_engine()
    outputs = [rig.paced(0, ppm=400), {**rig.paced(1, ppm=-400), "delay_ms": 200}]
    nodes = [rig.node(name, [output], speech=speech, gap="800ms")
             for name, output in zip(("nut-a", "nut-b"), outputs)]
    start = time.time() + 2
    rig.announce("trung-tam", "mot", WORDS, start=rfc3339(start))
    for i in range(3):  # due when the first one is on air
        rig.announce("trung-tam", f"sau-{i}", WORDS, start=rfc3339(start + 0.1 * (i + 1)))
    for i, node in enumerate(nodes):
        node.wait_receipt("sau-2", "finished", f"loa{i}", 40)
    starts = [[line.first_sound() for line in rig.recording.lines.values()]]
    for _ in range(3):  # the next one: behind the silence of the gap
        since = min(starts[-1]) + 1.4
        starts.append([line.first_sound(since) for line in rig.recording.lines.values()])
    for a, b in starts:
        near(b - a, 0.200, FIRST_SECONDS, "delay of the second one")


def test_delay_of_an_output(rig):
    """delay_ms: later than the others, for the distance between poles."""
    engine, speech = rig.tone_engine()
    card = rig.alsa.loatest("the")
    node = rig.node("ubnd", [
        {"name": "gan", "device": card, "channels": [0], "zones": ["x"]},
        {"name": "xa", "device": card, "channels": [1], "zones": ["x"], "delay_ms": 250},
    ], speech=speech)
    rig.announce("x", "cung", WORDS, start=rig.in_future(2))
    node.wait_finished("cung")
    lag = analysis.lag_frames(rig.alsa.heard("the", 0), rig.alsa.heard("the", 1))
    near(lag / RATE, 0.250, 0.001, "delay")


def test_chime_speech_chime_with_the_tail_under_the_first_words(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", flat(rig), speech=speech, **with_chimes(rig))
    rig.announce("trung-tam", "chuong", "một hai ba. bốn năm sáu.")
    node.wait_finished("chuong")
    node.stop()
    sound = rig.alsa.sound_of("loa")
    opening, closing = chime(rig, "thong-bao"), chime(rig, "het")
    head = opening[:int(0.6 * RATE)]
    at, likeness = analysis.find(head, sound)
    assert likeness > 0.98, f"no opening chime: likeness {likeness:.2f}"
    near(at / RATE, 0, 0.05, "the opening chime begins")
    end, likeness = analysis.find(closing[:int(0.6 * RATE)], sound)
    assert likeness > 0.98, f"no closing chime: likeness {likeness:.2f}"

    piece = sound[at:at + len(opening)]
    gain = float(np.dot(piece[:len(head)], head) / np.dot(head, head))
    rest = sound.copy()
    rest[at:at + len(opening)] -= gain * opening[:len(piece)]
    words = [w for w in analysis.tone_words(rest) if w[2] <= end / RATE]
    same([w for w, _, _ in words], ["một", "hai", "ba", "bốn", "năm", "sáu"])
    first = words[0][1] - at / RATE
    between(first, 0.5, len(opening) / RATE - 0.1, "first word, while the chime's tail still sounds (s)")
    beside = analysis.rms_db(rest[at:at + int((first - 0.05) * RATE)])
    assert beside < -50, f"more than the chime: {beside:.1f} dB"
    assert end / RATE >= words[-1][2], "the closing chime before the last word's end"


def test_emergency_has_its_own_chime(rig):
    node = rig.node("ubnd", flat(rig), chimes={"normal": CHIMES,
                            "emergency": {"open": "khan-cap", "close": "none", "bed": "none"}})
    rig.announce("trung-tam", "khan", "Nước lũ đang lên", priority="emergency",
                 repeat={"times": 1})
    node.wait_finished("khan")
    node.stop()
    sound = rig.alsa.sound_of("loa")
    for name, there in (("khan-cap", True), ("thong-bao", False)):
        _, likeness = analysis.find(chime(rig, name)[:int(0.6 * RATE)], sound)
        assert (likeness > 0.95) == there, f"{name}: likeness {likeness:.2f}"


def test_chime_of_the_announcement_and_one_that_is_missing(rig):
    """B6: a chime that is not there never stops the speech; it is a fault."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", flat(rig), speech=speech)
    rig.announce("trung-tam", "rieng", "một", chime={"open": "het", "close": "none"})
    node.wait_finished("rieng")
    rig.announce("trung-tam", "thieu", "hai", chime={"open": "khong-co", "close": "none"})
    node.wait_finished("thieu")
    status = node.wait_status(lambda s: s["faults"])
    assert any("khong-co" in fault["detail"] for fault in status["faults"]), status["faults"]
    node.stop()
    sound = rig.alsa.sound_of("loa")
    _, likeness = analysis.find(chime(rig, "het")[:int(0.6 * RATE)], sound)
    assert likeness > 0.98, f"no chime: likeness {likeness:.2f}"
    assert "hai" in analysis.said(sound)


def test_wav_output_is_paced_and_complete(rig):
    """A machine without a sound card: wav:PATH."""
    engine, speech = rig.tone_engine()
    path = f"{rig.folder}/loa.wav"
    node = rig.node("ubnd", [{"name": "loa", "device": f"wav:{path}", "zones": ["trung-tam"]}],
                    speech=speech)
    rig.announce("trung-tam", "mot", "một hai ba bốn năm sáu bảy tám chín mười")
    started = node.wait_receipt("mot", "started", "loa")
    finished = node.wait_receipt("mot", "finished", "loa")
    near(mono_of(finished["at"]) - mono_of(started["at"]), finished["seconds_played"], 0.15)
    rig.announce("trung-tam", "hai", "mười chín")
    node.wait_receipt("hai", "finished", "loa")
    node.stop()
    frames, rate = analysis.read_sound_file(path)
    same(rate, RATE)
    same(analysis.said(frames[:, 0]), ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám",
                                       "chín", "mười", "mười", "chín"])


@options(plain_only=True)  # a worker ten times slower is late, and silence is put in
def test_real_speech_is_what_render_writes(rig):
    """The loudspeaker says what the operator heard beforehand, to the last syllable."""
    text = "Kính thưa bà con! Ngày mai cắt điện từ bảy giờ sáng."
    node = rig.node("ubnd", [{"name": "loa", "device": rig.alsa.loatest("the"),
                              "zones": ["trung-tam"]}], chimes={"normal": CHIMES})
    rig.announce("trung-tam", "that", text)
    finished = node.wait_receipt("that", "finished", "loa")
    path = f"{rig.folder}/render.wav"
    done = rig.loalang("render", "-o", path, text)
    same(done.returncode, 0, done.stderr)
    rendered, rate = analysis.read_sound_file(path)
    same(rate, RATE)
    near(len(rendered) / RATE, finished["seconds_played"], 0.05 * rig.scale, "length")
    sound = rig.alsa.heard("the")
    spoken(sound)
    at, likeness = analysis.find(rendered[:, 0], sound)
    assert likeness > 0.98, f"likeness {likeness:.3f}"


@options(plain_only=True)
def test_long_text_is_streamed_in_order(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    order = list(analysis.TONES)
    sentences = [[order[(i * 7 + j * 3) % 10] for j in range(6)] for i in range(60)]
    rig.announce("trung-tam", "dai", ". ".join(" ".join(s) for s in sentences) + ".")
    node.wait_finished("dai", timeout=60)
    node.stop()
    same(analysis.said(rig.alsa.sound_of("loa")), [w for s in sentences for w in s])
