#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-3.0-or-later
"""A speech engine that misbehaves on request (FAULTS A1 to A3, A5), for tests.

engine.py MODE               speaks Wyoming on standard input and output
engine.py --listen MODE      on a loopback port, which it prints; serves until its input ends
engine.py --record FILE MODE also writes every text it is sent to FILE, one JSON string a line
"""
import json
import math
import os
import signal
import socket
import struct
import sys
import threading
import time

RATE = 22050


def event(kind, data=None, payload=b"", separate=False, **extra):
    header = {"type": kind, **extra}
    tail = b""
    if data is not None and separate:
        tail = json.dumps(data).encode()
        header["data_length"] = len(tail)
    elif data is not None:
        header["data"] = data
    if payload:
        header["payload_length"] = len(payload)
    return json.dumps(header).encode() + b"\n" + tail + payload


def form(rate=RATE, width=2, channels=1):
    return {"rate": rate, "width": width, "channels": channels}


def tone(milliseconds, rate=RATE, channels=1):
    frames = rate * milliseconds // 1000
    return b"".join(
        struct.pack("<h", int(16000 * math.sin(2 * math.pi * 440 * i / rate))) * channels
        for i in range(frames)
    )


def sentence(milliseconds=200, rate=RATE, channels=1, separate=False):
    data = form(rate, 2, channels)
    sound = tone(milliseconds, rate, channels)
    size = 4096 * channels
    out = event("audio-start", data, separate=separate)
    for at in range(0, len(sound), size):
        out += event("audio-chunk", data, sound[at : at + size], separate=separate)
    return out + event("audio-stop", {})


def good(write, _text):
    write(sentence())


def quiet_forever(_write, _text):
    threading.Event().wait()


def stall(write, _text):
    write(event("audio-start", form()) + event("audio-chunk", form(), tone(100)))
    threading.Event().wait()


def die(_write, _text):
    os._exit(3)


def die_midway(write, _text):
    write(event("audio-start", form()) + event("audio-chunk", form(), tone(300)))
    os._exit(3)


def die_once(write, text):
    """Dies at the first request it ever gets; the file in the text's place remembers."""
    marker = os.environ["ENGINE_MARKER"]
    if not os.path.exists(marker):
        open(marker, "w").close()
        die_midway(write, text)
    good(write, text)


def die_later(write, _text):
    write(sentence())
    os._exit(0)


def hang_up(write, _text):
    write(sentence())
    raise OSError("enough")


def half_header(write, _text):
    write(b'{"type": "audio-st')
    os._exit(0)


def half_payload(write, _text):
    write(event("audio-start", form()))
    write(b'{"type":"audio-chunk","data":{"rate":22050,"width":2,"channels":1},"payload_length":1000}\n12')
    os._exit(0)


def forever(what):
    def flood(write, _text):
        while True:
            write(what)

    return flood


def once(what):
    def send(write, _text):
        write(what)

    return send


def streams(write, _text):
    """Five seconds, 15 ms at a time, little faster than they are heard, as a neural voice."""
    write(event("audio-start", form()))
    for _ in range(330):
        write(event("audio-chunk", form(), tone(15)))
        time.sleep(0.0125)
    write(event("audio-stop"))


def slow(write, _text):
    """The first sound after a second, as a neural voice on a small board."""
    time.sleep(1)
    write(sentence())


def signals(write, _text):
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    inherited = [s for s in (signal.SIGTERM, signal.SIGUSR1) if signal.getsignal(s) != signal.SIG_DFL]
    write(event("error", {"text": f"blocked={len(mask)} handled={len(inherited)}"}))


START = event("audio-start", form())
MODES = {
    "good": good,
    "long": once(sentence(4000)),
    "separate": once(event("news", {"a": 1}) + sentence(200, 16000, 2, True)),
    "slow": slow,
    "streams": streams,
    "hang": quiet_forever,
    "stall": stall,
    "die": die,
    "die-midway": die_midway,
    "die-once": die_once,
    "die-later": die_later,
    "hang-up": hang_up,
    "signals": signals,
    "error": once(event("error", {"text": "hết bộ nhớ"})),
    "half-header": half_header,
    "half-payload": half_payload,
    "endless-header": forever(b" " * 4096),
    "endless-audio": forever(event("audio-chunk", form(), tone(1000))),
    "endless-events": forever(event("news", {"a": 1})),
    "endless-empty": forever(event("audio-chunk", form())),
    "huge-payload": once(START + b'{"type":"audio-chunk","payload_length":1099511627776}\n'),
    "negative-payload": once(START + b'{"type":"audio-chunk","payload_length":-4}\n'),
    "huge-data": once(b'{"type":"audio-start","data_length":99999999}\n'),
    "not-json": once(b"RIFF....WAVEfmt \n"),
    "other-rate": once(START + event("audio-chunk", form(16000), tone(100))),
    "bad-rate": once(event("audio-start", form(7)) + event("audio-chunk", form(7), tone(10))),
    "bad-width": once(event("audio-start", form(RATE, 4)) + event("audio-chunk", form(RATE, 4), b"1234")),
    "bad-channels": once(event("audio-start", form(RATE, 2, 9))),
    "no-format": once(event("audio-start", {}) + event("audio-chunk", {}, tone(10))),
    "odd": once(START + event("audio-chunk", form(), b"123")),
    "zero": once(START + event("audio-stop", {})),
    "after-stop": once(sentence() + event("audio-chunk", form(), tone(100))),
}


def read_exactly(stream, count):
    data = stream.read(count) if count else b""
    return data


def serve(stream, write, mode, record):
    while True:
        line = stream.readline()
        if not line:
            return
        header = json.loads(line)
        data = header.get("data") or {}
        extra = read_exactly(stream, header.get("data_length") or 0)
        if extra:
            data.update(json.loads(extra))
        read_exactly(stream, header.get("payload_length") or 0)
        if header["type"] != "synthesize":
            continue
        if record:
            with open(record, "a", encoding="utf-8") as file:
                file.write(json.dumps(data, ensure_ascii=False) + "\n")
        MODES[mode](write, data["text"])


def serve_socket(connection, mode, record):
    def write(data):
        connection.sendall(data)

    try:
        serve(connection.makefile("rb"), write, mode, record)
    except OSError:
        pass
    connection.close()


def listen(mode, record):
    server = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = server.accept()
            threading.Thread(
                target=serve_socket, args=(connection, mode, record), daemon=True
            ).start()

    threading.Thread(target=accept, daemon=True).start()
    os.write(1, b"%d\n" % server.getsockname()[1])
    sys.stdin.read()
    os._exit(0)


def main():
    arguments = sys.argv[1:]
    record = None
    listening = "--listen" in arguments
    if listening:
        arguments.remove("--listen")
    if "--record" in arguments:
        at = arguments.index("--record")
        record = arguments[at + 1]
        del arguments[at : at + 2]
    mode = arguments[0]
    if listening:
        listen(mode, record)

    def write(data):
        while data:
            data = data[os.write(1, data) :]

    try:
        serve(sys.stdin.buffer, write, mode, record)
    except OSError:
        pass


main()
