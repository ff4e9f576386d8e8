# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, refusing to start, stopping, and what it costs to be there."""

import os
import subprocess
import threading
import time

from case import between, options, same
from rig.process import context_switches, rss_kib

MIB = 1024


def loalangd(rig, *arguments):
    return subprocess.run([f"{rig.build}/bin/loalangd", *arguments], env=rig.environment(),
                          text=True, capture_output=True, timeout=20 * rig.scale)


def test_version(rig):
    for program in ("loalangd", "loalang"):
        done = subprocess.run([f"{rig.build}/bin/{program}", "--version"], text=True,
                              capture_output=True, timeout=20 * rig.scale)
        same(done.returncode, 0, program)
        assert "0." in done.stdout, done.stdout


BAD_CONFIG = """\
site = "lang thu";
node = "ubnd";
outputs = (
  { name = "a"; device = "null"; channels = [0]; zonez = ["x"]; },
  { name = "a"; device = "null"; channels = [0]; gain_db = 100.0; }
);
speech = { rate = "nhanh"; };
quiet_hours = ["21:00-05:00"];
"""


def write(rig, text, name="thu.conf"):
    path = f"{rig.folder}/{name}"
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def test_f2_all_errors_of_a_configuration_at_once(rig):
    path = write(rig, BAD_CONFIG)
    for arguments in (("--config", path), ("--config", path, "--check-config")):
        done = loalangd(rig, *arguments)
        assert done.returncode not in (0, 99), done
        said = done.stdout + done.stderr
        for line, word in ((1, "site"), (4, "zonez"), (4, "zones"), (5, "name"), (5, "gain_db"),
                           (7, "rate"), (8, "quiet_hours")):
            assert any(f"{path}:{line}:" in l and word in l for l in said.splitlines()), \
                f"line {line} ({word}) is not named in:\n{said}"


def test_f2_missing_file_and_syntax_error(rig):
    done = loalangd(rig, "--config", f"{rig.folder}/khong-co.conf")
    assert done.returncode not in (0, 99) and "khong-co.conf" in done.stderr, done
    path = write(rig, 'site = "a";\nnode = = "b";\n')
    done = loalangd(rig, "--config", path, "--check-config")
    assert done.returncode not in (0, 99) and f"{path}:2:" in done.stdout + done.stderr, done


def test_f2_byte_order_mark_of_notepad(rig):
    node = rig.node(start=False)
    with open(node.config_path, "rb") as file:
        good = file.read()
    path = write(rig, b"\xef\xbb\xbf" + good.replace(b"\n", b"\r\n"))
    done = loalangd(rig, "--config", path, "--check-config")
    same(done.returncode, 0, done.stdout + done.stderr)


def test_check_config_accepts_the_shipped_example(rig):
    done = loalangd(rig, "--check-config", "--config", f"{rig.source}/conf/loalang.conf.example")
    same(done.returncode, 0, done.stdout + done.stderr)


def test_wrong_usage(rig):
    done = loalangd(rig, "--khong-co")
    assert done.returncode not in (0, 99) and done.stderr, done


def test_f1_sigterm_in_the_middle_of_a_sentence(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    rig.announce("trung-tam", "do", "một hai ba. " * 5 + "bốn.")
    node.wait_receipt("do", "started", "loa0")
    rig.pulse.recording.wait_sound(0)
    mark = rig.client.mark()
    node.stop()  # 0, within 2 s, no worker left
    rig.client.wait_until(lambda: any(m.json()["state"] == "stopping" for m in
                                      rig.client.select(node.topic("status"), since=mark)), "stopping")
    node.start()
    node.wait_receipt("do", "finished", "loa0", since=mark)  # it was not finished, so it is said


def test_f1_sigterm_at_any_moment(rig):
    """While it starts, renders, waits for an engine that hangs, or has nothing to do."""
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech, start=False)
    node.start(wait=False)
    rig.wait_log(node, "loalangd", "mqtt", "0.")
    node.stop()
    node.start()
    node.stop()
    node.start()
    engine.hang = True
    rig.announce("trung-tam", "treo", "một")
    rig.client.wait_until(lambda: engine.asked, "the engine to be asked")
    node.stop()


