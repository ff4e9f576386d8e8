# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS C2: an announcement with which the node dies each time it is tried."""

from case import same
from heard import barrier, card, ends_in, finals, said, text

POISON = ("một một một một một một", "hai hai hai")


def dies_at(node, id, event, since=0):
    node.wait_receipt(id, event, "loa", since=since)
    node.kill()
    node.start()


def test_c2_after_two_deaths_it_has_failed_and_the_next_one_speaks(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "doc", text(POISON))
    rig.announce("trung-tam", "lanh", "chín mười")
    dies_at(node, "doc", "started")
    dies_at(node, "doc", "resumed")
    failed = ends_in(node, "doc", "loa", "failed", "engine")
    assert "dừng đột ngột" in failed["detail"], failed
    ends_in(node, "lanh", "loa", "finished")
    same(said(rig, "loa")[-2:], ["chín", "mười"])
    assert "hai" not in said(rig, "loa"), said(rig, "loa")
    same(node.events("doc", "loa"), ["accepted", "started", "resumed", "failed"])
    node.restart()  # it stays dead, though its message is still on the broker
    barrier(rig, node)
    same(len(finals(node, "doc", "loa")), 1)
    assert said(rig, "loa").count("một") <= 12, said(rig, "loa")


def test_c2_a_corrected_revision_is_tried_anew(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "doc", text(POISON))
    dies_at(node, "doc", "started")
    dies_at(node, "doc", "resumed")
    node.wait_receipt("doc", "failed", "loa")
    rig.announce("trung-tam", "doc", "chín mười", revision=2)
    rig.wait(lambda: [r for r in node.receipts("doc", "finished", "loa") if r["revision"] == 2],
             "the correction")
    same(said(rig, "loa")[-2:], ["chín", "mười"])


def test_c2_a_node_that_dies_elsewhere_finishes_its_announcement(rig):
    """One death in each sentence: it gets on, so it is not to blame."""
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    sentences = [" ".join([word] * 9) for word in ("một", "hai", "ba")]
    rig.announce("trung-tam", "tin", text(sentences))
    for word in ("một", "hai", "ba"):
        rig.wait(lambda: said(rig, "loa").count(word) >= 8, f"the sentence of {word}", 30)
        node.kill()
        node.start()
    ends_in(node, "tin", "loa", "finished", timeout=30)


def test_c2_a_stop_in_order_is_no_death(rig):
    engine, speech = rig.tone_engine()
    node = rig.node("ubnd", [card(rig, "loa")], speech=speech)
    rig.announce("trung-tam", "tin", text(POISON))
    for i, event in enumerate(("started", "resumed", "resumed")):
        rig.wait(lambda: len(node.receipts("tin", event, "loa")) >= max(1, i), f"{event} {i}")
        node.restart()
    ends_in(node, "tin", "loa", "finished")
    same(said(rig, "loa")[-9:], ["một"] * 6 + ["hai"] * 3)
