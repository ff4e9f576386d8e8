# SPDX-License-Identifier: GPL-3.0-or-later
"""`loalang plan` and `loalang schedule`: of files, and against a broker and nodes that are only what they
say."""

import datetime
import json
import subprocess

from case import between, same
from rig.asker import Asker
from rig.village import Village

GREETING = "Kính thưa bà con"
TET_2027 = "2027-02-06"  # mùng một of the first month, Đinh Mùi
ZONE = datetime.timezone(datetime.timedelta(hours=7))


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def write(rig, name, content):
    path = f"{rig.folder}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
    return path


def schedule(id, cron, text=GREETING, title=None, **more):
    announcement = {"text": text, **({"title": title} if title else {})}
    return {"id": id, "cron": cron, **more, "announcement": announcement}


def configuration(rig):
    """Two outputs; one is quiet at night."""
    return write(rig, "loalang.conf", f'''
        site = "{rig.site}"; node = "ubnd"; timezone = "Asia/Ho_Chi_Minh";
        outputs = (
            {{ name = "bac"; device = "wav:{rig.folder}/bac.wav"; zones = ["bac", "xa"];
               quiet_hours = ["21:00-05:00"]; }},
            {{ name = "nam"; device = "wav:{rig.folder}/nam.wav"; zones = ["nam"]; }} );''')


# --- plan, of files -----------------------------------------------------------------------------


def test_plan_of_a_file_needs_nothing_else(rig):
    path = write(rig, "ram.json", schedule("ram", "30 5 1,15 * *", title="Rằm, mùng một",
                                           calendar="lunar", **{"except": ["2027-03-08"]}))
    done = rig.loalang("--json", "plan", "--schedule", path, "--from", "2027-02-01", "--days", "40")
    same((done.returncode, done.stderr), (0, ""))
    rows = lines(done)
    same([(r["start"], r["lunar"], r["would"], r["reason"]) for r in rows],
         [(f"{TET_2027}T05:30:00+07:00", "1/1/2027", "play", None),
          ("2027-02-20T05:30:00+07:00", "15/1/2027", "play", None),
          ("2027-03-08T05:30:00+07:00", "1/2/2027", "skip", "except")])
    same([r["id"] for r in rows[:2]], ["ram@20270205T2230Z", "ram@20270219T2230Z"])
    same((rows[0]["schedule"], rows[0]["output"], rows[0]["begins"], rows[0]["title"],
          rows[0]["priority"], rows[2]["begins"]),
         ("ram", None, rows[0]["start"], "Rằm, mùng một", "normal", None))
    between(rows[0]["seconds"], 1, 20, "seconds of a greeting and its chimes")
    table = rig.loalang("plan", "--schedule", path, "--from", "2027-02-01", "--days", "40").stdout
    for word in ("T7 06/02/2027 05:30  1/1", "Rằm, mùng một", "bỏ qua", "ngày trừ"):
        assert word in table, table
    # a leap month, and its name
    leap = rig.loalang("--json", "plan", "--schedule", path, "--from", "2025-07-20", "--days", "10")
    same([r["lunar"] for r in lines(leap)], ["1/6 nhuận/2025"])
    # the schedule's own time zone; the same instant
    far = write(rig, "xa.json", schedule("xa", "0 12 * * *", timezone="Europe/Berlin"))
    done = rig.loalang("--json", "plan", "--schedule", far, "--from", "2027-07-01", "--days", "1")
    same([r["start"] for r in lines(done)], ["2027-07-01T12:00:00+02:00"])
    table = rig.loalang("plan", "--schedule", far, "--from", "2027-07-01", "--days", "1").stdout
    assert "T5 01/07/2027 12:00 +02:00" in table, table


