# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a test, and small assertions that say what they saw."""

from rig import analysis
from rig.node import FINAL


def options(**chosen):
    """timeout: seconds (a sanitizer build gets more); first: starts early, because it is long;
    plain_only: not with sanitizers, which change what it measures."""
    def mark(function):
        function.e2e_options = chosen
        return function
    return mark


def same(have, want, what=""):
    assert have == want, f"{what}: {have!r}, expected {want!r}"


def near(have, want, tolerance, what=""):
    assert abs(have - want) <= tolerance, f"{what}: {have:.3f}, expected {want:.3f} ± {tolerance}"


def between(have, low, high, what=""):
    assert low <= have <= high, f"{what}: {have}, expected {low}…{high}"


def spoken(sound, rate=analysis.RATE):
    """That there is speech in it: some sound, neither a click nor full scale."""
    parts = analysis.segments(sound, rate)
    seconds = sum(to - start for start, to in parts)
    assert seconds > 0.3, f"only {seconds:.2f} s of sound"
    between(analysis.peak_db(sound), -30, 0, "peak (dB)")
    return seconds


def ends_once(node, id, output):
    """Each accepted announcement ends on each output in exactly one final event."""
    finals = [r["event"] for r in node.receipts(id, None, output) if r["event"] in FINAL]
    same(len(finals), 1, f"final events of {id} on {output}: {finals}")
    return finals[0]
