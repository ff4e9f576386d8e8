# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything one test (or one benchmark) has started, in one folder, taken down at its end."""

import glob
import json
import os
import subprocess
import time

from . import mqtt
from .broker import Broker, executable
from .clock import Clock
from .node import Node, rfc3339
from .process import wait_until
from .sound import Alsa, Pulse
from .together import Line, Lines
from .tones import ToneEngine

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCALES = {"": 1.0, "address,undefined": 3.0, "thread": 6.0}  # how much slower a build may be


def sanitizers_of(build):
    try:
        with open(f"{build}/CMakeCache.txt") as cache:
            for line in cache:
                if line.startswith("LOALANG_SANITIZE:"):
                    return line.rstrip("\n").partition("=")[2]
    except OSError:
        pass
    return ""


class Rig:
    site = "lang-thu"

    def __init__(self, build, folder):
        self.build, self.folder, self.source = os.path.abspath(build), folder, SOURCE
        os.makedirs(folder, exist_ok=True)
        self.sanitizers = sanitizers_of(self.build)
        self.scale = SCALES.get(self.sanitizers, 3.0)
        self.alsa = Alsa(folder, self.build)
        self.client, self.broker, self.pulse = None, None, None
        self.began = time.time()
        self.recording = Lines()
        self.nodes, self.engines, self.clients = [], [], []

    # --- parts ---------------------------------------------------------------------------------

    def start_broker(self, options=""):
        self.broker = Broker(f"{self.folder}/broker", options=options)
        self.observe()
        return self.broker

    def observe(self):
        self.client = self.another_client("observer")
        self.client.subscribe(f"loalang/{self.site}/#")

    def another_client(self, name=""):
        client = mqtt.Client(self.port, f"test-{name}-{os.getpid()}" if name else "")
        self.clients.append(client)
        return client

    @property
    def port(self):
        return self.broker.port

    def start_pulse(self):
        self.pulse = Pulse(f"{self.folder}/pulse")
        return self.pulse

    def tone_engine(self, port=0, smooth=False):
        """(the engine, its configuration)"""
        engine = ToneEngine(port, smooth)
        self.engines.append(engine)
        return engine, self.speech({"name": "tones", "address": engine.address})

    @staticmethod
    def speech(*engines, **more):
        return {"engines": list(engines), "sentence_pause": "300ms", **more}

    def node(self, name="ubnd", outputs=None, start=True, wait=True, clock=False, **changes):
        """`clock`: one of its own, which node.set_clock() sets."""
        if not self.broker:
            self.start_broker()
        if outputs is None:
            outputs = [{"name": "loa", "device": self.alsa.unpaced("loa"), "zones": ["trung-tam"]}]
        if clock:
            changes["clock"] = Clock(self.folder, self.build, name)
        node = Node(self, name, outputs, **changes)
        self.nodes.append(node)
        return node.start(wait) if start else node

    def paced(self, channel, name=None, zones=("trung-tam",), **numbers):
        """An output on a card of its own, paced like hardware: a channel of rig.recording.
        (`numbers`: those of tests/alsa/pcm_loatest.c.)"""
        card = self.alsa.loatest(f"line{channel}", **numbers)
        self.recording.add(channel, Line(self.alsa, card))
        return {"name": name or f"loa{channel}", "device": card, "zones": list(zones)}

    def unplug(self, channel):
        """Takes the card of a line away, under whatever plays. Returns the monotonic time."""
        self.alsa.control(f"line{channel}", absent=1)
        return time.monotonic()

    def plug(self, channel):
        """Gives it back."""
        self.alsa.control(f"line{channel}", absent=0)

    def both(self, *outputs, **numbers):
        """Two outputs on the two channels of one card."""
        card = self.alsa.loatest("both", **numbers)
        for channel in range(2):
            self.recording.add(channel, Line(self.alsa, card, channel))
        return [{"name": name, "device": card, "channels": [i], "zones": [zone]}
                for i, (name, zone) in enumerate(outputs)]

    def environment(self):
        keep = ("PATH", "LANG", "LC_ALL", "HOME", "USER", "LD_LIBRARY_PATH")
        env = {key: os.environ[key] for key in keep if key in os.environ}
        env["ALSA_CONFIG_PATH"] = self.alsa.path
        env["PULSE_SERVER"] = f"unix:{self.folder}/no-pulseaudio"
        suppressions = f"{SOURCE}/tests/rig/sanitizers"
        env["ASAN_OPTIONS"] = ("detect_leaks=1:abort_on_error=0:exitcode=99:"
                               "verify_asan_link_order=0")  # libloaclock.so comes before it
        env["LSAN_OPTIONS"] = f"suppressions={suppressions}/lsan.supp:print_suppressions=0"
        env["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1"
        env["TSAN_OPTIONS"] = f"suppressions={suppressions}/tsan.supp:exitcode=99"
        if self.pulse:
            env.update(self.pulse.environment)
        return env

    # --- doings --------------------------------------------------------------------------------

    def zone(self, zone, rest="announce"):
        return f"loalang/{self.site}/zone/{zone}/{rest}"

    def announce(self, zone, id, text=None, client=None, **fields):
        """A retained announcement; returns the monotonic time of sending."""
        message = {"id": id, "text": text, **fields} if text is not None else {"id": id, **fields}
        return (client or self.client).publish(self.zone(zone, f"announce/{id}"), message, retain=True)

    def withdraw(self, zone, id, revision=2):
        return self.client.publish(self.zone(zone, f"announce/{id}"),
                                   {"withdrawn": True, "revision": revision}, retain=True)

    def control(self, zone, action, retain=False):
        return self.client.publish(self.zone(zone, "control"), {"action": action}, retain=retain)

    def mosquitto_pub(self, *arguments):
        """As an operator's script does."""
        subprocess.run([executable("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(self.port),
                        *arguments], check=True, timeout=20)

    def settle(self):
        """Until every node has taken all that was published before: each is asked something that
        only an orderly message loop can answer, a refused announcement, and answers in order."""
        for node in self.nodes:
            if node.process and node.process.running():
                self._settle(node)

    def _settle(self, node):
        marker = f"moc-{time.monotonic_ns()}"
        self.client.publish(self.zone("all"), {"id": marker, "text": ""})
        node.wait_receipt(marker, "rejected")

    def loalang(self, *arguments, input=None, timeout=60, config=None, environment=None):
        """Runs the operator's command; the result has returncode, stdout, stderr."""
        return subprocess.run(
            self.loalang_argv(*arguments, config=config), input=input, text=True,
            capture_output=True, timeout=timeout * self.scale,
            env={**self.environment(), **(environment or {})})

    def loalang_argv(self, *arguments, config=None):
        argv = [f"{self.build}/bin/loalang"]
        if config:
            argv += ["--config", config]
        elif self.broker:
            argv += ["--site", self.site, "--host", "127.0.0.1", "--port", str(self.port)]
        return argv + list(arguments)

    def wait_gone(self, pid, timeout=5):
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), f"process {pid} to end",
                   timeout * self.scale)

    def wait(self, condition, what, timeout=20):
        return wait_until(condition, what, timeout * self.scale, 0.05)

    def wait_log(self, node, *words, timeout=15):
        """Until the node has written one of these words in its log."""
        return self.wait(lambda: any(w in node.log().lower() for w in words),
                         f"{' or '.join(words)} in the log", timeout)

    @staticmethod
    def in_future(seconds):
        return rfc3339(time.time() + seconds)

    # --- the end -------------------------------------------------------------------------------

    def finish(self):
        """Orderly stop of what still runs, and the checks every test makes at its end."""
        for node in self.nodes:
            if node.process and node.process.running():
                node.stop()
        reports = [path for path in glob.glob(f"{self.folder}/**/*.log", recursive=True)
                   if not path.endswith(("pulseaudio.log", "mosquitto.log")) and self._report(path)]
        assert not reports, f"sanitizer reports in {', '.join(reports)}"

    @staticmethod
    def _report(path):
        from .node import SANITIZER_REPORT
        with open(path, "rb") as log:
            return SANITIZER_REPORT.search(log.read().decode("utf-8", "replace"))

    def close(self):
        for node in self.nodes:
            if node.process and node.process.running():
                node.process.kill()
        for client in self.clients:
            client.close()
        for engine in self.engines:
            engine.close()
        if self.pulse:
            self.pulse.close()
        if self.broker:
            self.broker.stop()

    def story(self):
        """For a failed test: what was published and what every node wrote."""
        parts = []
        if self.client:
            start = self.client.messages[0].mono if self.client.messages else 0
            parts.append("--- messages\n" + "\n".join(
                f"{m.mono - start:9.3f} {repr(m)[:600]}" for m in self.client.messages[-150:]))
        for path in sorted(glob.glob(f"{self.folder}/**/*.log", recursive=True)):
            with open(path, "rb") as log:
                text = log.read().decode("utf-8", "replace")[-6000:]
            if text:
                parts.append(f"--- {os.path.relpath(path, self.folder)}\n{text}")
        return "\n".join(parts)


def dumps(value):
    return json.dumps(value, ensure_ascii=False)
