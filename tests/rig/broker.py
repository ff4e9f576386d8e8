# SPDX-License-Identifier: GPL-3.0-or-later
"""A private mosquitto on a loopback port of its own."""

import os
import random
import shutil
import signal
import socket

from .process import Process, ProcessError, wait_until


def executable(name):
    """Also finds what Debian keeps in sbin, which an ordinary user's PATH lacks."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")
    if not path:
        raise ProcessError(f"{name} is not installed")
    return path


def free_port():
    """A free loopback port outside the kernel's ephemeral range, so that nobody's outgoing
    connection takes it while a broker is being restarted."""
    while True:
        port = random.randrange(10240, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


# It keeps for a client as much as comes; by default what is beyond 1,000 messages is dropped in
# silence, retained ones at a new connection included.
PATIENT = "max_queued_messages 0"


class Broker:
    """`options`: more lines for mosquitto.conf. `connects()` needs options="log_type notice"."""

    def __init__(self, folder, start=True, port=None, options=""):
        self.folder, self.process, self.options = folder, None, options
        os.makedirs(folder, exist_ok=True)
        self.port = port or free_port()
        if start:
            self.start()

    def start(self):
        for _ in range(10):
            self._write_configuration()
            self.process = Process("mosquitto", [executable("mosquitto"), "-c", self.config_path],
                                   f"{self.folder}/mosquitto.log")
            try:
                wait_until(self._settled, "mosquitto to listen", 10)
            except ProcessError:
                self.process.end()
                raise
            if self.process.running():
                return
            self.port = free_port()  # somebody was quicker
        raise ProcessError("mosquitto does not start: " + self.process.log())

    def _write_configuration(self):
        self.config_path = f"{self.folder}/mosquitto.conf"
        with open(self.config_path, "w") as config:
            config.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                         f"persistence true\npersistence_location {self.folder}/\n"
                         "max_packet_size 17000000\nlog_type error\nlog_type warning\n"
                         + (self.options + "\n" if self.options else "")
                         + ("user root\n" if os.geteuid() == 0 else ""))

    def _settled(self):
        if not self.process.running():
            return True
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        """As an orderly restart does: retained messages are kept on disk."""
        if self.process:
            self.resume()
            self.process.end()
            self.process = None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process = None

    def restart(self):
        self.stop()
        self.start()

    def pause(self):
        """It does nothing any more, but its kernel still acknowledges what it is sent."""
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def connects(self, client_id):
        """How often a client with that id has connected."""
        with open(f"{self.folder}/mosquitto.log") as log:
            return sum(f" as {client_id} (" in line and "New client connected" in line
                       for line in log)