def test_plan_of_files_by_the_configuration(rig):
    night = write(rig, "khuya.json", schedule("khuya", "30 22 * * *"))
    noon = write(rig, "trua.json", schedule("trua", "0 12 * * *"))

    def plan(*arguments):
        done = rig.loalang("--json", "plan", "--schedule", night, "--schedule", noon, "--from",
                           "2027-03-01", "--days", "1", *arguments, config=configuration(rig))
        same((done.returncode, done.stderr), (0, ""))
        return [(r["schedule"], r["output"], r["would"], r["reason"]) for r in lines(done)]

    noons = [("trua", "bac", "play", None), ("trua", "nam", "play", None)]
    nights = [("khuya", "bac", "veto", "quiet-hours"), ("khuya", "nam", "play", None)]
    same(plan(), noons + nights)
    same(plan("--zone", "xa"), [noons[0], nights[0]])
    same(plan("--zone", "nam", "--zone", "xa"), noons + nights)
    same(plan("--output", "nam"), [noons[1], nights[1]])
    for wrong in (("--zone", "khong-co"), ("--output", "khong-co")):
        done = rig.loalang("plan", "--schedule", night, *wrong, config=configuration(rig))
        same(done.returncode, 2, done.stderr)
    table = rig.loalang("plan", "--schedule", night, "--from", "2027-03-01", "--days", "1",
                        config=configuration(rig)).stdout
    assert "không phát" in table and "giờ yên lặng" in table, table
    none = rig.loalang("plan", "--schedule", noon, "--from", "2027-03-01T13:00:00+07:00", "--days",
                       "1", "--output", "nam", config=configuration(rig))
    same(len(none.stdout.splitlines()), 2, none.stdout)


def test_plan_says_what_is_wrong_with_a_file(rig):
    good = schedule("tot", "0 12 * * *")
    for name, content, words in (
            ("chu.json", "{", ("dòng", "chu.json")),
            ("khoa.json", {**good, "corn": "x"}, ("corn", "khoa.json")),
            ("ngay.json", {**good, "cron": "0 0 31 6 *"}, ("cron", "ngay.json")),
            ("ma.json", {k: good[k] for k in ("cron", "announcement")}, ("id",)),
            ("mui.json", {**good, "timezone": "Asia/Hanoi"}, ("timezone", "Asia/Hanoi")),
            ("loi.json", schedule("loi", "0 12 * * *", "… !!!"), ("announcement.text",)),
            ("lon.json", schedule("lon", "0 12 * * *", "a " * 40000), ("lon.json",))):
        done = rig.loalang("plan", "--schedule", write(rig, name, content))
        same((done.returncode, done.stdout), (1, ""), f"{name}: {done.stderr}")
        for word in words:
            assert word in done.stderr, f"{name}: {done.stderr}"
    done = rig.loalang("plan", "--schedule", f"{rig.folder}/khong-co.json")
    same(done.returncode, 1, done.stderr)
    assert "khong-co.json" in done.stderr, done.stderr
    one, other = write(rig, "a.json", good), write(rig, "b.json", good)
    done = rig.loalang("plan", "--schedule", one, "--schedule", other)
    same(done.returncode, 1, done.stderr)
    assert "b.json" in done.stderr and "tot" in done.stderr, done.stderr
    for wrong in (("--from", "hôm kia"), ("--days", "0"), ("--days", "401"), ("--month=13",),
                  ("--month", "--days", "3"), ("--ics", "--json"), ("2026-12",)):
        done = rig.loalang("plan", "--schedule", one, *wrong)
        same((done.returncode, done.stdout), (2, ""), f"{wrong}: {done.stderr}")
        assert done.stderr, wrong


def test_plan_of_a_month(rig):
    night = write(rig, "khuya.json", schedule("khuya", "30 22 * * 1"))
    noon = write(rig, "trua.json", schedule("trua", "0 12 6 * *"))
    for month in (("--month", "2027-02"), ("--month=2027-02",)):
        done = rig.loalang("plan", "--schedule", night, "--schedule", noon, *month,
                           config=configuration(rig))
        same((done.returncode, done.stderr), (0, ""))
        view = done.stdout.splitlines()
        assert view[0].startswith("Tháng 2 năm 2027"), view[0]
        same(view[2].split(), ["Thứ", "2", "Thứ", "3", "Thứ", "4", "Thứ", "5", "Thứ", "6", "Thứ",
                               "7", "CN"])
        same(view[3].split(), ["1", "25/12", "2", "26", "3", "27", "4", "28", "5", "29", "6", "1/1",
                               "7", "2"])
        same(view[4].split(), ["22:30", "!", "12:00"])
        assert "! có loa không phát" in done.stdout, done.stdout
    rows = lines(rig.loalang("--json", "plan", "--schedule", noon, "--month", "2027-02"))
    same([r["start"] for r in rows], ["2027-02-06T12:00:00+07:00"])
    this = rig.loalang("plan", "--schedule", noon, "--month").stdout
    assert datetime.datetime.now(ZONE).strftime("%Y") in this.splitlines()[0], this


