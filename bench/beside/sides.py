# SPDX-License-Identifier: GPL-3.0-or-later
"""The sides: ours, and what people use instead. Each has two loudspeakers, "1" and "2", that can be
asked alone or both at once, on cards of the same kind, and reads with the same voice at the same
pace."""

import os
import shutil
import socket
import time

from rig.broker import executable, free_port
from rig.process import Process, wait_until

from .cards import Card

ESPEAK = "espeak-ng -v vi -s 130 -p 45"  # as loalangd reads unless told otherwise
SPD_RATE = -45  # 130 words a minute: its module makes 80…170 of -100…0
# The least delay with which snapclient plays without a gap to a card of 80 ms; its own default is 1000.
SNAP_BUFFER_MS, SNAP_CHUNK_MS = 110, 10


def absent(programs):
    """Packages of the programs that are not installed."""
    missing = []
    for program, package in programs.items():
        path = program if program.startswith("/") else shutil.which(
            program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not path or not os.path.exists(path):
            missing.append(package)
    return sorted(set(missing))


class Side:
    """`cards`: those of loudspeaker 1 and 2; `roots`: for each the processes that are there for it
    alone; `common`: those for both."""

    programs = {}

    def __init__(self, rig):
        self.rig, self.cards, self.roots, self.common, self.processes = rig, [], [[], []], [], []

    def start(self):
        raise NotImplementedError

    def ask(self, which, text):
        """Publishes; the monotonic time of sending. `which`: "1", "2" or "both"."""
        return self.rig.client.publish(f"bench/{self.key}/{which}", text, qos=0)

    def pids(self, which):
        """The roots of all that is running for a loudspeaker, or for both."""
        chosen = self.roots if which == "both" else [self.roots[int(which) - 1]]
        return self.common + [pid for roots in chosen for pid in roots]

    def settle(self):
        """Waits for what comes after the last sound, until it could begin at once again."""

    def settle_halted(self):
        """For a loop that closes or stops the card behind each line."""
        for card in self.cards:
            card.wait_halted()
        time.sleep(0.05)  # the shell reads the next line

    def end(self):
        for process in reversed(self.processes):
            process.end()

    # --- for those that are made of programs ---------------------------------------------------

    def run(self, name, argv, group=False, **environment):
        home = f"{self.rig.folder}/{self.key}"
        os.makedirs(home, exist_ok=True)
        process = Process(name, argv, f"{home}/{name}.log", group=group,
                          env={**self.rig.environment(), "HOME": home, "XDG_RUNTIME_DIR": home,
                               "LANG": "C.UTF-8", **environment})
        self.processes.append(process)
        return process.pid

    def run_loop(self, which, body, before="", **environment):
        """mosquitto_sub | while read -r line; do BODY; done"""
        topics = [f"bench/{self.key}/{topic}" for topic in which]
        script = (f"{before}{executable('mosquitto_sub')} -h 127.0.0.1 -p {self.rig.port} "
                  + " ".join(f"-t {topic}" for topic in topics)
                  + f" | while read -r line; do {body}; done")
        pid = self.run(f"loop{which[0]}", ["/bin/sh", "-c", script], group=True, **environment)
        wait_until(lambda: all(self._is_subscribed(topic) for topic in topics),
                   f"{self.key} to subscribe", 20)
        return pid

    def _is_subscribed(self, topic):
        with open(f"{self.rig.folder}/broker/mosquitto.log") as log:
            return any(line.rstrip("\n").endswith(topic) for line in log)


class Ours(Side):
    """Two nodes; the second has two outputs on one card, and the preroll and the `sync_lead` that are
    the defaults. Everything else as the tests have it: no chimes, no gap between two."""

    key, title = "ours", "loalangd"

    def start(self):
        self.cards = [Card(self.rig, f"ours{i}", 48000, 2) for i in (1, 2)]
        second = {"device": "ours2", "preroll": "300ms"}
        self.nodes = [
            self.rig.node("mot", [{"name": "loa1", "device": "ours1", "zones": ["mot", "xa"]}],
                          gap="0ms", log_level="info"),
            self.rig.node("hai", [
                {"name": "loa2", "channels": [0], "zones": ["hai", "doi", "xa"], **second},
                {"name": "loa3", "channels": [1], "zones": ["doi", "xa"], **second}],
                gap="0ms", sync_lead="1500ms", log_level="info")]
        self.roots = [[node.pid] for node in self.nodes]
        self.count = 0

    def announce(self, zone, text, **more):
        self.count += 1
        message = {"id": f"tin-{self.count}", "text": text, **more}
        return self.rig.client.publish(self.rig.zone(zone), message, qos=0)

    def ask(self, which, text):
        return self.announce({"1": "mot", "2": "hai", "both": "doi"}[which], text)

    def ask_together(self, text, lead_seconds):
        """On all outputs of both nodes, at an instant."""
        return self.announce("xa", text, start=self.rig.in_future(lead_seconds))

    def pids(self, which):
        """Two loudspeakers are the two outputs of the second node."""
        return self.roots[0] if which == "1" else self.roots[1]

    def settle(self):
        for node in self.nodes:
            for output in node.outputs:
                node.wait_state(output["name"], "idle")

    def end(self):
        """The rig ends them."""


class Pipeline(Side):
    key, title = "pipeline", "espeak-ng \\| aplay"
    programs = {"espeak-ng": "espeak-ng", "aplay": "alsa-utils", "mosquitto_sub": "mosquitto-clients"}

    def start(self):
        self.cards = [Card(self.rig, f"pipeline{i}", 22050, 1) for i in (1, 2)]
        for i in (1, 2):
            self.roots[i - 1].append(self.run_loop(
                (f"{i}", "both"), f"printf '%s\\n' \"$line\" | {ESPEAK} --stdin --stdout |"
                f" aplay -q -D pipeline{i}"))

    def settle(self):
        self.settle_halted()


class SpeechDispatcher(Side):
    """As its own process with a configuration of its own, always there, its espeak-ng module loaded."""

    key, title = "speechd", "speech-dispatcher"
    programs = {"speech-dispatcher": "speech-dispatcher", "spd-say": "speech-dispatcher",
                "/usr/lib/speech-dispatcher-modules/sd_espeak-ng": "speech-dispatcher-espeak-ng",
                "mosquitto_sub": "mosquitto-clients"}

    def start(self):
        self.cards = [Card(self.rig, f"speechd{i}", 22050, 1) for i in (1, 2)]
        for i in (1, 2):
            path = f"unix_socket:{self._daemon(i)}"
            self.roots[i - 1].append(self.run_loop(
                (f"{i}", "both"), f'spd-say -w -l vi -r {SPD_RATE} -- "$line"', SPEECHD_ADDRESS=path))

    def settle(self):
        self.settle_halted()

    def _daemon(self, i):
        folder = f"{self.rig.folder}/speechd/{i}"
        os.makedirs(f"{folder}/modules", exist_ok=True)
        os.makedirs(f"{folder}/clients", exist_ok=True)
        shutil.copy("/etc/speech-dispatcher/modules/espeak-ng.conf", f"{folder}/modules/")
        with open(f"{folder}/speechd.conf", "w") as config:
            config.write(f'LogLevel 1\nLogDir "{folder}"\nDefaultLanguage "vi"\nDisableAutoSpawn\n'
                         f'AudioOutputMethod "alsa"\nAudioALSADevice "speechd{i}"\n'
                         'AddModule "espeak-ng" "sd_espeak-ng" "espeak-ng.conf"\n'
                         'DefaultModule espeak-ng\n')
        self.roots[i - 1].append(self.run(f"daemon{i}", [
            "speech-dispatcher", "--run-single", "-l", "1", "-L", folder, "-C", folder,
            "-c", "unix_socket", "-S", f"{folder}/socket", "-P", f"{folder}/pid", "-t", "0"]))
        wait_until(lambda: os.path.exists(f"{folder}/socket"), "speech-dispatcher", 20)
        return f"{folder}/socket"


class Snapcast(Side):
    """One server, fed by espeak-ng through a pipe that stays open, and a client for each card.
    It has no way to ask one of them alone."""

    key, title = "snapcast", "snapserver, 2 snapclients"
    programs = {"snapserver": "snapserver", "snapclient": "snapclient", "espeak-ng": "espeak-ng",
                "mosquitto_sub": "mosquitto-clients"}

    def start(self):
        self.cards = [Card(self.rig, f"snapcast{i}", 22050, 1) for i in (1, 2)]
        folder, port = f"{self.rig.folder}/snapcast", free_port()
        os.makedirs(folder, exist_ok=True)
        os.mkfifo(f"{folder}/fifo")
        with open(f"{folder}/snapserver.conf", "w") as config:
            config.write(
                f"[server]\ndatadir = {folder}\n[http]\nenabled = false\n[tcp]\nenabled = false\n"
                f"[stream]\nbind_to_address = 127.0.0.1\nport = {port}\n"
                f"source = pipe://{folder}/fifo?name=loa&mode=read\nsampleformat = 22050:16:1\n"
                f"codec = pcm\nchunk_ms = {SNAP_CHUNK_MS}\nbuffer = {SNAP_BUFFER_MS}\n"
                "[logging]\nsink = stderr\n")
        self.common.append(self.run("snapserver", ["snapserver", "-c", f"{folder}/snapserver.conf"]))
        wait_until(lambda: self._listens(port), "snapserver to listen", 20)
        for i in (1, 2):
            self.roots[i - 1].append(self.run(f"snapclient{i}", [
                "snapclient", "-h", "127.0.0.1", "-p", str(port), "-i", str(i), "--hostID", f"loa{i}",
                "-s", f"snapcast{i}", "--player", "alsa", "--mixer", "none", "--logsink", "stderr"]))
        # 44 bytes: espeak-ng's wav header, which would be heard as a click
        self.common.append(self.run_loop(
            ("1", "both"), f"printf '%s\\n' \"$line\" | {ESPEAK} --stdin --stdout | tail -c +45 >&3",
            before=f"exec 3>{folder}/fifo; "))

    @staticmethod
    def _listens(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0


ALL = (Ours, Pipeline, SpeechDispatcher, Snapcast)