def test_f1_sigterm_without_a_broker(rig):
    node = rig.node()
    rig.broker.kill()
    rig.wait_log(node, "mqtt", "broker")
    node.stop()


# --- what it costs -----------------------------------------------------------------------------

class Watch:
    """Resident memory of the daemon alone, sampled while something goes on."""

    def __init__(self, pid):
        self.pid, self.most, self.over = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over.wait(0.05):
            try:
                self.most = max(self.most, rss_kib(self.pid))
            except (OSError, KeyError):
                return

    def done(self):
        self.over.set()
        self.thread.join()
        return self.most


@options(plain_only=True, first=True, timeout=120)
def test_ten_minute_text_costs_no_memory(rig):
    """On a device that takes everything at once, so the whole text goes through in seconds."""
    node = rig.node(chimes={"normal": {"open": "thong-bao", "close": "het", "bed": "none"}})
    rig.announce("trung-tam", "ngan", "Kính thưa bà con")
    node.wait_finished("ngan")
    idle = rss_kib(node.pid)
    watch = Watch(node.pid)
    text = "Kính thưa bà con, hôm nay trời nắng đẹp, mời bà con ra đồng thu hoạch lúa. " * 140
    rig.announce("trung-tam", "muoi-phut", text)
    finished = node.wait_receipt("muoi-phut", "finished", "loa", timeout=90)
    most = watch.done()
    assert finished["seconds_played"] > 580, finished["seconds_played"]
    assert most - idle <= 4 * MIB, f"{(most - idle) / MIB:.1f} MiB above idle ({idle / MIB:.1f} MiB)"


def workers_rss(node):
    return sum(map(rss_kib, node.workers()))


@options(plain_only=True, first=True, timeout=90)
def test_idle_sleeps_and_is_small(rig):
    """No wake-ups but the health tick (10 s), on ALSA and wav outputs; memory of daemon and worker
    together at most 24 MiB, fresh and after work."""
    outputs = [{"name": "loa", "device": rig.alsa.unpaced("loa"), "zones": ["trung-tam"]},
               {"name": "tep", "device": f"wav:{rig.folder}/tep.wav", "zones": ["trung-tam"]}]
    node = rig.node("ubnd", outputs)
    rig.announce("trung-tam", "mot", "Kính thưa bà con")
    node.wait_finished("mot")
    node.wait_state("tep", "idle")
    time.sleep(3)  # what finishing still has to do (commit, receipts, states) is over
    pids = [node.pid] + node.workers()
    total = sum(map(rss_kib, pids))
    before, began = [context_switches(pid) for pid in pids], time.monotonic()
    time.sleep(25)  # the measurement itself
    after, seconds = [context_switches(pid) for pid in pids], time.monotonic() - began
    ticks = seconds / 10 + 1
    busy = {thread: after[i][thread] - count for i in range(len(pids))
            for thread, count in before[i].items()
            if after[i].get(thread, count) - count > 4 * ticks}
    assert not busy, f"wake-ups in {seconds:.0f} s: {busy}"
    between(total / MIB, 1, 24, "resident memory (MiB)")


@options(plain_only=True, timeout=90)
def test_f3_same_memory_and_descriptors_after_many(rig):
    node = rig.node()

    def burst(name, count):
        for i in range(count):
            rig.client.publish(rig.zone("trung-tam"), {"id": f"{name}-{i}", "text": "Hết"}, wait=False)
        node.wait_receipt(f"{name}-{count - 1}", "finished", "loa", timeout=60)
        rig.settle()
        return (rss_kib(node.pid), len(os.listdir(f"/proc/{node.pid}/fd")),
                len(os.listdir(f"/proc/{node.pid}/task")))
    first = burst("a", 25)
    last = burst("b", 50)
    same(last[1:], first[1:], "descriptors, threads")
    assert last[0] - first[0] < 1 * MIB, f"grew by {last[0] - first[0]} KiB"
