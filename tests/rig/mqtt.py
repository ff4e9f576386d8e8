# SPDX-License-Identifier: GPL-3.0-or-later
"""A small MQTT 3.1.1 client (QoS 0 and 1) that remembers everything it receives, with the
monotonic time of arrival, so that a test can wait for events instead of sleeping.

It reconnects by itself, quickly, and subscribes again: an observer that is back before the node
under test, when the broker is restarted."""

import json
import socket
import struct
import threading
import time

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14


class MqttError(Exception):
    pass


class Message:
    def __init__(self, topic, payload, retain, mono):
        self.topic, self.payload, self.retain, self.mono = topic, payload, retain, mono

    def json(self):
        return json.loads(self.payload)

    def __repr__(self):
        flag = " (retained)" if self.retain else ""
        return f"{self.topic}{flag} {self.payload.decode('utf-8', 'replace')}"


def _string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("!H", len(data)) + data


def _packet(kind, flags, body):
    head, length = bytearray([kind << 4 | flags]), len(body)
    while True:
        length, low = length >> 7, length & 0x7F
        head.append(low | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def topic_matches(pattern, topic):
    want, have = pattern.split("/"), topic.split("/")
    for i, level in enumerate(want):
        if level == "#":
            return True
        if i >= len(have) or level not in ("+", have[i]):
            return False
    return len(want) == len(have)


class Client:
    """Not `clean`: the broker keeps what comes while the client is away."""

    def __init__(self, port, client_id="", host="127.0.0.1", timeout=10, clean=True):
        self.address, self.client_id, self.timeout = (host, port), client_id, timeout
        self.clean = clean
        self.messages, self.subscriptions = [], []
        self.changed = threading.Condition()
        self.acknowledged, self.next_id = set(), 1
        self.connected, self.closing, self.socket = False, False, None
        self.session = 0  # counts the connections that were lost
        self.send_lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self._wait(lambda: self.connected, "connected")

    # --- what a test calls ---------------------------------------------------------------------

    def subscribe(self, pattern):
        with self.changed:
            self.subscriptions.append(pattern)
        identifier = self._identifier()
        self._send(_packet(SUBSCRIBE, 2, struct.pack("!H", identifier) + _string(pattern) + b"\x01"))
        self._wait(lambda: identifier in self.acknowledged, f"SUBACK for {pattern}")

    def publish(self, topic, payload=b"", retain=False, qos=1, wait=True):
        """Returns the monotonic time just before the message was sent."""
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload, ensure_ascii=False)
        if isinstance(payload, str):
            payload = payload.encode()
        body, identifier = _string(topic), None
        if qos:
            identifier = self._identifier()
            body += struct.pack("!H", identifier)
        at = time.monotonic()
        self._send(_packet(PUBLISH, qos << 1 | retain, body + payload))
        if qos and wait:
            session = self.session
            self._wait(lambda: identifier in self.acknowledged or self.session != session,
                       f"PUBACK for {topic}")
            if identifier not in self.acknowledged:
                raise MqttError(f"the connection was lost before the PUBACK for {topic}")
        return at

    def publish_surely(self, *arguments, timeout=30, **more):
        """publish(), again and again while the broker is not there: for what may come twice."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._wait(lambda: self.connected, "connected", timeout)
                return self.publish(*arguments, **more)
            except (MqttError, OSError):
                if time.monotonic() > deadline:
                    raise

    def select(self, pattern="#", condition=None, since=0):
        """The messages so far on topics that match `pattern` and fulfil `condition`."""
        with self.changed:
            return [m for m in self.messages[since:] if topic_matches(pattern, m.topic)
                    and (condition is None or condition(m))]

    def wait_for(self, pattern, condition=None, timeout=10, since=0, what=None):
        """The first message so far, or to come, that matches; MqttError after `timeout`."""
        found = []

        def look():
            found[:] = self.select(pattern, condition, since)
            return bool(found)

        self._wait(look, what or f"a message on {pattern}", timeout)
        return found[0]

    def mark(self):
        """A position for `since`: only what comes later."""
        with self.changed:
            return len(self.messages)

    def last(self, pattern, condition=None):
        found = self.select(pattern, condition)
        return found[-1] if found else None

    def wait_until(self, condition, what, timeout=10):
        """Until condition() is true; looked at whenever a message comes."""
        self._wait(condition, what, timeout)

    def close(self):
        self.closing = True
        try:
            self._send(_packet(DISCONNECT, 0, b""))
        except (OSError, MqttError):
            pass
        if self.socket:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(5)

    # --- inside --------------------------------------------------------------------------------

    def _identifier(self):
        with self.changed:
            identifier, self.next_id = self.next_id, self.next_id % 65535 + 1
            self.acknowledged.discard(identifier)
            return identifier

    def _wait(self, condition, what, timeout=None):
        deadline = time.monotonic() + (timeout or self.timeout)
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise MqttError(f"waited {timeout or self.timeout:.0f} s in vain for {what}")
                self.changed.wait(min(left, 0.5))

    def _send(self, data):
        with self.send_lock:
            if not self.socket:
                raise MqttError("not connected")
            self.socket.sendall(data)

    def _run(self):
        while not self.closing:
            try:
                self._session()
            except (OSError, EOFError, struct.error):
                pass
            with self.changed:
                self.connected = False
                self.session += 1
                self.changed.notify_all()
            if not self.closing:
                time.sleep(0.02)  # the pace of reconnecting, not a wait for an event

    def _session(self):
        self.socket = socket.create_connection(self.address, 5)
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.settimeout(None)
            stream = self.socket.makefile("rb")
            body = _string("MQTT") + bytes([4, 2 if self.clean else 0]) + struct.pack("!H", 0) + _string(self.client_id)
            self._send(_packet(CONNECT, 0, body))
            kind, _, body = self._read(stream)
            if kind != CONNACK or body[1] != 0:
                raise EOFError
            for i, pattern in enumerate(self.subscriptions):
                self._send(_packet(SUBSCRIBE, 2,
                                   struct.pack("!H", 65000 + i) + _string(pattern) + b"\x01"))
            with self.changed:
                self.connected = True
                self.changed.notify_all()
            while True:
                # acknowledge at once, or the broker (Nagle) holds back what follows for 40 ms
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                self._handle(*self._read(stream))
        finally:
            self.socket.close()
            self.socket = None

    def _read(self, stream):
        first = stream.read(1)
        if not first:
            raise EOFError
        length, shift = 0, 0
        while True:
            byte = stream.read(1)
            if not byte:
                raise EOFError
            length |= (byte[0] & 0x7F) << shift
            shift += 7
            if not byte[0] & 0x80:
                break
        body = stream.read(length)
        if len(body) != length:
            raise EOFError
        return first[0] >> 4, first[0] & 15, body

    def _handle(self, kind, flags, body):
        mono = time.monotonic()
        if kind == PUBLISH:
            end = 2 + struct.unpack("!H", body[:2])[0]
            topic, qos = body[2:end].decode(), flags >> 1 & 3
            if qos:
                self._send(_packet(PUBACK, 0, body[end:end + 2]))
                end += 2
            with self.changed:
                self.messages.append(Message(topic, body[end:], bool(flags & 1), mono))
                self.changed.notify_all()
        elif kind in (PUBACK, SUBACK):
            with self.changed:
                self.acknowledged.add(struct.unpack("!H", body[:2])[0])
                self.changed.notify_all()
