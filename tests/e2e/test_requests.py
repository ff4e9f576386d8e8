# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to a node: JSON in, JSON out to the Response Topic with the Correlation Data."""

import csv as csvmodule
import io
import json
import subprocess
import time

from case import between, options, same
from rig.asker import Asker
from rig.broker import executable
from rig.village import Village

GREETING = "Kính thưa bà con"
NOTICE = ("Theo TB số 308/TB-ĐLHTr, ngày 22/11/2026 cắt điện từ 7h30 đến 11h30, "
          "điện thoại 0913 123 456, giá 1.500.000đ. ")


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def refused(answer, reason, *words):
    same(list(answer), ["error"])
    same(answer["error"]["reason"], reason, answer["error"]["detail"])
    for word in words:
        assert word in answer["error"]["detail"], answer["error"]["detail"]


def test_read_is_what_the_command_prints(rig):
    node, text = rig.node(), NOTICE + "Nguyễn Xzvq, nhà nhà. Thứ Sáu ngày 21/11/2026."
    asker = Asker(rig)
    answer = asker.ask(node, "read", {"text": text})
    printed, = lines(rig.loalang("--json", "read", text, config=node.config_path))
    same(answer, printed)
    assert answer["spoken"].startswith("Theo"), answer
    same(sorted(answer), ["seconds", "sentences", "spoken", "warnings", "words"])
    assert {"wrong-weekday"} <= {w["kind"] for w in answer["warnings"]}, answer["warnings"]
    # a southern voice has other words; the rate changes the length
    south = asker.ask(node, "read", {"text": "3005 đồng", "voice": {"name": "vi-vn-x-south"}})
    north = asker.ask(node, "read", {"text": "3005 đồng", "voice": {"name": "vi"}})
    assert "nghìn" in north["spoken"] and "ngàn" in south["spoken"], (north, south)
    slow = asker.ask(node, "read", {"text": text, "voice": {"rate": 80}})
    assert slow["seconds"] > answer["seconds"], (slow["seconds"], answer["seconds"])


def test_queue_is_what_is_retained(rig):
    outputs = [{"name": n, "device": rig.alsa.unpaced(n), "zones": [n]} for n in ("bac", "nam")]
    node = rig.node("ubnd", outputs)
    rig.announce("bac", "hen", GREETING, title="Lịch cắt điện", start=rig.in_future(300))
    retained = node.wait_queue("bac", lambda q: q["length"] == 1 and q["items"][0]["waits"] == "start")
    asker = Asker(rig)
    answer = asker.ask(node, "queue", {})
    same((sorted(answer), answer["node"]), (["node", "outputs"], "ubnd"))
    same([q["output"] for q in answer["outputs"]], ["bac", "nam"])
    same(answer["outputs"][0], retained)
    same(answer["outputs"][1]["length"], 0)
    same(asker.ask(node, "queue"), answer, "an empty payload asks for all")
    same(asker.ask(node, "queue", {"output": "nam"})["outputs"], answer["outputs"][1:])
    # and as docs/PROTOCOL.md has it
    done = subprocess.run(
        [executable("mosquitto_rr"), "-h", "127.0.0.1", "-p", str(rig.port), "-W", "10",
         "-t", node.topic("request/queue"), "-e", f"loalang/{rig.site}/reply/toi", "-m", "{}"],
        text=True, capture_output=True, timeout=20 * rig.scale)
    same((done.returncode, json.loads(done.stdout or "null")), (0, answer), done.stderr)


def test_what_cannot_be_answered_says_why(rig):
    node = rig.node()
    asker = Asker(rig)
    refused(asker.ask(node, "bao-cao", {}), "bad-value", "bao-cao", "plan", "read")
    refused(asker.ask(node, "read", '{"text": '), "bad-json")
    refused(asker.ask(node, "read", "[1]"), "bad-value")
    refused(asker.ask(node, "read"), "bad-value", "text")
    refused(asker.ask(node, "read", {"text": 1}), "bad-value", "text")
    refused(asker.ask(node, "read", {"text": "a", "txet": "b"}), "unknown-key", "txet")
    refused(asker.ask(node, "read", {"text": "a", "voice": {"rate": 500}}), "bad-value", "voice.rate")
    refused(asker.ask(node, "read", {"text": "… !!!"}), "empty")
    refused(asker.ask(node, "read", {"text": "a\x01b"}), "bad-value")
    refused(asker.ask(node, "read", {"text": "bà con " * 2900}), "too-long")
    refused(asker.ask(node, "read", {"text": "a " * 40000}), "too-large", "64 KiB")
    refused(asker.ask(node, "queue", {"output": "khong-co"}), "bad-value", "khong-co")
    refused(asker.ask(node, "queue", {"output": "a/b"}), "bad-value", "output")
    same(asker.ask(node, "read", {"text": GREETING, "x-console": 7})["spoken"], GREETING + ".")