def unfolded(text):
    """The content lines of an iCalendar, after looking at what RFC 5545 wants of them."""
    assert text.endswith("\r\n"), text[-20:]
    raw = text.encode()
    for line in raw[:-2].split(b"\r\n"):
        assert b"\n" not in line and len(line) <= 75, line
        line.decode()  # no character is cut
    return raw.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def test_plan_as_a_calendar(rig):
    text = "Kính thưa bà con; rằm tháng giêng, mời bà con dự lễ. " * 4
    path = write(rig, "ram.json", schedule("ram", "30 5 15 1 *", text, "Rằm, tháng giêng; lễ\\hội",
                                           calendar="lunar"))
    night = write(rig, "khuya.json", schedule("khuya", "30 22 * * *"))
    argv = rig.loalang_argv("plan", "--schedule", path, "--schedule", night, "--zone", "xa",
                            "--zone", "nam", "--from", "2027-02-19", "--days", "2", "--ics",
                            config=configuration(rig))
    # as bytes: text mode would hide the line ends
    done = subprocess.run(argv, capture_output=True, timeout=60 * rig.scale, env=rig.environment())
    same((done.returncode, done.stderr), (0, b""))
    found = unfolded(done.stdout.decode())
    same((found[0], found[1], found[-1]), ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR"))
    same([line for line in found if line.startswith("UID:")],
         ["UID:khuya@20270219T1530Z", "UID:ram@20270219T2230Z", "UID:khuya@20270220T1530Z"])
    event = found[[i for i, line in enumerate(found) if line == "BEGIN:VEVENT"][1]:]
    event = dict(line.split(":", 1) for line in event[:event.index("END:VEVENT")])
    same((event["DTSTART"], event["SUMMARY"]),
         ("20270219T223000Z", "Rằm\\, tháng giêng\\; lễ\\\\hội"))
    assert event["DTEND"] > event["DTSTART"] and event["DTEND"].endswith("Z"), event
    assert event["DESCRIPTION"].startswith("Kính thưa bà con\\; rằm tháng giêng\\, mời"), event
    assert "15/1/2027" in event["DESCRIPTION"] and "bac\\, nam" in event["DESCRIPTION"], event
    # what would not be heard anywhere is no event: the quiet output alone
    quiet = rig.loalang("plan", "--schedule", night, "--zone", "xa", "--from", "2027-02-19", "--ics",
                        config=configuration(rig))
    assert "VEVENT" not in quiet.stdout, quiet.stdout


# --- plan, of nodes -----------------------------------------------------------------------------


def row(start, id="sang", output="bac", would="play", **more):
    at = datetime.datetime.fromisoformat(start)
    stamp = at.astimezone(datetime.timezone.utc).strftime("%Y%m%dT%H%MZ")
    return {"schedule": id, "id": f"{id}@{stamp}", "start": start, "lunar": "1/1/2027",
            "output": output, "seconds": 12.5, "would": would, "reason": None, "title": "Bản tin",
            "priority": "normal", "begins": start if would == "play" else None, "detail": None,
            **more}


def test_plan_asks_every_node(rig):
    village = Village(rig, "a", "b")
    rig.client.publish(f"loalang/{rig.site}/node/c/status", {"node": "c", "state": "offline"},
                       retain=True)
    village.start("--json", "plan", "--from", "2027-03-01", "--days", "3")
    answers = {"a": [([row("2027-03-01T05:30:00+07:00")], "2027-03-02T00:00:00+07:00"),
                     ([row("2027-03-02T05:30:00+07:00"),
                       row("2027-03-09T05:30:00+07:00")], "2027-03-10T00:00:00+07:00")],
               "b": [([row("2027-03-01T05:30:00+07:00", output="nam", would="veto",
                           reason="quiet-hours")], "2027-03-04T00:00:00+07:00")]}
    asked = []
    for _ in range(3):
        node, question, message = village.question()
        asked.append((node, question))
        rows, until = answers[node].pop(0)
        village.link.answer(message, {"node": node, "rows": rows, "until": until,
                                      "more": len(answers[node]) > 0})
    same(village.end(), 3, "c is off: " + village.stderr)
    assert "không trả lời: c\n" in village.stderr, village.stderr
    rows = [json.loads(line) for line in village.stdout.splitlines()]
    same([(r["node"], r["start"], r["would"]) for r in rows],
         [("a", "2027-03-01T05:30:00+07:00", "play"), ("b", "2027-03-01T05:30:00+07:00", "veto"),
          ("a", "2027-03-02T05:30:00+07:00", "play")])
    same([q for n, q in asked if n == "a"],
         [{"from": "2027-03-01T00:00:00.000+07:00", "days": 3},
          {"from": "2027-03-02T00:00:00.000+07:00", "days": 2}])


def test_plan_of_the_outputs_that_are_meant(rig):
    village = Village(rig, "a")
    both = [row("2027-03-01T05:30:00+07:00", output=o) for o in ("bac", "nam")]

    def plan(*arguments):
        village.start("--json", "plan", "--from", "2027-03-01", *arguments)
        _, question, message = village.question()
        village.link.answer(message, {"node": "a", "rows": both, "more": False,
                                      "until": "2027-03-08T00:00:00+07:00"})
        same(village.end(), 0, village.stderr)
        return question, [json.loads(line)["output"] for line in village.stdout.splitlines()]

    same(plan()[1], ["bac", "nam"])
    same(plan("--zone", "xa")[1], ["bac"])
    same(plan("--output", "nam")[0]["output"], "nam")
    village.start("plan")
    _, _, message = village.question()
    village.link.answer(message, {"error": {"reason": "bad-value", "detail": "chưa biết “plan”"}})
    same(village.end(), 1, village.stderr)
    assert "máy a không trả lời được: chưa biết “plan”" in village.stderr, village.stderr


# --- schedule -----------------------------------------------------------------------------------


class Office(Village):
    """`schedule put` against one node that answers by script."""

    def put(self, path, *arguments, would="play", reason=None, event="accepted", silent=False):
        """The status of the command; .question is what the node was asked."""
        mark = self.rig.client.mark()
        self.start("schedule", "put", path, *arguments)
        self.asked = []
        while not silent:
            _, question, message = self.question()
            self.asked.append(question)
            rows, until = self.rows(question, would, reason)
            self.link.answer(message, {"node": "a", "rows": rows, "until": until, "more": False})
            if self.enough(rows, until, would, reason):
                break
        if event:
            sent = self.rig.client.wait_for(self.rig.zone("+", "schedule/+"), since=mark)
            self.rig.client.publish(f"loalang/{self.rig.site}/node/a/receipt", {
                "id": sent.topic.split("/")[-1], "revision": sent.json()["revision"], "node": "a",
                "output": None, "event": event, "at": self.rig.in_future(0),
                "seconds_asked": None, "seconds_played": None, "reason": reason,
                "schedule": None, "spoken_sha256": None, "detail": None})
        return self.end()

    @staticmethod
    def rows(question, would, reason):
        """Every noon."""
        at = datetime.datetime.fromisoformat(question["from"]).astimezone(ZONE)
        until = at + datetime.timedelta(days=question["days"])
        noon = at.replace(hour=12, minute=0, second=0, microsecond=0)
        rows, id = [], question["schedules"][0]["schedule"]["id"]
        while noon < until:
            if noon >= at:
                rows.append(row(noon.isoformat(), id, would=would, reason=reason,
                                detail="vì thế" if reason else None))
                rows.append(row(noon.isoformat(), "lich-khac"))
            noon += datetime.timedelta(days=1)
        return rows, until.isoformat()

    def enough(self, rows, until, would, reason):
        if would == "play":
            return True
        ahead = datetime.datetime.fromisoformat(until) - datetime.datetime.now(ZONE)
        return ahead >= datetime.timedelta(days=399, hours=23)


def stands(rig, zone, id, condition):
    """That is what the broker has now: it may reach us a moment after the command has ended."""
    topic = rig.zone(zone, f"schedule/{id}")

    def here():
        last = rig.client.last(topic)
        return last and last.payload and condition(last.json())
    rig.client.wait_until(here, f"{topic} to be what was put there", 10)


def test_schedule_put_list_delete(rig):
    office = Office(rig, "a")
    path = write(rig, "trua.json", schedule("trua", "0 12 * * *", title="Bản tin trưa"))
    same(office.put(path, "--zone", "xa"), 0, office.stderr)
    same(office.asked[0]["schedules"][0]["zone"], "xa")
    between(office.asked[0]["days"], 4, 6, "days until the fifth noon")
    same(len(office.asked), 1)
    noon = [line for line in office.stdout.splitlines() if " 12:00 " in line]
    same(len(noon), 5, office.stdout)
    assert "a/bac" in noon[0] and "phát" in noon[0], noon
    assert "đã nhận" in office.stdout, office.stdout
    kept = rig.another_client("late")
    kept.subscribe(rig.zone("+", "schedule/+"))
    message = kept.wait_for(rig.zone("xa", "schedule/trua"))
    assert message.retain
    same(message.json(), {"revision": 1, **schedule("trua", "0 12 * * *", title="Bản tin trưa")})
    # the same again changes nothing; another content is the next revision
    same(rig.loalang("schedule", "put", "--zone", "xa", path).returncode, 0)
    same(len(rig.client.select(rig.zone("xa", "schedule/trua"))), 1)
    path = write(rig, "trua.json", schedule("trua", "0 12 * * *", "Kính thưa bà con xã nhà."))
    same(office.put(path, "--zone", "xa"), 0, office.stderr)
    stands(rig, "xa", "trua", lambda m: m["revision"] == 2)
    old = write(rig, "cu.json", schedule("trua", "0 12 * * *", revision=2))
    done = rig.loalang("schedule", "put", old)
    same(done.returncode, 1, done.stdout)
    assert done.stderr.count("bản 2") == 2, done.stderr
    # list
    rig.client.publish(rig.zone("nam", "schedule/hong"), schedule("hong", "x"), retain=True)
    rig.client.publish(rig.zone("nam", "schedule/ram"), schedule(
        "ram", "0 5 15 * *", title="Rằm", calendar="lunar"), retain=True)
    rig.client.publish(rig.zone("nam", "schedule/bo"), {"withdrawn": True, "revision": 4}, retain=True)
    listed = rig.loalang("schedule", "list", "--json")
    same(listed.returncode, 0, listed.stderr)
    assert "hong" in listed.stderr and "cron" in listed.stderr, listed.stderr
    ram, trua = lines(listed)
    same((ram["id"], ram["zone"], ram["revision"], ram["cron"], ram["calendar"], ram["title"]),
         ("ram", "nam", 1, "0 5 15 * *", "lunar", "Rằm"))
    assert ram["lunar"].startswith("15/") and "T05:00:00+07:00" in ram["next"], ram
    same((trua["id"], trua["revision"]), ("trua", 2))
    table = rig.loalang("schedule", "list").stdout
    assert "âm lịch" in table and "Rằm" in table and "bo" not in table.split(), table
    # delete
    same(rig.loalang("schedule", "delete", "trua").returncode, 0)
    stands(rig, "xa", "trua", lambda m: m == {"withdrawn": True, "revision": 3})
    done = rig.loalang("schedule", "delete", "trua")
    same((done.returncode, "từ trước" in done.stdout), (0, True))
    same(rig.loalang("schedule", "delete", "khong-co").returncode, 1)
    # and a withdrawal stays the newest until a newer one comes
    same(office.put(path), 0, office.stderr)
    stands(rig, "all", "trua", lambda m: m["revision"] == 4)


def test_schedule_withdrawal_is_kept_400_days(rig):
    rig.start_broker()
    rig.client.publish(rig.zone("xa", "schedule/trua"), schedule("trua", "0 12 * * *"), retain=True)
    same(rig.loalang("schedule", "delete", "trua").returncode, 0)
    asker = Asker(rig)
    asker.subscribe(rig.zone("xa", "schedule/trua"))
    answer = asker.next()
    between(answer.expiry, 400 * 86400 - 60, 400 * 86400, "seconds the broker keeps it")


def test_schedule_put_stops_at_what_would_never_be_heard(rig):
    office = Office(rig, "a")
    path = write(rig, "trua.json", schedule("trua", "0 12 * * *"))
    same(office.put(path, would="veto", reason="quiet-hours", event=None), 1, office.stdout)
    assert "--yes" in office.stderr and "giờ yên lặng" in office.stderr, office.stderr
    assert "không phát" in office.stdout and "vì thế" in office.stdout, office.stdout
    assert len(office.asked) > 1, "all of the 400 days were looked at"
    same(rig.client.select(rig.zone("+", "schedule/+")), [])
    same(office.put(path, "--yes", would="veto", reason="quiet-hours"), 0, office.stderr)
    same(len(rig.client.select(rig.zone("all", "schedule/trua"))), 1)
    # no occurrence any more: nobody need be asked
    over = write(rig, "qua.json", schedule("qua", "0 12 * * *", until="2020-01-01"))
    same(office.put(over, event=None, silent=True), 1, office.stdout)
    assert "không còn lần nào" in office.stderr, office.stderr
    # what a node refuses
    same(office.put(write(rig, "k.json", schedule("k", "0 12 * * *")), event="rejected"), 1)
    # what the text's reader doubts
    text = "Thứ Sáu ngày 21/11/2026 họp thôn."
    done = rig.loalang("schedule", "put", write(rig, "n.json", schedule("n", "0 12 * * *", text)))
    same(done.returncode, 1, done.stdout)
    assert "thứ Bảy" in done.stderr and "--yes" in done.stderr, done.stderr
    done = rig.loalang("schedule", "put", write(rig, "s.json", {"id": "s", "corn": ""}))
    same((done.returncode, "corn" in done.stderr), (1, True), done.stderr)


def test_schedule_put_looks_at_rare_occurrences_only(rig):
    """The next five 29ths of February are twenty years of questions, or five."""
    village = Village(rig, "a")
    village.start("schedule", "put", write(rig, "nhuan.json", schedule("nhuan", "0 12 29 2 *")),
                  "--timeout", "500ms")
    for _ in range(5):
        node, question, message = village.question()
        begin = datetime.datetime.fromisoformat(question["from"]).astimezone(ZONE)
        same((begin.month, begin.day, begin.hour), (2, 28, 12), question["from"])
        until = begin + datetime.timedelta(days=question["days"])
        village.link.answer(message, {"node": node, "rows": [], "more": False,
                                      "until": until.isoformat()})
    same(village.end(), 3, village.stderr)
    same(village.stdout.count("chưa rõ"), 5, village.stdout)
    assert "chưa biết loa nào" in village.stderr, village.stderr


def test_schedule_put_without_nodes(rig):
    """The configuration at hand says what would become of it; nobody takes it: 3."""
    rig.start_broker()
    config = configuration(rig)
    with open(config, "a", encoding="utf-8") as file:
        file.write(f'mqtt = {{ host = "127.0.0.1"; port = {rig.port}; }};')
    noon = write(rig, "trua.json", schedule("trua", "0 12 * * *"))
    done = rig.loalang("schedule", "put", "--zone", "xa", noon, config=config)
    same(done.returncode, 3, done.stderr)
    same(len([line for line in done.stdout.splitlines() if " bac" in line]), 5, done.stdout)
    stands(rig, "xa", "trua", lambda m: m["revision"] == 1)
    done = rig.loalang("--json", "schedule", "put", "--zone", "xa", "-", config=config,
                       input=json.dumps(schedule("chieu", "0 17 * * *")))
    same((done.returncode, done.stdout), (3, ""), "no receipt, and nothing else as JSON")
    stands(rig, "xa", "chieu", lambda m: m["revision"] == 1)
    done = rig.loalang("--json", "schedule", "put", "--zone", "xa", noon, config=config)
    same((done.returncode, lines(done)), (0, [{"id": "trua", "revision": 1, "unchanged": True}]))
    night = write(rig, "khuya.json", schedule("khuya", "30 22 * * *"))
    done = rig.loalang("schedule", "put", "--zone", "xa", night, config=config)
    same(done.returncode, 1, done.stdout)
    # once a year: the five are years away, and all are looked at
    yearly = write(rig, "tet.json", schedule("tet", "0 0 1 1 *", calendar="lunar"))
    done = rig.loalang("schedule", "put", "--zone", "xa", yearly, config=config)
    same(done.returncode, 1, done.stdout)
    same(done.stdout.count("giờ yên lặng"), 5, done.stdout)


def test_schedule_wrong_usage_is_2(rig):
    rig.start_broker()
    for arguments in ((), ("put",), ("list", "x"), ("delete",), ("delete", "a/b"), ("xoa", "x")):
        done = rig.loalang("schedule", *arguments)
        same(done.returncode, 2, f"{arguments}: {done.stderr}")
        assert done.stderr, arguments
