# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: a receipt with reason and Vietnamese detail, a log line, and the daemon goes on."""

import json

from case import same
from rig.rig import dumps

GOOD = "Kính thưa bà con"

# name, payload, reason, what the detail names (an INTERFACE word, or None)
BAD = [
    ("not-json", b'{"text": "thi\xe1\xba\xbfu', "bad-json", None),
    ("array-inside", b'{"text": ["a"]}', "bad-value", "text"),
    ("no-text", b'{"title": "x"}', None, "text"),
    ("unknown-key", {"text": GOOD, "prioritty": "normal"}, "unknown-key", "prioritty"),
    ("unknown-inner-key", {"text": GOOD, "repeat": {"time": 2}}, "unknown-key", "time"),
    ("wrong-type", {"text": GOOD, "revision": "2"}, "bad-value", "revision"),
    ("priority", {"text": GOOD, "priority": "urgent"}, "bad-value", "priority"),
    ("repeat-11", {"text": GOOD, "repeat": {"times": 11}}, "bad-value", "times"),
    ("repeat-0", {"text": GOOD, "repeat": {"times": 0}}, "bad-value", "times"),
    ("gap", {"text": GOOD, "repeat": {"times": 2, "gap": "3 giây"}}, "bad-value", "gap"),
    ("start", {"text": GOOD, "start": "17:00"}, "bad-value", "start"),
    ("start-no-zone", {"text": GOOD, "start": "2026-11-21T17:00:00"}, "bad-value", "start"),
    ("february-30", {"text": GOOD, "start": "2026-02-30T17:00:00+07:00"}, "bad-value", "start"),
    ("gain", {"text": GOOD, "gain_db": 100}, "bad-value", "gain_db"),
    ("gain-infinite", b'{"text": "a", "gain_db": 1e999}', None, None),
    ("duplicate-key", b'{"text": "a", "text": "b"}', "bad-json", None),
    ("id", {"id": "a b", "text": GOOD}, "bad-value", "id"),
    ("id-dot", {"id": ".a", "text": GOOD}, "bad-value", "id"),
    ("revision-0", {"text": GOOD, "revision": 0}, "bad-value", "revision"),
    ("nul", b'{"text": "a\\u0000b"}', None, None),
    ("control-byte", {"text": "a\x01b"}, "bad-value", None),
    ("bad-utf8", b'{"text": "\xc3\x28"}', None, None),
    ("bad-utf8-plain", b"xin ch\xc3\x28o", "bad-value", None),
    ("nul-plain", b"xin\x00chao", "bad-value", None),
    ("empty", {"text": ""}, "empty", None),
    ("punctuation", {"text": "… !!! ---"}, "empty", None),
    ("punctuation-plain", b"... !!!", "empty", None),
    ("too-long", {"text": "bà con " * 2900}, "too-long", None),
    ("too-large", b"a " * 33000, "too-large", None),
    ("deep", b'{"text": ' + b"[" * 20000 + b"]" * 20000 + b"}", None, None),
    ("voice", {"text": GOOD, "voice": {"rate": 1000}}, "bad-value", "rate"),
    ("interrupted", {"text": GOOD, "interrupted": "maybe"}, "bad-value", "interrupted"),
]

VIETNAMESE = set("ăâđêôơưáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ")


def refused(receipt):
    assert receipt["detail"], f"no detail: {receipt}"
    assert VIETNAMESE & set(receipt["detail"].lower()), f"not Vietnamese: {receipt['detail']}"


def test_every_bad_announcement_is_refused_by_reason(rig):
    node, wrong = rig.node(), []
    for name, payload, reason, names in BAD:
        mark = rig.client.mark()
        rig.client.publish(rig.zone("trung-tam"), payload)
        receipt = rig.client.wait_for(node.topic("receipt"), since=mark, what=f"receipt of {name}").json()
        try:
            same((receipt["event"], receipt["output"]), ("rejected", None))
            refused(receipt)
            assert reason is None or receipt["reason"] == reason, f"reason {receipt['reason']}"
            assert names is None or names in receipt["detail"], f"does not name {names}"
        except AssertionError as error:
            wrong.append(f"{name}: {error}: {dumps(receipt)}")
    assert not wrong, "\n".join(wrong)
    same(node.log().count("bad-value") > 0 or "rejected" in node.log(), True, "log lines")
    rig.announce("trung-tam", "tot", GOOD)
    node.wait_finished("tot")


def test_a_topic_whose_id_is_bad_or_another_is_refused(rig):
    node = rig.node()
    mark = rig.client.mark()
    rig.client.publish(rig.zone("trung-tam", "announce/mot"), {"id": "hai", "text": GOOD}, retain=True)
    receipt = rig.client.wait_for(node.topic("receipt"), since=mark).json()
    same((receipt["event"], receipt["reason"]), ("rejected", "bad-value"))
    refused(receipt)
    mark = rig.client.mark()
    rig.client.publish(rig.zone("trung-tam", "announce/một hai"), {"text": GOOD}, retain=True)
    receipt = rig.client.wait_for(node.topic("receipt"), since=mark).json()
    same((receipt["event"], receipt["reason"]), ("rejected", "bad-value"))


def test_a_rejected_one_may_be_corrected_under_its_id(rig):
    node = rig.node()
    rig.announce("trung-tam", "sua-loi", GOOD, priority="gấp")
    rejected = node.wait_receipt("sua-loi", "rejected")
    same((rejected["reason"], rejected["id"]), ("bad-value", "sua-loi"))
    rig.announce("trung-tam", "sua-loi", GOOD, priority="normal")
    node.wait_finished("sua-loi")


def test_e8_retained_control_is_refused(rig):
    node = rig.node(start=False)
    rig.control("trung-tam", "stop", retain=True)  # waits on the broker for the node
    node.start()
    receipt = rig.client.wait_for(node.topic("receipt")).json()
    same((receipt["event"], receipt["reason"]), ("rejected", "retained-control"))
    refused(receipt)
    rig.announce("trung-tam", "tot", GOOD)
    node.wait_finished("tot")


def test_e8_retained_plain_text_is_refused(rig):
    node = rig.node(start=False)
    rig.mosquitto_pub("-r", "-t", rig.zone("trung-tam"), "-m", GOOD)
    node.start()
    receipt = rig.client.wait_for(node.topic("receipt")).json()
    same(receipt["event"], "rejected")
    assert receipt["reason"] in ("retained-control", "bad-value"), receipt
    refused(receipt)
    node.restart()
    same(node.receipts(event="started"), [])
    rig.announce("trung-tam", "tot", GOOD)
    node.wait_finished("tot")
    same(len(node.receipts(event="finished")), 1)


def test_bad_control_is_refused(rig):
    node = rig.node()
    for payload in (b"stop", b'{"action": "explode"}', b'{"action": "stop", "zone": "x"}', b"{}"):
        mark = rig.client.mark()
        rig.client.publish(rig.zone("trung-tam", "control"), payload)
        receipt = rig.client.wait_for(node.topic("receipt"), since=mark, what=repr(payload)).json()
        same(receipt["event"], "rejected", repr(payload))
        refused(receipt)


def test_bad_gain_is_refused(rig):
    node = rig.node()
    for payload in (b"-6", json.dumps({"gain_db": "loud"}), json.dumps({"gain_db": 400})):
        mark = rig.client.mark()
        rig.client.publish(node.topic("output/loa/gain"), payload)
        receipt = rig.client.wait_for(node.topic("receipt"), since=mark, what=repr(payload)).json()
        same(receipt["event"], "rejected", repr(payload))
    same(node.wait_state("loa", "idle")["gain_db"], 0)