def test_what_has_nobody_to_answer_is_a_log_line(rig):
    node = rig.node()
    asker = Asker(rig)
    asker.put(node, "read", {"text": GREETING}, topic=None)
    rig.wait_log(node, "request/read: it has no response topic")
    asker.put(node, "read", {"text": GREETING}, correlation=b"x" * 1025)
    rig.wait_log(node, "1025 bytes of correlation data")
    # a retained one would be answered at every reconnection
    asker.put(node, "read", {"text": GREETING}, correlation=b"kept", retain=True)
    rig.wait_log(node, "ignored the retained request")
    # an answer must not pass for a node's own word, nor be an order to one
    for topic in ("zone/all/announce", "zone/all/control", "node/ubnd/status",
                  "node/ubnd/receipt", "node/ubnd/request/read"):
        mark = len(node.log())
        asker.put(node, "read", {"text": GREETING}, topic=f"loalang/{rig.site}/{topic}")
        rig.wait(lambda: "its response topic" in node.log()[mark:].lower(), f"a refusal of {topic}")
    same(asker.ask(node, "read", {"text": GREETING})["spoken"], GREETING + ".")
    mark = len(node.log())
    node.restart()
    rig.wait(lambda: "ignored the retained request" in node.log()[mark:], "the retained one again")
    same(asker.ask(node, "read", {"text": GREETING})["spoken"], GREETING + ".")
    same(len(asker.answers), 2, "something else was answered")
    same(rig.client.select(rig.zone("+", "#")), [])
    assert not any(a.retain for a in asker.answers)


def worked(pid):
    """Seconds the main thread has worked."""
    with open(f"/proc/{pid}/task/{pid}/schedstat") as stat:
        return int(stat.read().split()[0]) / 1e9


@options(plain_only=True)
def test_long_readings_do_not_hold_up_the_node(rig):
    """20,000 characters cost main less than 50 ms, and a flood of such questions gets a share of
    main's time, not all of it."""
    node = rig.node()
    asker = Asker(rig)
    text = (NOTICE * 200)[:20000]
    asker.ask(node, "queue")
    took = []
    while len(took) < 5:
        began = worked(node.pid)
        if "spoken" in asker.ask(node, "read", {"text": text}):
            took.append(worked(node.pid) - began)
    between(min(took), 0, 0.050, "seconds of work for 20,000 characters")
    numbers = [str(i).encode() for i in range(200)]
    for number in numbers:
        asker.put(node, "read", {"text": text}, correlation=number)
    began = time.monotonic()
    same(len(asker.ask(node, "queue")["outputs"]), 1)
    between(time.monotonic() - began, 0, 1, "seconds until the node answers somebody else")
    answers = [asker.wait(number).json() for number in numbers]
    busy = [a for a in answers if "error" in a]
    between(len(busy), 1, 199, "refused of 200")
    for answer in busy:
        refused(answer, "queue-full")


# --- history ------------------------------------------------------------------------------------


def pages(asker, node, **question):
    """All answers, one after the other."""
    answers = [asker.ask(node, "history", question)]
    while answers[-1]["more"]:
        answers.append(asker.ask(node, "history", {**question, "after": answers[-1]["after"]}))
    return answers


