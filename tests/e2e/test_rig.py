# SPDX-License-Identifier: GPL-3.0-or-later
"""The rig itself, without the product: if these fail, look at this machine's brokers and sound."""

import os
import subprocess
import time

import numpy as np

from case import near, same
from rig import analysis, tones
from rig.clicks import find_clicks
from rig.process import Process


def play(rig, pcm, text):
    path = f"{rig.folder}/{pcm}.pcm"
    np.repeat(np.frombuffer(tones.speak(text), "<i2"),  # two channels, twice the rate
              2 * analysis.RATE // tones.ENGINE_RATE).tofile(path)
    return Process("aplay", ["aplay", "-q", "-D", pcm, "-t", "raw", "-f", "S16_LE", "-c", "2", "-r",
                             str(analysis.RATE), path], f"{rig.folder}/aplay.log",
                   env={**os.environ, **rig.environment()})


def test_paced_lines_are_recorded_word_by_word(rig):
    left, right = rig.paced(0)["device"], rig.paced(1, ppm=400)["device"]
    began = time.monotonic()
    players = [play(rig, left, "một hai ba bốn năm"), play(rig, right, "mười chín tám bảy sáu")]
    for player in players:
        same(player.wait(20), 0, player.log())
    rig.recording.wait_recorded(time.monotonic())
    same(analysis.said(rig.recording.sound(0)), ["một", "hai", "ba", "bốn", "năm"])
    same(analysis.said(rig.recording.sound(1)), ["mười", "chín", "tám", "bảy", "sáu"])
    first = analysis.segments(rig.recording.sound(0))[0][0]
    near(rig.recording.mono_of(first), began + 1.5, 1.6, "time of the first sound")
    player = play(rig, left, "hai " * 20)
    rig.recording.wait_sound(0, since=time.monotonic())
    gone = rig.unplug(0)
    assert player.wait(20) != 0, "the player did not notice"
    rig.recording.wait_recorded(gone + 0.5)
    for channel in (0, 1):
        last = analysis.segments(rig.recording.sound(channel))[-1][1]
        assert rig.recording.mono_of(last) < gone + 0.3, "it goes on sounding"
    assert play(rig, left, "một").wait(20) != 0, "a line that is gone still plays"
    rig.plug(0)
    same(play(rig, left, "một").wait(20), 0)


def test_unpaced_device_keeps_every_frame(rig):
    pcm = rig.alsa.unpaced("tep")
    path = f"{rig.folder}/a.raw"
    with open(path, "wb") as file:
        file.write(b"".join(n.to_bytes(2, "little") for n in range(1, 24001)))
    for _ in range(2):
        subprocess.run(["aplay", "-q", "-D", pcm, "-t", "raw", "-f", "S16_LE", "-c", "1", "-r",
                        "48000", path], check=True, timeout=20,
                       env={**os.environ, **rig.environment()})
    sound = (rig.alsa.sound_of(pcm) * 32768).astype(int)
    want = np.arange(1, 24001)
    at = int(np.flatnonzero(sound == 1)[0])
    same(list(sound[at:at + 24000]), list(want))


def test_broker_and_client(rig):
    broker = rig.start_broker()
    rig.announce("a", "mot", "xin chào")
    message = rig.client.wait_for(rig.zone("a", "announce/+"))
    same((message.json()["text"], message.retain), ("xin chào", False))
    late = rig.another_client()
    late.subscribe(rig.zone("+", "announce/+"))
    assert late.wait_for(rig.zone("a", "announce/mot")).retain
    mark = rig.client.mark()
    broker.restart()
    message = rig.client.wait_for(rig.zone("a", "announce/mot"), since=mark)
    assert message.retain, "the observer subscribes again, the broker has kept it"
    rig.mosquitto_pub("-t", rig.zone("b"), "-m", "chào")
    same(rig.client.wait_for(rig.zone("b")).payload.decode(), "chào")


def test_wav_under_way_is_read(rig):
    body = np.arange(1000, dtype="<i2").tobytes()
    head = (b"RIFF\0\0\0\0WAVEfmt " + (16).to_bytes(4, "little") + b"\1\0\2\0"
            + (48000).to_bytes(4, "little") + (192000).to_bytes(4, "little") + b"\4\0\x10\0"
            + b"data\0\0\0\0")
    frames, rate = analysis.parse_wav(head + body + b"\1")
    same((frames.shape, rate), ((500, 2), 48000))
    near(frames[499, 1] * 32768, 999, 0.01)


def now_of(rig, clock):
    """What a program that asks libc takes for the time."""
    done = subprocess.run(["date", "+%s.%N"], text=True, capture_output=True, timeout=20,
                          env={**rig.environment(), **clock.environment()})
    return float(done.stdout)


def test_clock_that_is_set_for_one_process(rig):
    """The daemon sees it, the machine does not; what waits for an instant is woken at once."""
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech, clock=True)
    machine = time.time() - time.monotonic()
    near(now_of(rig, node.clock), time.time(), 2.0, "the time before")
    rig.announce("trung-tam", "mai", "một", start=rig.in_future(3600), expires=rig.in_future(9000))
    node.wait_receipt("mai", "accepted")
    assert "the clock was set" not in node.log()
    node.set_clock(3580)
    rig.wait_log(node, "the clock was set")
    near(now_of(rig, node.clock), time.time() + 3580, 2.0, "the time after")
    same(node.events("mai"), ["accepted"], "20 s too early")
    node.set_clock(3599)
    began = time.monotonic()
    finished = node.wait_receipt("mai", "finished", "loa")
    near(node.clock.mono_of(finished["at"], time.monotonic()), began + 1.2, 1.2 * rig.scale,
         "when it was heard")
    near(time.time() - time.monotonic(), machine, 1.0, "the machine's clock")
    rig.announce("trung-tam", "roi", "hai")
    node.wait_receipt("roi", "finished", "loa")


