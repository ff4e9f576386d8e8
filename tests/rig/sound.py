# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound devices without a sound card, all reached through the real ALSA library:

* unpaced: ALSA's `file` plugin over `null`: takes everything at once; each opening makes a wav;
* paced:   a private PulseAudio with one two-channel null sink, each channel a remap sink (a
           loudspeaker line of its own), and ONE recording of the monitor: two outputs can be
           compared to the sample. Unloading a remap sink takes a device away;
* loatest: tests/alsa/pcm_loatest.c, which misbehaves on request."""

import glob
import os
import socket
import subprocess
import threading
import time

import numpy as np

from . import analysis
from .process import Process, ProcessError, wait_until

BLOCK_FRAMES = 480


class Alsa:
    """The private ALSA configuration of one test, found through ALSA_CONFIG_PATH."""

    def __init__(self, folder, build):
        self.folder, self.path, self.build = folder, f"{folder}/asound.conf", build
        with open(self.path, "w") as config:
            config.write("</usr/share/alsa/alsa.conf>\n")
        self.loatest_declared = False

    def declare(self, text):
        with open(self.path, "a") as config:
            config.write(text)

    def unpaced(self, name):
        """Returns the PCM's name; sound_of(name) is what was played to it."""
        self.declare(f'pcm.{name} {{ type file slave.pcm {{ type null }} '
                     f'file "{self.folder}/{name}.wav" format "wav" truncate no }}\n')
        return name

    def pulse(self, name, sink):
        self.declare(f'pcm.{name} {{ type pulse device "{sink}" }}\n')
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
        return start[0] + (frame - start[1]) / analysis.RATE

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
    """A private PulseAudio: sinks line0 and line1 are the left and right channel of `line`."""

    def __init__(self, folder, channels=2):
        self.folder, self.channels = folder, channels
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.server = f"unix:{folder}/native"
        self.environment = {"HOME": folder, "XDG_RUNTIME_DIR": folder, "PULSE_RUNTIME_PATH": folder,
                            "PULSE_SERVER": self.server}
        self.modules = {}
        self._start()
        self.recording = Recording(self)

    def _start(self):
        env = {**os.environ, **self.environment}
        del env["PULSE_SERVER"]
        self.process = Process("pulseaudio", [
            "pulseaudio", "-n", "--daemonize=no", "--system=no", "--exit-idle-time=-1",
            "--use-pid-file=no", "--disable-shm=yes", "--realtime=yes", "--high-priority=yes",
            "-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.folder}/native",
            "-L", f"module-cli-protocol-unix socket={self.folder}/cli",
            "-L", "module-null-sink sink_name=line channels=2 rate=48000 format=float32le "
                  "channel_map=front-left,front-right"],
            f"{self.folder}/pulseaudio.log", env=env)
        try:
            wait_until(lambda: not self.process.running() or self._answers(), "pulseaudio", 20, 0.05)
            if not self.process.running():
                raise ProcessError("pulseaudio does not start: " + self.process.log())
            for channel in range(2):
                self.plug(channel)
        except ProcessError:
            self.process.end()
            raise

    def _answers(self):
        return os.path.exists(f"{self.folder}/native") and self._pactl("info", check=False) is not None

    def _pactl(self, *arguments, check=True):
        done = subprocess.run(["pactl", *arguments], env={**os.environ, **self.environment},
                              capture_output=True, text=True, timeout=20)
        if done.returncode:
            if check:
                raise ProcessError(f"pactl {' '.join(arguments)}: {done.stderr}")
            return None
        return done.stdout.strip()

    def plug(self, channel):
        """Gives the loudspeaker line back (or makes it first)."""
        side = ("front-left", "front-right")[channel]
        self.modules[channel] = self._pactl(
            "load-module", "module-remap-sink", f"sink_name=line{channel}", "master=line",
            "channels=1", f"master_channel_map={side}", "channel_map=mono", "remix=no")

    def unplug(self, channel):
        """Takes it away, under whatever plays. Returns the monotonic time. (The streams are ended
        first: PulseAudio would move them to another sink, as no sound card does.)"""
        at = time.monotonic()
        commands = [f"kill-sink-input {stream}" for stream in self._streams_of(f"line{channel}")]
        commands.append(f"unload-module {self.modules.pop(channel)}")
        with socket.socket(socket.AF_UNIX) as cli:
            cli.connect(f"{self.folder}/cli")
            cli.sendall(("\n".join(commands) + "\n").encode())
            wait_until(lambda: not self._there(f"line{channel}"), "the line to be gone")
        return at

    def _there(self, sink_name):
        return sink_name in self._pactl("list", "short", "sinks").replace("\n", "\t").split("\t")

    def _streams_of(self, sink_name):
        sinks = [line.split("\t") for line in self._pactl("list", "short", "sinks").splitlines()]
        index = next(fields[0] for fields in sinks if fields[1] == sink_name)
        streams = [line.split("\t") for line in
                   self._pactl("list", "short", "sink-inputs").splitlines()]
        return [fields[0] for fields in streams if fields[1] == index]

    def close(self):
        self.recording.close()
        self.process.end()


