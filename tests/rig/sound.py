# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound devices without a sound card, all reached through the real ALSA library:

* unpaced: ALSA's `file` plugin over `null`: takes everything at once; each opening makes a wav;
* loatest: tests/alsa/pcm_loatest.c, paced like hardware, which knows when each frame was heard
           (rig/together.py) and misbehaves on request;
* pulse:   a private PulseAudio."""

import glob
import os
import subprocess

import numpy as np

from . import analysis
from .process import Process, ProcessError, wait_until


class Alsa:
    """The private ALSA configuration of one test, found through ALSA_CONFIG_PATH."""

    def __init__(self, folder, build):
        self.folder, self.path, self.build = folder, f"{folder}/asound.conf", build
        with open(self.path, "w") as config:
            config.write("</usr/share/alsa/alsa.conf>\n")
        self.loatest_declared = False
        self.cards = {}  # of loatest: their numbers

    def declare(self, text):
        with open(self.path, "a") as config:
            config.write(text)

    def unpaced(self, name):
        """Returns the PCM's name; sound_of(name) is what was played to it."""
        self.declare(f'pcm.{name} {{ type file slave.pcm {{ type null }} '
                     f'file "{self.folder}/{name}.wav" format "wav" truncate no }}\n')
        return name

    def pulse(self, name):
        self.declare(f'pcm.{name} {{ type pulse device "line" }}\n')
        return name

    def loatest_module(self):
        found = glob.glob(f"{self.build}/**/*loatest*.so", recursive=True)
        return found[0] if found else None

    def loatest(self, name, **numbers):
        """A card that misbehaves: the numbers are those of tests/alsa/pcm_loatest.c."""
        module = self.loatest_module()
        if not module:
            raise ProcessError("the build has no loatest plugin (tests/alsa)")
        if not self.loatest_declared:
            self.declare(f'pcm_type.loatest {{ lib "{module}" }}\n')
            self.loatest_declared = True
        fields = {"file": f'"{self.folder}/{name}.raw"', "control": f'"{self.folder}/{name}.ctl"',
                  **numbers}
        self.cards[name] = numbers
        body = " ".join(f"{key} {value}" for key, value in fields.items())
        self.declare(f"pcm.{name} {{ type loatest {body} }}\n")
        return name

    def control(self, name, **numbers):
        """Changes what a loatest card does, from now on."""
        path = f"{self.folder}/{name}.ctl"
        with open(path + ".new", "w") as file:
            file.writelines(f"{key}={value}\n" for key, value in numbers.items())
        os.replace(path + ".new", path)

    def heard(self, name, channel=0, channels=2):
        """What a loatest card (of so many channels) has played so far."""
        try:
            data = np.memmap(f"{self.folder}/{name}.raw", dtype="<i2", mode="r")
        except (FileNotFoundError, ValueError):  # not there, or nothing in it
            return np.zeros(0, dtype=np.float32)
        frames = data[:len(data) // channels * channels].reshape(-1, channels)
        return frames[:, channel].astype(np.float32) / 32768

    def events(self, name):
        """[(monotonic seconds, frames heard, event)] of a loatest card."""
        try:
            with open(f"{self.folder}/{name}.raw.log") as log:
                rows = [line.split() for line in log if line.endswith("\n")]
        except FileNotFoundError:
            return []
        return [(int(us) / 1e6, int(frames), event) for us, frames, event in rows]

    def mono_of_frame(self, name, frame):
        """When that frame was played: the card's clock runs by CLOCK_MONOTONIC since a start."""
        start = [e for e in self.events(name) if e[2] == "start" and e[1] <= frame][-1]
        ppm = self.cards[name].get("ppm", 0)
        return start[0] + (frame - start[1]) / (analysis.RATE * (1 + ppm / 1e6))

    def takes(self, name):
        """One array (frames × channels at 48 kHz) for each opening that wrote sound."""
        takes = []
        for path in sorted(glob.glob(f"{self.folder}/{name}.wav*")):
            with open(path, "rb") as file:
                frames, rate = analysis.parse_wav(file.read())
            assert rate == analysis.RATE or not len(frames), f"{path}: {rate} Hz"
            if len(frames):
                takes.append(frames)
        return takes

    def sound_of(self, name, channel=0):
        """All takes of one channel, joined."""
        takes = self.takes(name)
        if not takes:
            return np.zeros(0, dtype=np.float32)
        return np.concatenate([take[:, channel] for take in takes])


class Pulse:
    """A private PulseAudio with one null sink, `line`, and a recording of its monitor: for whether sound
    comes out of it at all. When it came is PulseAudio's affair: what needs to know it plays to a
    loatest card."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.environment = {"HOME": folder, "XDG_RUNTIME_DIR": folder, "PULSE_RUNTIME_PATH": folder,
                            "PULSE_SERVER": f"unix:{folder}/native"}
        self._start()
        self.recorder = Process("parec", [
            "parec", "-d", "line.monitor", "--format=float32le", f"--rate={analysis.RATE}",
            "--channels=1", "--latency-msec=10", "--raw", f"{folder}/recording"],
            f"{folder}/parec.log", env={**os.environ, **self.environment})
        try:
            wait_until(lambda: len(self.sound()), "the recording to begin", 20)
        except ProcessError:
            self.close()
            raise

    def _start(self):
        env = {**os.environ, **self.environment}
        del env["PULSE_SERVER"]
        self.process = Process("pulseaudio", [
            "pulseaudio", "-n", "--daemonize=no", "--system=no", "--exit-idle-time=-1",
            "--use-pid-file=no", "--disable-shm=yes", "--realtime=yes", "--high-priority=yes",
            "-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.folder}/native",
            "-L", f"module-null-sink sink_name=line channels=1 rate={analysis.RATE}"],
            f"{self.folder}/pulseaudio.log", env=env)
        try:
            wait_until(lambda: not self.process.running() or self._answers(), "pulseaudio", 20, 0.05)
            if not self.process.running():
                raise ProcessError("pulseaudio does not start: " + self.process.log())
        except ProcessError:
            self.process.end()
            raise

    def _answers(self):
        done = subprocess.run(["pactl", "info"], env={**os.environ, **self.environment},
                              capture_output=True, timeout=20)
        return done.returncode == 0

    def sound(self):
        """What was recorded so far."""
        try:
            return np.fromfile(f"{self.folder}/recording", dtype="<f4")
        except FileNotFoundError:
            return np.zeros(0, dtype=np.float32)

    def close(self):
        self.recorder.end()
        self.process.end()
