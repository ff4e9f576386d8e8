# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written, what an engine is asked to say, and the operator's lexicon in between."""

import os
import signal

from case import same


def asked(engine):
    return [text.rstrip(".,").lower() for text in engine.asked]


def test_only_words_reach_an_engine(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech=speech)
    rig.announce("trung-tam", "so", "UBND xã: 7h30 ngày 5/4, nộp 1.005.000đ (15%). ĐT 0912 345 678")
    node.wait_finished("so")
    text = " ".join(engine.asked)
    assert not any(c.isdigit() or c in "%()/" for c in text), text
    assert "Ủy ban nhân dân xã" in text and "một triệu không trăm linh năm nghìn đồng" in text, text


def test_telephone_numbers_are_slower(rig):
    engine, speech = rig.tone_engine()
    node = rig.node(speech={**speech, "rate": 130})
    rig.announce("trung-tam", "goi", "Xin gọi số 0912 345 678 trước trưa")
    node.wait_finished("goi")
    same(asked(engine), ["xin gọi số", "không chín một hai, ba bốn năm, sáu bảy tám", "trước trưa"])
    same([voice["rate"] for voice in engine.voices], [130, 104, 130])


def test_lexicon_is_reloaded_all_or_nothing(rig):
    engine, speech = rig.tone_engine()
    path = f"{rig.folder}/lexicon.tsv"

    def write(text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def say(ident):
        rig.announce("trung-tam", ident, "Nhà văn hóa NVH5 mở cửa")
        node.wait_finished(ident)
        return asked(engine)[-1]

    write("NVH5\tthôn năm\n")
    node = rig.node(speech={**speech, "lexicon": path})
    pid = node.pid
    same(say("mot"), "nhà văn hóa thôn năm mở cửa")

    write("NVH5\tthôn năm mới\nTDP\n")
    os.kill(pid, signal.SIGHUP)
    status = node.wait_status(lambda s: s["faults"])
    assert any("lexicon.tsv" in f["detail"] and "2" in f["detail"] for f in status["faults"]), status
    same(say("hai"), "nhà văn hóa thôn năm mở cửa")

    write("NVH5\tthôn năm mới\n")
    os.kill(pid, signal.SIGHUP)
    node.wait_status(lambda s: not s["faults"])
    same(say("ba"), "nhà văn hóa thôn năm mới mở cửa")
    same(node.pid, pid)
