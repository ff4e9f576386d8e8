# SPDX-License-Identifier: GPL-3.0-or-later
"""`loalang`, the operator's command, against real nodes."""

import hashlib
import json
import subprocess

from case import near, same, spoken
from rig import analysis, loudness
from rig.broker import Broker, free_port

GREETING = "Kính thưa bà con"


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def test_say_waits_until_it_was_heard(rig):
    outputs = [{"name": n, "device": rig.alsa.unpaced(n), "zones": [n, "trung-tam"]}
               for n in ("bac", "nam")]
    rig.node("ubnd", outputs)
    done = rig.loalang("--json", "say", "--zone", "trung-tam", "--wait", "finished", "--id", "tin-1",
                       GREETING)
    same(done.returncode, 0, done.stderr)
    finished = [r for r in lines(done) if r["event"] == "finished"]
    same(sorted((r["node"], r["output"], r["id"]) for r in finished),
         [("ubnd", "bac", "tin-1"), ("ubnd", "nam", "tin-1")])
    retained = rig.another_client("late")
    retained.subscribe(rig.zone("trung-tam", "announce/+"))
    message = retained.wait_for(rig.zone("trung-tam", "announce/tin-1"))
    assert message.retain
    same(message.json()["text"], GREETING)


def test_say_prints_a_table_and_takes_standard_input(rig):
    node = rig.node()
    done = rig.loalang("say", "-", "--zone", "trung-tam", "--zone", "khac", input=GREETING + "\n")
    same(done.returncode, 0, done.stderr)
    assert "ubnd" in done.stdout, done.stdout
    accepted = rig.client.wait_for(node.topic("receipt")).json()
    node.wait_finished(accepted["id"])
    same(len(node.receipts(accepted["id"], "finished")), 1)


def test_say_with_every_option(rig):
    node = rig.node()
    done = rig.loalang("--json", "say", "--priority", "priority", "--start", rig.in_future(1),
                       "--expires", "15m", "--repeat", "2", "--chime", "none", "--id", "du",
                       "--wait", "finished", GREETING)
    same(done.returncode, 0, done.stderr)
    node.stop()
    spoken(rig.alsa.sound_of("loa"))


def test_say_refused_is_1(rig):
    rig.node()
    done = rig.loalang("say", "… !!!")
    same(done.returncode, 1, done.stderr)
    assert done.stderr, "says why"


def test_say_stops_at_what_is_doubtful(rig):
    rig.node()
    text = "Thứ Sáu ngày 21/11/2026 họp thôn."
    done = rig.loalang("say", text)
    same(done.returncode, 1, done.stdout + done.stderr)
    assert "thứ Bảy" in done.stderr and "--yes" in done.stderr, done.stderr
    done = rig.loalang("say", "--yes", text)
    same(done.returncode, 0, done.stderr)
    assert "thứ Bảy" in done.stderr, "said all the same"


def test_say_is_3_when_nobody_answers(rig):
    rig.start_broker()
    done = rig.loalang("say", "--zone", "khong-ai", GREETING)
    same(done.returncode, 3, done.stdout + done.stderr)


def test_say_is_3_and_names_the_node_that_is_silent(rig):
    node = rig.node()
    node.kill()
    node.wait_status(lambda s: s["state"] == "offline")
    # a node that is known to serve the zone, but does not answer
    rig.client.publish(node.topic("status"), {
        "node": "ubnd", "state": "online", "version": "0", "uptime": 1, "faults": [],
        "clock": {"trusted": True, "offset_ms": 0},
        "outputs": [{"name": "loa", "zones": ["trung-tam"], "state": "idle", "device": "x",
                     "rate_hz": 48000, "xruns": 0, "gain_db": 0}]}, retain=True)
    done = rig.loalang("say", "--zone", "trung-tam", GREETING, timeout=40)
    same(done.returncode, 3, done.stdout + done.stderr)
    assert "ubnd" in done.stdout + done.stderr


