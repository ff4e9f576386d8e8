# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS C7: the disk is full, cannot be written, or what is on it is damaged. Emergencies are
heard from memory; what is wrong is in the status; when it is over, nothing was lost."""

import glob
import os

from case import ends_once, options, same
from rig import analysis
from rig.disk import IGNORING_SIGXFSZ, SmallDisk, limit_files, may_mount

EMERGENCY = {"priority": "emergency", "repeat": {"times": 1}}
LATER = "Một hai ba bốn năm sáu bảy tám chín mười. " * 200  # long to write, not to be said


def card(rig):
    return {"name": "loa", "device": rig.alsa.loatest("loa"), "zones": ["trung-tam"]}


def said(rig):
    return analysis.said(rig.alsa.heard("loa"))


def write_much(rig, name):
    """Until a full disk must be noticed: what is small may still fit into what a file has."""
    for i in range(60):
        rig.announce("trung-tam", f"{name}-{i}", LATER, start=rig.in_future(86400),
                     expires=rig.in_future(2 * 86400))


def emergency_is_heard_and_fault_told(rig, node, word):
    rig.announce("trung-tam", "khan", word, **EMERGENCY)
    rig.wait(lambda: word in said(rig), "the emergency to be heard")
    status = node.wait_status(lambda s: any(f["what"] == "store" for f in s["faults"]))
    same(status["state"], "degraded")


def full_and_empty_again(rig, node, fill, empty):
    rig.announce("trung-tam", "truoc", "một")
    node.wait_receipt("truoc", "finished", "loa")
    fill()
    write_much(rig, "day")
    node.wait_status(lambda s: any(f["what"] == "store" for f in s["faults"]))
    rig.announce("trung-tam", "thuong", "hai")
    emergency_is_heard_and_fault_told(rig, node, "ba")
    same(said(rig), ["một", "ba"], "what is not on disk is not said, but for the emergency")
    assert not node.receipts("thuong"), node.receipts("thuong")
    empty()
    node.wait_receipt("thuong", "finished", "loa", timeout=45)
    node.wait_receipt("khan", "finished", "loa")
    node.wait_status(lambda s: not s["faults"], timeout=45)
    for id in ("truoc", "thuong", "khan"):
        same(ends_once(node, id, "loa"), "finished")
        assert "accepted" in node.events(id), node.events(id)
    node.kill()
    node.start()
    rig.settle()
    rig.announce("trung-tam", "sau", "bốn")
    node.wait_receipt("sau", "finished", "loa")
    same(said(rig), ["một", "ba", "hai", "bốn"])


def test_c7_disk_full(rig):
    """A real file system of 8 MiB. Where that is not permitted, the next test has to do."""
    if not may_mount():
        print("no mount namespaces here: only the limit on files is tested")
        return
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig)], speech=speech, start=False)
    disk = SmallDisk(f"{node.folder}/state", f"{rig.folder}/disk.out")
    try:
        node.wrapper = list(disk.wrapper)
        node.start()
        full_and_empty_again(rig, node, disk.fill, disk.empty)
        node.stop()
    finally:
        disk.close()


def test_c7_files_cannot_grow(rig):
    """The same by a limit on files, which anybody may set."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig)], speech=speech, wrapper=IGNORING_SIGXFSZ)
    sizes = {path: os.path.getsize(path) for path in glob.glob(f"{node.folder}/state/*")
             + [f"{node.folder}/loalangd.log"]}
    limit = max(sizes.values()) + 250_000  # the card's recording has to fit, the store does not

    full_and_empty_again(rig, node, lambda: limit_files(node.pid, limit),
                         lambda: limit_files(node.pid, None))


def test_c7_read_only_from_the_start(rig):
    if not may_mount():
        print("no mount namespaces here")
        return
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig)], speech=speech, start=False)
    disk = SmallDisk(f"{node.folder}/state", f"{rig.folder}/disk.out")
    try:
        disk.make_read_only()
        node.wrapper = list(disk.wrapper)
        node.start()
        emergency_is_heard_and_fault_told(rig, node, "ba")
        same(said(rig), ["ba"])
        node.stop()
    finally:
        disk.close()


def damage(node):
    """Writes nonsense over all that the store has, under its feet."""
    for path in glob.glob(f"{node.folder}/state/loalang.db*"):
        if path.endswith("-shm"):
            continue
        with open(path, "r+b") as file:
            file.write(os.urandom(max(os.path.getsize(path), 4096)))


@options(timeout=120)
def test_c7_store_damaged_while_running(rig):
    """Set aside as soon as it shows (which takes more than what is in memory anyway); a new one is
    begun, and what the node holds is in the new one. The broker keeps nothing here."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig)], speech=speech)
    told = []

    def tell(text, **fields):
        told.append(f"hen-{len(told) * 7919 % 10007}")
        rig.client.publish(rig.zone("trung-tam"), {
            "id": told[-1], "text": text, "start": rig.in_future(86400),
            "expires": rig.in_future(2 * 86400)})
    for _ in range(400):  # 4 MB
        tell(LATER)
    node.wait_receipt(told[-1], "accepted", timeout=60)
    damage(node)
    for _ in range(100):
        tell("một")
    for id in told:
        node.wait_receipt(id, "accepted", timeout=60)
    assert glob.glob(f"{node.folder}/state/loalang.db.corrupt-*"), "not set aside"
    node.kill()
    mark = rig.client.mark()
    node.start()
    rig.client.wait_for(node.topic("output/loa/queue"), lambda m: m.payload
                        and m.json()["length"] == len(told), 15 * rig.scale, since=mark)
    emergency = {"id": "khan", "text": "năm", **EMERGENCY}
    rig.client.publish(rig.zone("trung-tam"), emergency)
    node.wait_receipt("khan", "finished", "loa")
    same(said(rig), ["năm"])
