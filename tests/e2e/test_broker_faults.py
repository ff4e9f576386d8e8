# SPDX-License-Identifier: GPL-3.0-or-later
"""A bad line, a bad broker, a namesake (FAULTS E): noticed, survived, and heard of afterwards."""

import random
import threading
import time

from case import between, ends_once, options, same
from rig import analysis, fakebroker, mqtt
from rig.broker import Broker, free_port
from rig.fakebroker import CONNECT, PINGREQ, PUBLISH, SUBSCRIBE, FakeBroker
from rig.process import status_fields
from rig.proxy import Proxy

KEEPALIVE = 5
DEAD = 1.5 * KEEPALIVE  # seconds without a byte, E2


def over(port, **more):
    return {"host": "127.0.0.1", "port": port, "keepalive": f"{KEEPALIVE}s", **more}


def heard_of(rig, node, id):
    """A message that is published now reaches it, and its answer reaches us."""
    rig.announce("trung-tam", id, "Hết", start=rig.in_future(3600))
    node.wait_receipt(id, "accepted", timeout=30)


# --- E1, E3: a broker that comes and goes ------------------------------------------------------------


@options(timeout=120)
def test_e1_a_name_that_does_not_resolve(rig):
    """What was accepted is said without a broker, and its receipts come when there is one again."""
    node = rig.node()
    rig.announce("trung-tam", "mot", "Kính thưa bà con", start=rig.in_future(3))
    node.wait_receipt("mot", "accepted")
    node.stop()
    node.configure(mqtt={"host": "khong-co-may-nay.invalid", "port": rig.port})
    node.start(wait=False)
    rig.wait(lambda: len(rig.alsa.sound_of("loa")) > 24000, "the sound")
    rig.wait_log(node, "cannot connect to khong-co-may-nay.invalid", timeout=60)
    rig.wait_log(node, "finished")
    node.stop()
    same(node.receipts("mot", "finished"), [])
    node.configure()
    node.start()
    node.wait_receipt("mot", "finished", "loa")
    ends_once(node, "mot", "loa")


@options(timeout=120)
def test_e1_a_broker_that_flaps(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    for i in range(4):
        connects = node.log().count("connected to the broker")
        rig.announce("trung-tam", f"lan-{i}", "một", start=rig.in_future(0.5))
        node.wait_receipt(f"lan-{i}", "accepted")
        (rig.broker.kill if i % 2 else rig.broker.stop)()
        rig.wait(lambda: node.log().count("fault broker:") > i, "the fault")
        rig.broker.start()
        rig.wait(lambda: node.log().count("connected to the broker") > connects,
                 "the node to be back", 60)
    for i in range(4):
        node.wait_receipt(f"lan-{i}", "finished", "loa")
        ends_once(node, f"lan-{i}", "loa")
    same(analysis.said(rig.alsa.sound_of("loa")).count("một"), 4)
    late = rig.another_client("late")
    late.subscribe(node.topic("#"))
    status = late.wait_for(node.topic("status"), lambda m: m.retain).json()
    same((status["state"], status["faults"]), ("online", []))
    state = late.wait_for(node.topic("output/loa/state"), lambda m: m.retain).json()
    same((state["state"], state["queue_length"]), ("idle", 0))
    heard_of(rig, node, "sau-cung")


@options(timeout=180, first=True)
def test_e3_broker_restarted_during_announcements(rig):
    """The short form; tests/torture has the long one. A client whose session the broker keeps
    listens for the receipts: none may be missed."""
    rig.broker = Broker(f"{rig.folder}/broker")
    rig.client = mqtt.Client(rig.port, "observer-e3", clean=False)
    rig.clients.append(rig.client)
    rig.client.subscribe(f"loalang/{rig.site}/#")
    engine, speech = rig.tone_engine()
    node, words = rig.node(speech=speech), list(analysis.TONES)
    for i in range(50):
        rig.client.publish_surely(rig.zone("trung-tam", f"announce/tb-{i}"),
                                  {"id": f"tb-{i}", "text": words[i % 10]}, retain=True)
        if i % 10 == 4:
            connects = node.log().count("connected to the broker")
            rig.broker.restart()
        if i % 10 == 9:  # the next round begins on a link that is there
            rig.wait(lambda: node.log().count("connected to the broker") > connects,
                     "the node to be back", 60)
    for i in range(50):
        node.wait_receipt(f"tb-{i}", "finished", "loa", timeout=60)
    for i in range(50):
        same(ends_once(node, f"tb-{i}", "loa"), "finished")
        same(len(node.receipts(f"tb-{i}", "accepted")), 1)
    said = analysis.said(rig.alsa.sound_of("loa"))
    same({word: said.count(word) for word in words}, {word: 5 for word in words})


# --- E2: nothing comes any more ----------------------------------------------------------------------


def dead_after(rig, node, since):
    """Seconds until the node knows that nobody answers."""
    rig.wait_log(node, "it does not answer", timeout=3 * KEEPALIVE)
    return time.monotonic() - since


@options(timeout=90)
def test_e2_half_open_connection(rig):
    rig.start_broker()
    proxy = Proxy(rig.port)
    node = rig.node(mqtt=over(proxy.port))
    rig.settle()
    proxy.swallow = True
    between(dead_after(rig, node, proxy.passed_mono), KEEPALIVE, DEAD + 0.5 * rig.scale, "seconds")
    proxy.swallow = False
    heard_of(rig, node, "lai-nghe")
    proxy.close()


@options(timeout=90)
def test_e2_half_open_while_the_node_speaks(rig):
    """What the node itself sends must not hide that nothing comes."""
    rig.start_broker()
    proxy = Proxy(rig.port)
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [rig.paced(0)], speech=speech, mqtt=over(proxy.port))
    rig.announce("trung-tam", "dai", "một hai ba bốn năm sáu bảy tám chín mười " * 8)
    node.wait_receipt("dai", "started", "loa0")
    proxy.swallow = True
    between(dead_after(rig, node, proxy.passed_mono), KEEPALIVE - 1, DEAD + 0.5 * rig.scale, "seconds")
    proxy.swallow = False
    node.wait_receipt("dai", "finished", "loa0", timeout=40)
    proxy.close()


