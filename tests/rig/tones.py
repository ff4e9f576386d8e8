# SPDX-License-Identifier: GPL-3.0-or-later
"""A speech engine for tests that can be read back from a recording: a Wyoming server that speaks
each word it knows (analysis.TONES) as a tone of its own, and remembers what it was asked. It
shows word by word what a loudspeaker said: lost, repeated, cut off, in which order."""

import json
import socket
import threading

import numpy as np

from .analysis import TONES, TONE_GAP_SECONDS, TONE_SECONDS

ENGINE_RATE = 24000
OTHER_HZ = 450  # any other word


def tone(hz, seconds=TONE_SECONDS, rate=ENGINE_RATE, level=0.25):
    time = np.arange(int(seconds * rate)) / rate
    ramp = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.004)
    return level * ramp * np.sin(2 * np.pi * hz * time)


def speak(text):
    gap = np.zeros(int(TONE_GAP_SECONDS * ENGINE_RATE))
    parts = []
    for word in text.lower().split():
        parts += [tone(TONES.get(word.strip(".,!?…;:"), OTHER_HZ)), gap]
    sound = np.concatenate(parts) if parts else gap
    return (sound * 32767).astype("<i2").tobytes()


def soft_tone(hz, seconds, rate=ENGINE_RATE, level=0.25, edge_seconds=0.030):
    """A tone that begins and ends softly (raised cosine): nothing in it looks like a click."""
    time = np.arange(int(seconds * rate)) / rate
    edge = np.minimum(1.0, np.minimum(time, time[::-1]) / edge_seconds)
    return level * (0.5 - 0.5 * np.cos(np.pi * edge)) * np.sin(2 * np.pi * hz * time)


SMOOTH_HZ = {"trầm": 331, "bổng": 523}
SMOOTH_OTHER_HZ = 437  # no block of 480, 960 or 1024 frames holds whole periods of it


def speak_smoothly(text):
    """The whole text as one tone, of its first word, 0.2 s for each."""
    words = text.lower().split()
    hz = SMOOTH_HZ.get(words[0].strip(".,!?…;:"), SMOOTH_OTHER_HZ) if words else SMOOTH_OTHER_HZ
    return (soft_tone(hz, 0.2 * max(1, len(words))) * 32767).round().astype("<i2").tobytes()


def event(kind, data, payload=b""):
    head = {"type": kind, "version": "1.5.2", "data": data}
    if payload:
        head["payload_length"] = len(payload)
    return json.dumps(head).encode() + b"\n" + payload


class ToneEngine:
    """`asked` are the texts, in order. With `smooth`, a sentence is one lasting tone (for
    clicks.find_clicks()). While `hang` is set it takes requests and answers nothing; while `lie` is
    one of LIES it breaks the protocol in that way (FAULTS A3). `middle`, set once, is called in the
    middle of the next sentence: it may sleep, or raise an OSError, which ends the connection."""

    LIES = ("flood", "half-header", "huge-header", "wrong-rate", "rate-changes", "odd-bytes",
            "no-sound", "not-json", "huge-length", "closes")

    def __init__(self, port=0, smooth=False):
        self.speak = speak_smoothly if smooth else speak
        self.asked, self.voices, self.hang, self.lie = [], [], False, None
        self.middle = None
        self.listener = socket.create_server(("127.0.0.1", port))
        self.address = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            with connection, connection.makefile("rwb") as stream:
                while self._answer(stream):
                    pass
        except (OSError, ValueError):
            pass

    def _answer(self, stream):
        line = stream.readline()
        if not line:
            return False
        head = json.loads(line)
        data = head.get("data") or {}
        if head.get("data_length"):
            data.update(json.loads(stream.read(head["data_length"])))
        stream.read(head.get("payload_length") or 0)
        if head["type"] == "synthesize":
            self.asked.append(data["text"])
            self.voices.append(data.get("voice") or {})
            if self.lie:
                self._lie(stream)
                return False
            if not self.hang:
                self._say(stream, data["text"])
        elif head["type"] == "describe":
            stream.write(event("info", {"tts": []}))
            stream.flush()
        return True

    def _say(self, stream, text):
        form = {"rate": ENGINE_RATE, "width": 2, "channels": 1}
        sound = self.speak(text)
        chunks = [event("audio-chunk", form, sound[at:at + 4096])
                  for at in range(0, len(sound), 4096)]
        if self.middle:
            half, middle, self.middle = len(chunks) // 2, self.middle, None
            stream.write(b"".join([event("audio-start", form), *chunks[:half]]))
            stream.flush()
            middle()
            stream.write(b"".join([*chunks[half:], event("audio-stop", {})]))
            stream.flush()
            return
        # in one piece: an engine that is late within a word would put silence into it
        stream.write(b"".join([event("audio-start", form), *chunks, event("audio-stop", {})]))
        stream.flush()

    def _lie(self, stream):
        form = {"rate": ENGINE_RATE, "width": 2, "channels": 1}
        chunk = event("audio-chunk", form, bytes(4096))
        begin = event("audio-start", form)
        stream.write({
            "flood": begin,
            "half-header": b'{"type": "audio-sta',
            "huge-header": b'{"type": "' + b"a" * 200_000 + b'"}\n',
            "wrong-rate": event("audio-start", {**form, "rate": 3}),
            "rate-changes": begin + chunk + event("audio-chunk", {**form, "rate": 44100}, bytes(4096)),
            "odd-bytes": begin + event("audio-chunk", form, bytes(4095)) + event("audio-stop", {}),
            "no-sound": begin + event("audio-stop", {}),
            "not-json": b"xin chao\n",
            "huge-length": b'{"type": "audio-chunk", "payload_length": 99999999999}\n',
            "closes": begin + chunk,
        }[self.lie])
        stream.flush()
        while self.lie == "flood":  # until the other side has had enough
            stream.write(chunk)
            stream.flush()