def smooth(seconds=0.3, hz=437, level=0.25):
    return tones.soft_tone(hz, seconds, analysis.RATE, level)


def sixteen_bits(sound):
    return np.round(sound * 32767).astype(np.float32) / 32768


def with_gain(sound, at, frames, before, after, straight=False):
    """The gain goes from one to the other within so many frames."""
    way = np.clip((np.arange(len(sound)) - at) / max(frames, 1), 0, 1) if frames else (
        np.arange(len(sound)) >= at).astype(float)
    return sound * (before + (after - before) * (way if straight else way * way * (3 - 2 * way)))


def step(sound, at, size):
    """A step that dies away slowly."""
    sound = sound.copy()
    sound[at:] += size * np.exp(-np.arange(len(sound) - at) / 9600)
    return sound


FAULTS = {
    "a step of 1 %": lambda s, at: step(s, at, 0.01),
    "a step of 1 % in a loud tone": lambda s, at: step(s * 3.6, at, 0.01),
    "a step of 1 % in silence": lambda s, at: step(s * 0, at, -0.01),
    "a block of 480 is missing": lambda s, at: np.delete(s, np.s_[at:at + 480]),
    "a block of 960 is missing": lambda s, at: np.delete(s, np.s_[at:at + 960]),
    "a block of 1024 is there twice": lambda s, at: np.insert(s, at, s[at - 1024:at]),
    "a block is silent": lambda s, at: np.concatenate((s[:at], np.zeros(480), s[at + 480:])),
    "half a millisecond is missing": lambda s, at: np.delete(s, np.s_[at:at + 24]),
    "it stops": lambda s, at: s[:at],
    "it begins": lambda s, at: s[at:],
    "1 dB louder": lambda s, at: with_gain(s, at, 0, 1, 1.122),
    "1 dB softer": lambda s, at: with_gain(s, at, 0, 1, 0.891),
    "gone in a straight line in 3 ms": lambda s, at: with_gain(s, at, 144, 1, 0, straight=True),
}


def test_clicks_are_found(rig):
    """Wherever in the wave it happens; once, and at its place."""
    for name, spoil in FAULTS.items():
        for at in range(7200, 7310, 7):  # one period
            found = find_clicks(sixteen_bits(spoil(smooth(), at)))
            assert 1 <= len(found) <= 2, f"{name} at {at}: {found}"
            wanted = 0 if name == "it begins" else at / analysis.RATE
            near(found[0][0], wanted, 0.006, name)


def test_what_is_smooth_is_no_click(rig):
    """Any tone and level; ramps and fades as the product makes them, of 20 ms and more."""
    for hz in (200, 437, 1000, 2400):
        for level in (0.003, 0.03, 0.25, 0.99):
            same(find_clicks(sixteen_bits(smooth(hz=hz, level=level))), [], f"{hz} Hz, {level}")
    for straight in (False, True):
        for ms in (20, 40, 150):
            for before, after in ((1, 0), (0, 1), (0.25, 1)):
                for at in range(4000, 4110, 10):
                    sound = with_gain(smooth(level=0.9), at, ms * 48, before, after, straight)
                    same(find_clicks(sixteen_bits(sound)), [], f"{before}→{after} in {ms} ms")
    same(find_clicks(sixteen_bits(smooth(hz=331) + smooth(hz=523))), [], "two at once")
    same(find_clicks(np.zeros(0, dtype=np.float32)), [], "nothing")