@options(timeout=90)
def test_e2_broker_that_is_stopped(rig):
    rig.start_broker()
    node = rig.node(mqtt=over(rig.port))
    rig.settle()
    rig.broker.pause()
    between(dead_after(rig, node, time.monotonic()), 0, DEAD + 0.5 * rig.scale, "seconds")
    rig.broker.resume()
    heard_of(rig, node, "lai-nghe")


@options(timeout=90)
def test_e2_a_slow_line_is_not_a_dead_one(rig):
    """A message that takes three keepalives to come, with the answer to the ping behind it."""
    rig.start_broker()
    proxy = Proxy(rig.port)
    node = rig.node(mqtt=over(proxy.port))
    proxy.bytes_per_second = 100_000
    rig.client.publish(rig.zone("trung-tam"), b"a" * (proxy.bytes_per_second * 3 * KEEPALIVE))
    receipt = rig.client.wait_for(node.topic("receipt"), timeout=50).json()
    same((receipt["event"], receipt["reason"]), ("rejected", "too-large"))
    same(proxy.connects, 1)
    proxy.close()


@options(timeout=60)
def test_e2_a_broker_that_wants_to_hear_more_often(rig):
    """MQTT 5, 3.2.2.3.14: the server's keepalive replaces ours."""
    rig.broker = Broker(f"{rig.folder}/broker", options="log_type notice\nmax_keepalive 10")
    rig.observe()
    proxy = Proxy(rig.port)
    node = rig.node(mqtt={"host": "127.0.0.1", "port": proxy.port, "keepalive": "1h"})
    proxy.swallow = True
    rig.wait_log(node, "it does not answer", timeout=15 + 2 * rig.scale)
    proxy.close()


# --- E4: a broker that misbehaves ------------------------------------------------------------------------


def on(kind, reply, times=1000):
    """A script: the first `times` packets of that kind are answered with bytes, False (close),
    True (not at all)."""
    left = [times]

    def answer(session, got, body):
        if got != kind or left[0] == 0:
            return None
        left[0] -= 1
        if isinstance(reply, bytes):
            session.send(reply)
            return True
        return reply(session, body) if callable(reply) else reply
    return answer


def after_suback(data):
    """Subscribes the node properly, then sends that."""
    def reply(session, body):
        session.answer_properly(SUBSCRIBE, 2, body)
        session.send(data)
        return True
    return on(SUBSCRIBE, reply)


def subacks(codes):
    def reply(session, body):
        session.send(fakebroker.suback(body[:2], codes(session.count_filters(body))))
        return True
    return on(SUBSCRIBE, reply)


def disconnect(code):
    return after_suback(fakebroker.packet(14, 0, bytes([code, 0])))


def garbage(seed):
    return random.Random(seed).randbytes(5000)