def test_say_names_the_node_that_is_off_and_may_serve_the_zone(rig):
    rig.node()
    off = rig.node("tram-2", [{"name": "xa", "device": rig.alsa.unpaced("xa"), "zones": ["bac"]}])
    off.kill()
    off.wait_status(lambda s: s["state"] == "offline")
    done = rig.loalang("say", "--zone", "trung-tam", GREETING)
    same(done.returncode, 0, "whoever is known has answered: " + done.stderr)
    assert "không rõ" in done.stderr and "tram-2" in done.stderr, done.stderr
    assert "tram-2" not in done.stdout, done.stdout


def test_no_broker_is_4(rig):
    done = subprocess.run([f"{rig.build}/bin/loalang", "--site", "x", "--host", "127.0.0.1",
                           "--port", str(free_port()), "status"], text=True, capture_output=True,
                          timeout=30 * rig.scale, env=rig.environment())
    same(done.returncode, 4, done.stderr)


def test_wrong_usage_is_2(rig):
    for arguments in ((), ("noi",), ("say",), ("say", "--priority", "gấp", "x"), ("read", "--zz"),
                      ("withdraw",), ("render", "x"), ("media", "put"), ("media", "xoa", "x")):
        done = subprocess.run([f"{rig.build}/bin/loalang", "--site", "x", *arguments], text=True,
                              capture_output=True, timeout=20 * rig.scale, input="",
                              env=rig.environment())
        same(done.returncode, 2, f"{arguments}: {done.stderr}")
        assert done.stderr, f"{arguments}: says nothing"


def test_help_is_0(rig):
    done = subprocess.run([f"{rig.build}/bin/loalang", "--help"], text=True, capture_output=True,
                          timeout=20 * rig.scale)
    same(done.returncode, 0)
    for command in ("say", "withdraw", "stop", "skip", "mute", "unmute", "status", "queue",
                    "history", "plan", "schedule", "read", "render", "media"):
        assert command in done.stdout, command


def test_withdraw_in_every_zone_it_was_sent_to(rig):
    outputs = [{"name": n, "device": rig.alsa.unpaced(n), "zones": [n]} for n in ("bac", "nam")]
    node = rig.node("ubnd", outputs)
    same(rig.loalang("say", "--zone", "bac", "--zone", "nam", "--id", "rut", "--start",
                     rig.in_future(6), GREETING).returncode, 0)
    done = rig.loalang("withdraw", "rut")
    same(done.returncode, 0, done.stderr)
    for output in ("bac", "nam"):
        same(node.wait_receipt("rut", "cancelled", output)["reason"], "withdrawn")
    late = rig.another_client("late")
    late.subscribe(rig.zone("+", "announce/rut"))
    for zone in ("bac", "nam"):
        message = late.wait_for(rig.zone(zone, "announce/rut"))
        same(message.json(), {"withdrawn": True, "revision": 2})
    same(rig.loalang("withdraw", "khong-co").returncode, 1)


def test_stop_by_command(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech)
    rig.announce("trung-tam", "dai", "một hai " * 30)
    node.wait_receipt("dai", "started", "loa0")
    same(rig.loalang("stop", "--zone", "trung-tam").returncode, 0)
    same(node.wait_receipt("dai", "cancelled", "loa0")["reason"], "stopped")


def test_orders_are_published_once_and_not_kept(rig):
    rig.start_broker()
    for action in ("stop", "skip", "mute", "unmute"):
        mark = rig.client.mark()
        done = rig.loalang("--json", action, "--zone", "bac", "--zone", "nam")
        same(done.returncode, 0, done.stderr)
        same(lines(done), [{"zone": zone, "action": action} for zone in ("bac", "nam")])
        for zone in ("bac", "nam"):
            rig.client.wait_for(rig.zone(zone, "control"), since=mark)
        same([m.json() for m in rig.client.select(rig.zone("+", "control"), since=mark)],
             [{"action": action}] * 2)
        done = rig.loalang(action)
        same((done.returncode, "khu vực all" in done.stdout), (0, True), done.stdout + done.stderr)
        rig.client.wait_for(rig.zone("all", "control"), since=mark)
    late = rig.another_client("late")  # who comes later must not obey them
    late.subscribe(rig.zone("+", "control"))
    rig.control("moc", "x")
    late.wait_for(rig.zone("moc", "control"))
    same(len(late.select()), 1, "an order was kept by the broker")


