# SPDX-License-Identifier: GPL-3.0-or-later
"""A small MQTT 5 client that asks and answers: Response Topic and Correlation Data, out and in. Says
only what a test tells it to, right or wrong."""

import json
import socket
import struct

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, DISCONNECT = 1, 2, 3, 4, 8, 9, 14
EXPIRY, RESPONSE_TOPIC, CORRELATION = 0x02, 0x08, 0x09
# the other properties that may come with a message, and how long they are; None: two bytes say it
SIZES = {0x01: 1, 0x02: 4, 0x03: None, 0x08: None, 0x09: None, 0x23: 2}


def _length(number):
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def _string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("!H", len(data)) + data


def _properties(pairs):
    body = b"".join(bytes([name]) + _string(value) for name, value in pairs if value is not None)
    return _length(len(body)) + body


class Answer:
    def __init__(self, topic, payload, properties, retain):
        self.topic, self.payload, self.retain = topic, payload, retain
        self.correlation = properties.get(CORRELATION)
        self.response_topic = properties.get(RESPONSE_TOPIC)
        self.expiry = properties.get(EXPIRY) and int.from_bytes(properties[EXPIRY], "big")  # s

    def json(self):
        return json.loads(self.payload)


class Asker:
    def __init__(self, rig, name="asker"):
        self.rig, self.answers, self.count, self.packets = rig, [], 0, 0
        self.topic = f"loalang/{rig.site}/reply/{name}"
        self.socket = socket.create_connection(("127.0.0.1", rig.port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(20 * rig.scale)
        self.stream = self.socket.makefile("rb")
        self._send(CONNECT, 0, _string("MQTT") + b"\x05\x02\x00\x00\x00" + _string(b""))
        assert self._read()[0] == CONNACK
        self.subscribe(self.topic)

    def close(self):
        self._send(DISCONNECT, 0, b"")
        self.stream.close()
        self.socket.close()

    # --- what a test calls ---------------------------------------------------------------------

    def subscribe(self, pattern):
        self._send(SUBSCRIBE, 2, b"\x00\x01\x00" + _string(pattern) + b"\x00")
        self._until(SUBACK)

    def put(self, node, what, payload=b"", topic="", correlation=None, retain=False):
        """Publishes a request; `topic` None: without a Response Topic. It is with the broker when
        this returns."""
        self.publish(node.topic(f"request/{what}"), payload,
                     [(RESPONSE_TOPIC, self.topic if topic == "" else topic),
                      (CORRELATION, correlation)], retain)

    def burst(self, node, what, payload, correlations):
        """Many requests at once: none waits for the broker's word."""
        topic, body = node.topic(f"request/{what}"), json.dumps(payload).encode()
        for correlation in correlations:
            self._publish(topic, body, [(RESPONSE_TOPIC, self.topic), (CORRELATION, correlation)])
        for _ in correlations:
            self._until(PUBACK)

    def answer(self, question, payload):
        """As a node does."""
        self.publish(question.response_topic, payload, [(CORRELATION, question.correlation)])

    def publish(self, topic, payload, properties=(), retain=False):
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload, ensure_ascii=False)
        if isinstance(payload, str):
            payload = payload.encode()
        self._publish(topic, payload, properties, retain)
        self._until(PUBACK)

    def ask(self, node, what, payload=b""):
        """Asks and waits: the answer's JSON."""
        self.count += 1
        correlation = f"\x00\xff{self.count}".encode("latin-1")
        self.put(node, what, payload, correlation=correlation)
        return self.wait(correlation).json()

    def wait(self, correlation):
        while True:
            for answer in self.answers:
                if answer.correlation == correlation:
                    return answer
            self._until(PUBLISH)

    def next(self):
        """The next message that was not taken out yet."""
        while not self.answers:
            self._until(PUBLISH)
        return self.answers.pop(0)

    # --- inside --------------------------------------------------------------------------------

    def _publish(self, topic, payload, properties, retain=False):
        self.packets = self.packets % 65535 + 1
        self._send(PUBLISH, 2 | retain, _string(topic) + struct.pack("!H", self.packets)
                   + _properties(properties) + payload)

    def _send(self, kind, flags, body):
        self.socket.sendall(bytes([kind << 4 | flags]) + _length(len(body)) + body)

    def _until(self, wanted):
        while True:
            kind, flags, body = self._read()
            if kind == PUBLISH:
                self._take(flags, body)
            if kind == wanted:
                return

    def _read(self):
        head, length, shift = self.stream.read(1), 0, 0
        while True:
            byte = self.stream.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return head[0] >> 4, head[0] & 15, self.stream.read(length)

    def _take(self, flags, body):
        assert not flags & 6, "subscribed with QoS 0"
        end = 2 + struct.unpack("!H", body[:2])[0]
        topic, size, shift = body[2:end].decode(), 0, 0
        while True:
            size |= (body[end] & 0x7F) << shift
            shift, end = shift + 7, end + 1
            if not body[end - 1] & 0x80:
                break
        properties = dict(self._pairs(body[end:end + size]))
        self.answers.append(Answer(topic, body[end + size:], properties, bool(flags & 1)))

    @staticmethod
    def _pairs(data):
        while data:
            name, size = data[0], SIZES[data[0]]
            start = 1 if size else 3
            size = size or struct.unpack("!H", data[1:3])[0]
            yield name, data[start:start + size]
            data = data[start + size:]