class Recording:
    """The monitor of a Pulse's null sink, from beginning to end, with the time of each frame: a
    chunk cannot arrive before it was played, so the earliest arrival relative to its place is the
    recording's time scale."""

    def __init__(self, pulse):
        self.chunks, self.frames, self.first_mono = [], 0, None
        self.lock = threading.Lock()
        self.log = open(f"{pulse.folder}/parec.log", "wb")
        self.popen = subprocess.Popen(
            ["parec", "-d", "line.monitor", "--format=float32le", "--rate=48000", "--channels=2",
             "--latency-msec=10", "--raw"], stdout=subprocess.PIPE, stderr=self.log,
            env={**os.environ, **pulse.environment})
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        try:
            wait_until(lambda: self.frames > 4800, "the recording to begin", 20)
        except ProcessError:
            self.close()
            raise

    def _read(self):
        size = BLOCK_FRAMES * 8
        while True:
            data = self.popen.stdout.read1(size)
            mono = time.monotonic()
            if not data:
                return
            with self.lock:
                self.chunks.append(data)
                self.frames = sum_frames = self.frames + len(data) / 8
                origin = mono - sum_frames / analysis.RATE
                if self.first_mono is None or origin < self.first_mono:
                    self.first_mono = origin

    def sound(self, channel=None):
        """What was recorded so far: frames × 2, or one channel."""
        with self.lock:
            data = b"".join(self.chunks)
        frames = np.frombuffer(data[:len(data) - len(data) % 8], "<f4").reshape(-1, 2)
        return frames if channel is None else frames[:, channel]

    def mono_of(self, seconds):
        """The monotonic time at which that second of the recording sounded."""
        return self.first_mono + seconds

    def seconds_of(self, mono):
        return mono - self.first_mono

    def wait_sound(self, channel, since=0.0, timeout=15, threshold_db=-50.0):
        """Until that channel sounds after `since` (monotonic); the time of its first frame."""
        def first():
            begin = max(0, int(self.seconds_of(since) * analysis.RATE)) if since else 0
            sound = self.sound(channel)[begin:]
            loud = np.flatnonzero(np.abs(sound) > 10 ** (threshold_db / 20))
            return self.mono_of((begin + loud[0]) / analysis.RATE) if len(loud) else None
        return wait_until(first, f"sound on channel {channel}", timeout, 0.03)

    def wait_recorded(self, mono, timeout=15):
        """Until everything up to that monotonic time is in the recording."""
        wait_until(lambda: self.frames / analysis.RATE > self.seconds_of(mono), "the recording",
                   timeout)

    def close(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(5)
        self.thread.join(5)
        self.log.close()
