# SPDX-License-Identifier: GPL-3.0-or-later
"""Many outputs of one node at once. How many it can be, and what each costs, is measured by
bench/many-outputs."""

from case import options, same
from rig import analysis

CHANNELS, OUTPUTS = 8, 16
WORDS = list(analysis.TONES)


def text(index):
    """Another order for each."""
    return [WORDS[(index * 3 + turn * (1 + 2 * (index // 10))) % len(WORDS)] for turn in range(7)]


@options(timeout=60)
def test_sixteen_outputs_say_sixteen_texts_at_once(rig):
    assert len({tuple(text(i)) for i in range(OUTPUTS)}) == OUTPUTS
    _, speech = rig.tone_engine()
    cards = [rig.alsa.loatest(f"card{i}", channels=CHANNELS) for i in range(OUTPUTS // CHANNELS)]
    node = rig.node("ubnd", [{"name": f"loa{i}", "device": cards[i // CHANNELS], "zones": [f"khu{i}"],
                              "channels": [i % CHANNELS]} for i in range(OUTPUTS)], speech=speech)
    start = rig.in_future(3)
    for i in range(OUTPUTS):
        rig.announce(f"khu{i}", f"tin{i}", " ".join(text(i)) + ".", start=start)
    for i in range(OUTPUTS):
        node.wait_finished(f"tin{i}", [f"loa{i}"])
    heard = [rig.alsa.heard(cards[i // CHANNELS], i % CHANNELS, CHANNELS) for i in range(OUTPUTS)]
    for i in range(OUTPUTS):
        same(analysis.said(heard[i]), text(i), f"loa{i}")