CONNACK_CODES = (0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95,
                 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F, 1, 2, 3, 4, 5, 0x7F, 0xFF)
DISCONNECT_CODES = (0x00, 0x80, 0x81, 0x82, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x93, 0x94, 0x95, 0x96,
                    0x97, 0x98, 0x9C, 0x9D, 0xA0, 0x7F, 0xFF)

REFUSALS = {f"connack-{code:#x}": on(CONNECT, fakebroker.connack(code)) for code in CONNACK_CODES}
GOODBYES = {f"disconnect-{code:#x}": disconnect(code) for code in DISCONNECT_CODES}
BREACHES = {
    "closes-at-connect": on(CONNECT, False),
    "closes-after-connack": on(SUBSCRIBE, False),
    "closes-after-suback": on(SUBSCRIBE, lambda s, b: s.answer_properly(SUBSCRIBE, 2, b) or False),
    "connack-of-3.1.1": on(CONNECT, b"\x20\x02\x00\x01"),
    "connack-empty": on(CONNECT, b"\x20\x00"),
    "connack-half": on(CONNECT, lambda s, b: s.send(b"\x20\x03\x00") or False),
    "garbage-at-connect": on(CONNECT, garbage(1)),
    "garbage-after-suback": after_suback(garbage(2)),
    "zeros-after-suback": after_suback(bytes(5000)),
    "ones-after-suback": after_suback(b"\xff" * 5000),
    "suback-refuses": subacks(lambda count: [0x87] * count),
    "suback-refuses-one": subacks(lambda count: [0x8F] + [1] * (count - 1)),
    "suback-says-nothing": subacks(lambda count: []),
    "suback-says-too-little": subacks(lambda count: [1] * (count - 1)),
    "suback-says-too-much": subacks(lambda count: [1] * (count + 1)),
    "publish-without-topic": after_suback(b"\x30\x02\x00\x05"),
    "a-client's-packet": after_suback(fakebroker.packet(1, 0, b"\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00")),
}
SILENCES = {
    "no-connack": on(CONNECT, True),
    "no-suback": on(SUBSCRIBE, True),
    "suback-of-another": on(SUBSCRIBE, fakebroker.suback(b"\x77\x77", [1])),
    "no-pingresp": on(PINGREQ, True),
    "no-puback": on(PUBLISH, True),
}
ODDITIES = {  # that cost nothing: the link may stay
    "publish-to-wildcard": after_suback(fakebroker.publish("loalang/#", b"{}")),
    "connack-twice": after_suback(fakebroker.connack(0)),
    "suback-refuses-the-mark": subacks(lambda count: [1] * (count - 1) + [0x87]),
    "pingresp-unasked": after_suback(fakebroker.PINGRESP * 3),
    "puback-unknown": after_suback(b"\x40\x02\x12\x34"),
    "suback-unknown": after_suback(fakebroker.suback(b"\x12\x34", [1])),
    "suback-unknown-and-refused": after_suback(fakebroker.suback(b"\x12\x34", [0x87])),
    "unsuback-unknown": after_suback(b"\xb0\x04\x12\x34\x00\x11"),
    "pubrec-unknown": after_suback(b"\x50\x02\x12\x34"),
    "pubrel-unknown": after_suback(b"\x62\x02\x12\x34"),
    "puback-refuses": on(PUBLISH, lambda s, b: s.send(
        b"\x40\x04" + b[2 + int.from_bytes(b[:2], "big"):][:2] + b"\x87\x00") or True),
}


class Case:
    def __init__(self, rig, number, name, script, environment=None):
        self.rig, self.name = rig, name
        self.fake = FakeBroker(free_port(), script)
        self.proxy = Proxy(self.fake.port)
        output = {"name": "loa", "device": rig.alsa.unpaced(f"loa{number}"), "zones": ["trung-tam"]}
        self.node = rig.node(f"tram-{number}", [output], wait=False, mqtt=over(self.proxy.port),
                             environment=environment)

    def to_the_real_one(self):
        self.proxy.target_port = self.rig.port
        self.fake.close()

    def heard_of(self, id):
        try:
            self.node.wait_online(timeout=40)
            self.node.wait_receipt(id, "accepted", timeout=20)
            return None
        except Exception as error:
            return f"{self.name}: {error}: {self.node.log()[-600:]}"

    def close(self):
        self.fake.close()
        self.proxy.close()
        if self.node.process.running():
            self.node.stop()