def test_status_and_queue(rig):
    node = rig.node()
    rig.announce("trung-tam", "hen", GREETING, title="Lịch cắt điện", start=rig.in_future(300))
    node.wait_queue("loa", lambda q: q["length"] == 1)
    status, = lines(rig.loalang("--json", "status"))
    same((status["node"], status["state"]), ("ubnd", "online"))
    item, = lines(rig.loalang("--json", "queue"))
    same((item["id"], item["node"], item["output"], item["waits"]), ("hen", "ubnd", "loa", "start"))
    for command in ("status", "queue"):
        done = rig.loalang(command)
        same(done.returncode, 0, done.stderr)
        assert "ubnd" in done.stdout and "loa" in done.stdout, done.stdout
    assert "hen" in rig.loalang("queue").stdout


def test_config_file_serves_the_command_too(rig):
    node = rig.node()
    done = rig.loalang("--json", "say", "--wait", "finished", GREETING, config=node.config_path)
    same(done.returncode, 0, done.stderr)


def test_read(rig):
    """No broker needed."""
    done = rig.loalang("read", GREETING + "! Mời vào.")
    same(done.returncode, 0, done.stderr)
    assert "Kính thưa bà con" in done.stdout, done.stdout
    done = rig.loalang("read", "--lines", input="Một.\n\nHai 😀 ba.\n")
    same(len(done.stdout.splitlines()), 3, done.stdout)
    same(done.returncode, 0, done.stderr)
    assert done.stderr, "a warning for what was dropped"
    text = "Một hai. Ba bốn."
    said, = lines(rig.loalang("--json", "read", text))
    same(len(said["sentences"]), 2)
    same(" ".join(said["sentences"]), said["spoken"])
    data = text.encode()
    same([data[w["from"]:w["to"]].decode().strip(".").lower() for w in said["words"]],
         [w["text"].lower() for w in said["words"]])
    near(said["seconds"], 2.0, 1.5, "seconds")
    same(rig.loalang("read", "...").returncode, 1)


def test_render(rig):
    node = rig.node("ubnd", [{"name": "loa", "device": f"wav:{rig.folder}/loa.wav",
                              "sound": "flat"}], start=False,
                    chimes={"normal": {"open": "thong-bao", "close": "het", "bed": "none"}})
    path = f"{rig.folder}/render.wav"
    done = rig.loalang("render", "-o", path, "--output", "loa", GREETING,
                       config=node.config_path)
    same(done.returncode, 0, done.stderr)
    frames, rate = analysis.read_sound_file(path)
    same((rate, frames.shape[1]), (48000, 1))
    opening, _ = analysis.read_sound_file(f"{rig.source}/conf/chimes/thong-bao.flac")
    _, likeness = analysis.find(opening.mean(axis=1)[:28800], frames[:, 0])
    assert likeness > 0.95, f"no chime in it: {likeness:.2f}"
    plain = f"{rig.folder}/plain.wav"
    same(rig.loalang("render", "-o", plain, "--chime", "none", "-", input=GREETING).returncode, 0)
    words, _ = analysis.read_sound_file(plain)
    spoken(words[:, 0])
    assert len(frames) - len(words) > 48000, "the chimes take time"
    same(rig.loalang("render", "-o", f"{rig.folder}/x/y.wav", GREETING).returncode, 1)


