# SPDX-License-Identifier: GPL-3.0-or-later
"""The rig itself, without the product: if these fail, look at this machine's brokers and sound."""

import os
import subprocess
import time

import numpy as np

from case import near, same
from rig import analysis, tones
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