def test_history_is_what_was_reported(rig):
    outputs = [{"name": n, "device": rig.alsa.unpaced(n), "zones": [n]} for n in ("bac", "nam")]
    node = rig.node("ubnd", outputs)
    asker = Asker(rig)
    same(asker.ask(node, "history"), {"node": "ubnd", "receipts": [], "more": False, "after": 0})
    begin = rig.in_future(0)
    rig.announce("bac", "tin-1", GREETING)
    rig.announce("all", "tin-2", GREETING)
    for id, output in (("tin-1", "bac"), ("tin-2", "bac"), ("tin-2", "nam")):
        node.wait_receipt(id, "finished", output)
    middle = rig.in_future(0)
    rig.announce("nam", "hen", GREETING, start=rig.in_future(300))
    node.wait_receipt("hen", "accepted")
    rig.withdraw("nam", "hen")
    node.wait_receipt("hen", "cancelled", "nam")
    rig.client.publish(rig.zone("nam"), {"id": "hong", "text": "!!!"})
    node.wait_receipt("hong", "rejected")
    told = node.receipts()
    for _ in range(2):
        answer = asker.ask(node, "history", {})
        same((answer["node"], answer["more"]), ("ubnd", False))
        same(answer["receipts"], told)
        node.restart()  # and it is on disk
    same(asker.ask(node, "history", {"output": "nam"})["receipts"],
         [r for r in told if r["output"] == "nam"])
    same(asker.ask(node, "history", {"id": "tin-2"})["receipts"],
         [r for r in told if r["id"] == "tin-2"])
    late = [r for r in told if r["id"] in ("hen", "hong")]
    same(asker.ask(node, "history", {"since": middle})["receipts"], late)
    same(asker.ask(node, "history", {"since": begin, "until": middle})["receipts"],
         [r for r in told if r not in late])
    answers = pages(asker, node, limit=2)
    same([len(a["receipts"]) for a in answers], [2] * (len(told) // 2) + [1] * (len(told) % 2))
    same([r for a in answers for r in a["receipts"]], told)
    last = answers[-1]["after"]
    same(asker.ask(node, "history", {"after": last}),
         {"node": "ubnd", "receipts": [], "more": False, "after": last})
    refused(asker.ask(node, "history", {"since": "hôm nay"}), "bad-value", "since")
    refused(asker.ask(node, "history", {"limit": 501}), "bad-value", "limit")
    refused(asker.ask(node, "history", {"after": -1}), "bad-value", "after")
    refused(asker.ask(node, "history", {"zone": "bac"}), "unknown-key", "zone")


def test_history_command(rig):
    outputs = [{"name": n, "device": rig.alsa.unpaced(n), "zones": [n]} for n in ("bac", "nam")]
    node = rig.node("ubnd", outputs)
    other = rig.node("tram-2", [{"name": "xa", "device": rig.alsa.unpaced("xa"), "zones": ["bac"]}])
    rig.announce("all", "tin-1", GREETING, title="Họp thôn")
    for each in (node, other):
        each.wait_finished("tin-1")
    done = rig.loalang("history", "--since", "hôm nay")
    same((done.returncode, done.stderr), (0, ""))
    same(sorted(line.split()[2:5] for line in done.stdout.splitlines()[1:]),
         [["tram-2", "xa", "tin-1"], ["ubnd", "bac", "tin-1"], ["ubnd", "nam", "tin-1"]])
    assert done.stdout.count("Họp thôn") == 3 and done.stdout.count("phát xong") == 3, done.stdout
    receipts = lines(rig.loalang("--json", "history", "--since", "1h"))
    key = lambda r: (r["at"], json.dumps(r))
    same(sorted(receipts, key=key), sorted(node.receipts() + other.receipts(), key=key))
    same([r["at"] for r in receipts], sorted(r["at"] for r in receipts))
    same({r["output"] for r in lines(rig.loalang("--json", "history", "--zone", "bac"))},
         {"bac", "xa"})
    done = rig.loalang("history", "--until", "1h")
    same((done.returncode, "Không có gì" in done.stdout), (0, True))
    other.stop()
    done = rig.loalang("--json", "history")
    same((done.returncode, "tram-2" in done.stderr), (3, True), done.stderr)
    same(sorted(lines(done), key=key), sorted(node.receipts(), key=key))


@options(timeout=120)
def test_history_of_more_than_one_page(rig):
    node = rig.node()
    for i in range(620):
        rig.client.publish(rig.zone("all"), {"id": f"hong-{i}", "text": ""}, wait=False)
    node.wait_receipt("hong-619", "rejected", timeout=60)
    asker = Asker(rig)
    answers = pages(asker, node)
    same([len(a["receipts"]) for a in answers], [500, 120])
    same([r["id"] for a in answers for r in a["receipts"]], [f"hong-{i}" for i in range(620)])
    same([r["id"] for r in lines(rig.loalang("--json", "history"))],
         [f"hong-{i}" for i in range(620)])
    same(len(rig.loalang("history").stdout.splitlines()), 621)
    # more questions at once than the node keeps: refused, not forgotten, and it goes on
    numbers = [str(i).encode() for i in range(100)]
    asker.burst(node, "history", {}, numbers)
    found = [asker.wait(number).json() for number in numbers]
    between(sum("error" in a for a in found), 1, 84, "refused of 100")
    for answer in found:
        if "error" in answer:
            refused(answer, "queue-full")
        else:
            same(len(answer["receipts"]), 500)
    same(len(pages(asker, node)), 2)


# --- loalang history ----------------------------------------------------------------------------


def test_history_pages_of_many_nodes_in_one_order(rig):
    village = Village(rig, "a", "b")
    village.start("--json", "history", "--since", "2026-11-21T00:00:00+07:00", "--until",
                  "2026-11-22T00:00:00+07:00", "--id", "tin")
    pages = {"a": [[1, 5], [9]], "b": [[2], [3], [4, 8]]}
    asked = {"a": [], "b": []}
    while any(len(asked[node]) < len(pages[node]) for node in pages):
        node, question, message = village.question()
        page = len(asked[node])
        asked[node].append(question)
        village.link.answer(message, {
            "node": node, "receipts": [village.receipt(node, s) for s in pages[node][page]],
            "more": page + 1 < len(pages[node]), "after": 10 * (page + 1)})
        # the same once more changes nothing
        village.link.answer(message, {"node": node, "receipts": [village.receipt(node, 30)],
                                      "more": False, "after": 1000})
    same(village.end(), 0, village.stderr)
    same(village.stderr, "")
    receipts = [json.loads(line) for line in village.stdout.splitlines()]
    same([(r["node"], int(r["at"][17:19])) for r in receipts],
         [("a", 1), ("b", 2), ("b", 3), ("b", 4), ("a", 5), ("b", 8), ("a", 9)])
    same(receipts[0], village.receipt("a", 1))
    for node, questions in asked.items():
        same([q.pop("after") for q in questions], [0, 10, 20][:len(questions)])
        for question in questions:
            same(question, {"since": "2026-11-21T00:00:00.000+07:00",
                            "until": "2026-11-22T00:00:00.000+07:00", "id": "tin"}, node)


def test_history_shows_what_matters_of_the_outputs_that_are_meant(rig):
    village = Village(rig, "a")
    announced = {"id": "tin", "title": "Cắt, điện", "text": "x"}
    rig.client.publish(rig.zone("xa", "announce/tin"), announced, retain=True)
    receipts = [village.receipt("a", 1, "accepted", None), village.receipt("a", 2, "started"),
                village.receipt("a", 3, "interrupted"), village.receipt("a", 4, "resumed"),
                village.receipt("a", 5), village.receipt("a", 6, "expired", "nam", reason="expired",
                                                         detail="hết hạn khi đang chờ"),
                village.receipt("a", 7, "rejected", None, reason="bad-json")]

    def history(*arguments):
        village.start(*arguments)
        _, question, message = village.question()
        village.link.answer(message, {"node": "a", "receipts": receipts, "more": False, "after": 7})
        same(village.end(), 0, village.stderr)
        return question, village.stdout

    _, table = history("history")
    same([line.split()[1] for line in table.splitlines()[1:]],
         ["05:30:03", "05:30:05", "05:30:06", "05:30:07"], table)
    for word in ("TIÊU ĐỀ", "Cắt, điện", "tạm ngừng", "phát xong", "hết hạn khi đang chờ", "bad-json"):
        assert word in table, table
    same(len(history("history", "--all")[1].splitlines()), 8)
    same(len(history("--json", "history")[1].splitlines()), 7)
    question, table = history("history", "--zone", "nam")
    same((len(table.splitlines()), "hết hạn" in table, "output" in question), (2, True, False))
    question, table = history("history", "--output", "bac", "--zone", "xa")
    same((len(table.splitlines()), question["output"]), (3, "bac"), table)
    _, csv = history("history", "--csv")
    rows = list(csvmodule.DictReader(io.StringIO(csv, newline="")))
    same([(r["at"][17:19], r["event"], r["output"], r["title"]) for r in rows],
         [("03", "interrupted", "bac", "Cắt, điện"), ("05", "finished", "bac", "Cắt, điện"),
          ("06", "expired", "nam", "Cắt, điện"), ("07", "rejected", "", "Cắt, điện")])


def test_history_names_who_is_missing(rig):
    village = Village(rig, "a", "b", "c", "d")
    rig.client.publish(f"loalang/{rig.site}/node/e/status", {"node": "e", "state": "offline"},
                       retain=True)
    village.start("history", "--timeout", "1s")
    for _ in range(4):
        node, _, message = village.question()
        village.link.answer(message, {
            "a": {"node": "a", "receipts": [village.receipt("a", 1)], "more": False, "after": 1},
            "b": {"error": {"reason": "queue-full", "detail": "quá nhiều câu hỏi"}},
            "c": {"node": "c", "receipts": [village.receipt("c", 2)], "more": True, "after": 0},
            "d": {"error": 3}}[node])
    same(village.end(), 1, "a refusal: " + village.stderr)
    same(len(village.stdout.splitlines()), 3, village.stdout)
    for words in ("máy b không trả lời được: quá nhiều câu hỏi", "máy c trả lời vòng quanh",
                  "máy d không trả lời được", "thiếu phần của máy đang tắt hay không trả lời: e\n"):
        assert words in village.stderr, village.stderr
    rig.client.publish(f"loalang/{rig.site}/node/b/status", b"", retain=True)
    rig.client.publish(f"loalang/{rig.site}/node/c/status", b"", retain=True)
    rig.client.publish(f"loalang/{rig.site}/node/d/status", b"", retain=True)
    began = time.monotonic()
    village.start("history", "--timeout", "500ms")  # a never answers
    same(village.end(), 3, village.stderr)
    between(time.monotonic() - began, 0.5, 4 * rig.scale, "seconds until it gives up")
    assert "không trả lời: a, e\n" in village.stderr, village.stderr
    same(rig.loalang("history", "--since", "hôm kia").returncode, 2)
    same(rig.loalang("--json", "history", "--csv").returncode, 2)