# What ./quickstart says.
BULLETIN = ("Kính thưa bà con! Điện lực Hương Trà thông báo lịch ngừng cung cấp điện. Ngày 22/11/2026, "
            "từ 7h30 đến 11h30, tạm ngừng cung cấp điện tại thôn Thanh Lương và thôn Thanh Tiên, để cải "
            "tạo, sửa chữa lưới điện. Mong bà con chủ động công việc và thông cảm.")


def test_render_is_made_for_the_loudspeaker(rig):
    """The preset's loudness within 1 LU, its true peak, and nothing that only hurts a horn."""
    targets = {"horn": -14.0, "column": -16.0, "flat": -16.0}
    node = rig.node("ubnd", [{"name": name, "device": f"wav:{rig.folder}/{name}", "sound": name}
                             for name in targets], start=False,
                    chimes={"normal": {"open": "thong-bao", "close": "het", "bed": "none"}})
    for name, target in targets.items():
        path = f"{rig.folder}/{name}.wav"
        done = rig.loalang("render", "-o", path, "--output", name, BULLETIN,
                           config=node.config_path)
        same(done.returncode, 0, done.stderr)
        sound = analysis.read_sound_file(path)[0][:, 0]
        near(loudness.integrated(sound), target, 1.0, f"LUFS of {name}")
        peak = loudness.true_peak_db(sound)
        assert peak <= -1.0, f"true peak of {name}: {peak:.2f} dBTP"
        bass = loudness.band_db(sound, 0, 150) - loudness.band_db(sound, 500, 4000)
        print(f"{name}: {loudness.integrated(sound):.2f} LUFS, {peak:.2f} dBTP, bass {bass:.1f} dB")
        assert name != "horn" or bass <= -20, f"below 150 Hz: {bass:.1f} dB"


def test_media_put(rig):
    """The bytes on the broker are those of the file, whatever they are, and last."""
    rig.start_broker()
    path = f"{rig.source}/conf/chimes/thong-bao.flac"
    with open(path, "rb") as file:
        content = file.read()
    digest = hashlib.sha256(content).hexdigest()
    done = rig.loalang("media", "put", path)
    same((done.returncode, done.stdout), (0, digest + "\n"), done.stderr)
    topic = f"loalang/{rig.site}/media/{digest}"
    late = rig.another_client("late")
    late.subscribe(topic)
    message = late.wait_for(topic)
    assert message.retain and message.payload == content, f"{len(message.payload)} bytes"
    told, = lines(rig.loalang("--json", "media", "put", path))
    same((told["sha256"], told["bytes"]), (digest, len(content)))
    near(told["seconds"], 2.8, 0.01, "seconds")


def test_media_put_of_what_is_none(rig):
    """Refused before anything is sent: no recording, damaged half-way, too large, not there."""
    rig.start_broker()
    wrong = {"text": "Đây là chữ.".encode(), "large": b"RIFF" + bytes(16 * 1024 * 1024)}
    with open(f"{rig.source}/conf/chimes/thong-bao.flac", "rb") as file:
        sound = file.read()
    wrong["half"] = sound[:len(sound) // 2]
    for name, content in wrong.items():
        with open(f"{rig.folder}/{name}", "wb") as file:
            file.write(content)
    for name in (*wrong, "missing"):
        done = rig.loalang("media", "put", f"{rig.folder}/{name}")
        same((done.returncode, done.stdout), (1, ""), f"{name}: {done.stderr}")
        assert name in done.stderr, done.stderr
    same(rig.client.select(f"loalang/{rig.site}/media/#"), [])


def test_media_put_that_the_broker_does_not_take(rig):
    path = f"{rig.source}/conf/chimes/thong-bao.flac"
    rig.broker = Broker(f"{rig.folder}/broker", options="max_packet_size 5000")
    done = rig.loalang("media", "put", path)
    same(done.returncode, 1, done.stderr)
    assert "max_packet_size" in done.stderr, done.stderr
    rig.broker.stop()
    same(rig.loalang("media", "put", path).returncode, 4)
