# SPDX-License-Identifier: GPL-3.0-or-later
"""A broker that misbehaves by script: MQTT 5 as far as a node needs it, on a given port."""

import socket
import struct
import threading
import time

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ = 1, 3, 4, 8, 12
PINGRESP = b"\xd0\x00"


def packet(kind, flags, body):
    head, length = bytearray([kind << 4 | flags]), len(body)
    while True:
        length, low = length >> 7, length & 0x7F
        head.append(low | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def connack(code, properties=b""):
    return packet(2, 0, bytes([0, code, len(properties)]) + properties)


def suback(identifier, codes):
    return packet(9, 0, identifier + b"\x00" + bytes(codes))


def publish(topic, payload):
    """QoS 0, as a broker would never do to a subscription of QoS 1; clients must take it."""
    name = topic.encode()
    return packet(3, 0, struct.pack("!H", len(name)) + name + b"\x00" + payload)


class Session:
    """One connection. `answer(session, kind, body)` of the script may send, or return False to
    close; what it leaves unanswered (returns None) is answered properly."""

    def __init__(self, connection, answer):
        self.connection, self.answer = connection, answer
        self.stream = connection.makefile("rb")
        self.subscribed = False

    def send(self, data):
        self.connection.sendall(data)

    def read(self):
        first = self.stream.read(1)
        if not first:
            raise EOFError
        length, shift = 0, 0
        while True:
            byte = self.stream.read(1)
            if not byte:
                raise EOFError
            length |= (byte[0] & 0x7F) << shift
            shift += 7
            if not byte[0] & 0x80:
                return first[0] >> 4, first[0] & 15, self.stream.read(length)

    def run(self):
        while True:
            kind, flags, body = self.read()
            outcome = self.answer(self, kind, body)
            if outcome is False:
                return
            if outcome is None:
                self.answer_properly(kind, flags, body)

    def answer_properly(self, kind, flags, body):
        if kind == CONNECT:
            self.send(connack(0))
        elif kind == SUBSCRIBE:
            self.send(suback(body[:2], [1] * self.count_filters(body)))
            self.subscribed = True
        elif kind == PUBLISH and flags & 6:
            at = 2 + struct.unpack("!H", body[:2])[0]
            self.send(packet(PUBACK, 0, body[at:at + 2]))
        elif kind == PINGREQ:
            self.send(PINGRESP)

    @staticmethod
    def count_filters(body):
        at, count = 3 + body[2], 0  # behind the identifier and the properties
        while at < len(body):
            at += 2 + struct.unpack("!H", body[at:at + 2])[0] + 1
            count += 1
        return count


class FakeBroker:
    """`connects` are the monotonic times of the connections."""

    def __init__(self, port, answer=lambda session, kind, body: None):
        self.port, self.answer, self.connects, self.open = port, answer, [], []
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for end in [self.listener, *self.open]:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connects.append(time.monotonic())
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            Session(connection, self.answer).run()
        except (OSError, EOFError, struct.error):
            pass
        finally:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
