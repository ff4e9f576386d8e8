# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP line that can be bad: between a node and its broker, on a loopback port of its own."""

import socket
import threading
import time

from .broker import free_port


class Proxy:
    """While `swallow` is set it takes all that either side sends and passes nothing on, as a line
    does whose far end has vanished. `bytes_per_second` slows down what comes from the broker."""

    def __init__(self, target_port):
        self.target_port, self.port = target_port, free_port()
        self.swallow, self.bytes_per_second = False, None
        self.sockets, self.connects, self.passed_mono = [], 0, 0.0
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        # shutdown wakes the thread in accept(), which close alone does not
        for end in [self.listener, *self.sockets]:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connects += 1
            try:
                far = socket.create_connection(("127.0.0.1", self.target_port), 5)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets += [near, far]
            threading.Thread(target=self._carry, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, True), daemon=True).start()

    def _carry(self, source, sink, from_broker):
        try:
            while data := source.recv(4096):
                if self.swallow:
                    continue
                if from_broker and self.bytes_per_second:
                    time.sleep(len(data) / self.bytes_per_second)  # the pace of the line
                sink.sendall(data)
                if from_broker:
                    self.passed_mono = time.monotonic()
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