def survive(rig, scripts, notices):
    """A node for each script, at once; each has to notice (unless it need not), and to be heard of
    through the real broker afterwards."""
    if not rig.broker:
        rig.start_broker()
    cases = [Case(rig, len(rig.nodes), name, script) for name, script in scripts.items()]
    for case in cases:
        rig.wait(lambda: case.fake.connects, f"{case.name}: a connection")
        if notices:
            rig.wait(lambda: "fault broker:" in case.node.log(), f"{case.name}: noticed", 25)
        case.to_the_real_one()
    id = f"sau-{len(rig.nodes)}"
    rig.announce("trung-tam", id, "Hết", start=rig.in_future(3600))
    wrong = [failure for case in cases if (failure := case.heard_of(id))]
    for case in cases:
        case.close()
    assert not wrong, "\n".join(wrong)


def in_batches(rig, scripts, notices, size=10):
    names = list(scripts)
    for at in range(0, len(names), size):
        survive(rig, {name: scripts[name] for name in names[at:at + size]}, notices)


@options(timeout=150)
def test_e4_every_refusal_of_connect(rig):
    in_batches(rig, REFUSALS, True)


@options(timeout=150)
def test_e4_every_goodbye_of_the_broker(rig):
    in_batches(rig, GOODBYES, True)


@options(timeout=150)
def test_e4_breaches_of_the_protocol(rig):
    in_batches(rig, BREACHES, True)


@options(timeout=120)
def test_e4_silences(rig):
    survive(rig, SILENCES, True)


@options(timeout=120)
def test_e4_oddities(rig):
    survive(rig, ODDITIES, False)


def test_e4_a_packet_the_broker_does_not_take(rig):
    """The broker's limit is smaller than a report: that one is not seen, all else is."""
    rig.broker = Broker(f"{rig.folder}/broker")
    rig.broker.stop()
    rig.broker.options = "max_packet_size 2000"
    rig.broker.start()
    rig.observe()
    node = rig.node()
    for i in range(6):
        rig.announce("trung-tam", f"tb-{i}", "Hết", title="tiêu đề " * 20, start=rig.in_future(3600))
        node.wait_receipt(f"tb-{i}", "accepted")
    rig.wait_log(node, "refuses")
    same(node.log().count("connected to the broker"), 1)


# --- E5: a namesake -----------------------------------------------------------------------------------


@options(timeout=120)
def test_e5_two_nodes_with_one_client_id(rig):
    rig.broker = Broker(f"{rig.folder}/broker", options="log_type notice")
    rig.observe()
    outputs = [[{"name": "loa", "device": rig.alsa.unpaced(name), "zones": ["trung-tam"]}]
               for name in ("mot", "hai")]
    nodes = [rig.node(name, output, wait=False, mqtt=over(rig.port, client_id="loalang-chung"))
             for name, output in zip(("mot", "hai"), outputs)]
    began = time.monotonic()
    for node in nodes:
        message = rig.client.wait_for(
            node.topic("status"), lambda m: any(f["what"] == "client-id" for f in m.json().get("faults", [])),
            timeout=30 * rig.scale, what=f"the fault of {node.name}")
        fault, = (f for f in message.json()["faults"] if f["what"] == "client-id")
        assert '"loalang-chung"' in fault["detail"] and "máy" in fault["detail"], fault
    # At the shortest delay the ninth would come after 7 s; with a back-off after 12 s at least.
    rig.wait(lambda: rig.broker.connects("loalang-chung") >= 9, "nine connections", 60)
    between(time.monotonic() - began, 10, 60, "seconds for nine connections")


@options(timeout=90)
def test_e5_a_broker_that_tells(rig):
    """As MQTT 5 has it, 0x8E; the fault is still there when the node is back."""
    rig.start_broker()
    case = Case(rig, 0, "taken over", disconnect(0x8E))
    rig.wait_log(case.node, "fault client-id")
    case.to_the_real_one()
    status = case.node.wait_status(lambda s: s["state"] == "degraded", timeout=30)
    same([fault["what"] for fault in status["faults"]], ["client-id"])
    case.close()


# --- E6: payloads ---------------------------------------------------------------------------------------


def flood(session, header, total):
    """As much of it as the other side takes."""
    def send():
        try:
            session.send(header)
            for _ in range(total // 65536):
                session.send(bytes(65536))
        except OSError:
            pass
    threading.Thread(target=send, daemon=True).start()


@options(plain_only=True)
def test_e6_a_packet_of_256_mib_costs_no_memory(rig):
    """Behind other packets, and with all its bytes after it."""
    huge, before = b"\x30\xff\xff\xff\x7f", fakebroker.publish(rig.zone("trung-tam", "control"), b"{}")

    def reply(session, body):
        session.answer_properly(SUBSCRIBE, 2, body)
        flood(session, before * 20 + huge, 200 << 20)
        return True

    rig.start_broker()
    case = Case(rig, 0, "256 MiB", on(SUBSCRIBE, reply))
    node = case.node
    rig.wait(lambda: case.fake.connects, "a connection")
    rig.wait_log(node, "it announces a packet of 268435455 bytes")
    case.to_the_real_one()
    rig.announce("trung-tam", "sau", "Hết", start=rig.in_future(3600))
    same(case.heard_of("sau"), None)
    peak_kib = int(status_fields(f"/proc/{node.pid}/status")["VmHWM"].split()[0])
    between(peak_kib, 1, 48 * 1024, "KiB at the most")
    case.close()


NESTED = b"[" * 60000 + b"]" * 60000
TYPES = ("1", "-1", "1.5", "true", "null", "[]", "{}", '"x"', "1e999", "-1e999", "1e-999")
KEYS = {"text": ('"x"',), "title": ('"x"',), "issued_by": ('"x"',), "id": ('"x"',), "bed": ('"x"',),
        "revision": ("1",), "priority": (), "start": (), "expires": (), "repeat": ("{}",),
        "chime": ("{}",), "voice": ("{}",), "gain_db": ("1", "-1", "1.5", "1e-999"),
        "interrupted": (), "issued_at": ()}


def bad_payloads():
    yield "empty", b"", "empty"
    yield "blank", b" \n\t ", "empty"
    yield "nested", b'{"x-y": ' + NESTED + b"}", None
    yield "nested-objects", b'{"a":' * 20000 + b"1" + b"}" * 20000, None
    yield "keys-twice", b'{"text": "a", "repeat": {"times": 1, "times": 2}}', "bad-json"
    yield "keys-twice-ignored", b'{"text": "a", "x-a": {"b": 1, "b": 2}}', "bad-json"
    yield "129-kib", b"a " * (129 * 512), "too-large"
    yield "2-mb", b"a " * 1_000_000, "too-large"
    for key, fine in KEYS.items():
        for value in TYPES:
            if value not in fine:
                text = "" if key == "text" else '"text": "a", '
                yield f"{key}={value}", f'{{{text}"{key}": {value}}}'.encode(), None


@options(timeout=90)
def test_e6_every_bad_payload_is_refused(rig):
    node, wrong = rig.node(), []
    for name, payload, reason in bad_payloads():
        mark = rig.client.mark()
        rig.client.publish(rig.zone("trung-tam"), payload)
        receipt = rig.client.wait_for(node.topic("receipt"), since=mark, what=f"receipt of {name}").json()
        if receipt["event"] != "rejected" or (reason and receipt["reason"] != reason):
            wrong.append(f"{name}: {receipt['event']} {receipt['reason']}: {receipt['detail']}")
    assert not wrong, "\n".join(wrong)
    heard_of(rig, node, "tot")


def test_e6_oversize_where_nothing_large_belongs(rig):
    node = rig.node()
    for topic in (rig.zone("trung-tam", "control"), node.topic("output/loa/gain"),
                  rig.zone("trung-tam"), rig.zone("trung-tam", "announce/lon")):
        for length in (65_537, 131_072, 131_073, 1_000_000):
            mark = rig.client.mark()
            rig.client.publish(topic, b"{" + b" " * (length - 1))
            receipt = rig.client.wait_for(node.topic("receipt"), since=mark,
                                          what=f"{length} on {topic}").json()
            same((receipt["event"], receipt["reason"]), ("rejected", "too-large"), topic)
            assert str(length) in receipt["detail"], receipt
    heard_of(rig, node, "tot")


@options(timeout=120)
def test_e4_pings_that_are_answered_are_no_grant(rig):
    """A broker that never grants a subscription but answers the pings that come between (the link is
    looked after every two seconds here): it is given up all the same, or the node would be deaf."""
    rig.start_broker()
    case = Case(rig, 0, "no-suback", SILENCES["no-suback"], {"WATCHDOG_USEC": "6000000"})
    rig.wait(lambda: case.fake.connects, "a connection")
    rig.wait(lambda: "fault broker:" in case.node.log(), "it to be noticed", 25)
    case.to_the_real_one()
    case.close()
