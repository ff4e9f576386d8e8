# SPDX-License-Identifier: GPL-3.0-or-later
"""What a torture run will do, made of a seed: what is published when, and what goes wrong when. The
same seed makes the same plan (not the same run: the machine has a say in that)."""

from dataclasses import dataclass, replace

OUTPUTS = ("a", "b", "c")
CARDS = {"doi": ("a", "b"), "le": ("c",)}  # two outputs share a card, one has its own
ZONES = {"a": ("a",), "b": ("b",), "c": ("c",), "all": OUTPUTS}

# Local time of the node when a round begins, and its quiet hours: short ones, which the clock's
# steps lead into and out of.
BEGIN = "20:58:30"
QUIET = {"a": ("21:00-21:02", "21:10-21:12"), "b": ("21:00-21:02", "21:20-21:22"),
         "c": ("21:05-21:07",)}
# Where each step of the clock leads: seconds after 20:00:00 of the same evening. Back by less than
# a minute is what a clock may do; back by more costs the trust in it until it has caught up.
STEPS = (3600 - 4,        # just before quiet hours of a and b
         3600 + 122,      # out of them
         3600 + 119,      # back into their end
         3900 - 3,        # before those of c
         3900 + 130,      # out
         4200 - 3,        # before those of a
         4200 - 50,       # back: they are yet to come
         4200 + 125,      # out
         4200 + 125 - 600,  # ten minutes back: not to be believed
         4800 - 4)        # before those of b
LAST_STEP = 4800 + 140    # out of all, for the end

PRIORITIES = ("background", "normal", "normal", "normal", "normal", "normal", "priority",
              "priority", "priority", "emergency")
POLICIES = ("resume", "resume", "resume", "restart", "drop")


@dataclass(frozen=True)
class Counts:
    announcements: int = 1000
    kills: int = 100
    brokers: int = 20
    devices: int = 10
    workers: int = 50
    steps: int = 10
    mutes: int = 6
    seconds: float = 240.0

    def scaled(self, factor):
        return replace(self, **{name: max(1, round(getattr(self, name) * factor)) for name in (
            "announcements", "kills", "brokers", "devices", "workers", "mutes")},
            steps=max(4, round(self.steps * factor)), seconds=self.seconds * factor)


@dataclass(frozen=True)
class Item:
    id: str
    revision: int
    number: int
    frames: int
    priority: str
    zones: tuple
    policy: str
    text: bool          # words before the recording
    start_in: float     # seconds; 0: at once
    expires_in: float   # seconds; 0: days
    media_late: float   # the recording comes so much later; negative: never

    @property
    def outputs(self):
        return tuple(o for o in OUTPUTS if any(o in ZONES[zone] for zone in self.zones))


def _frames(rng):
    """Two at least: a starved machine may tear one."""
    chance = rng.random()
    return 2 if chance < 0.70 else rng.randint(3, 5) if chance < 0.93 else rng.randint(6, 13)


def _zones(rng):
    chance = rng.random()
    if chance < 0.15:
        return ("all",)
    return tuple(sorted(rng.sample(OUTPUTS, 1 if chance < 0.9 else 2)))


def _item(rng, serial):
    priority = rng.choice(PRIORITIES)
    timed = rng.random()
    media = rng.random()
    return Item(id=f"tt-{serial:04}", revision=1, number=2 * serial, frames=_frames(rng),
                priority=priority, zones=_zones(rng), policy=rng.choice(POLICIES),
                text=priority != "emergency" and rng.random() < 0.06,
                start_in=rng.uniform(1, 15) if timed < 0.10 else 0.0,
                expires_in=rng.uniform(5, 60) if timed > 0.94 else 0.0,
                media_late=-1.0 if media > 0.99 else rng.uniform(0.3, 4) if media > 0.95 else 0.0)


def _publications(rng, counts):
    """The instants, a third of them in bursts."""
    until, times = counts.seconds * 0.85, []
    while len(times) < counts.announcements:
        at = rng.uniform(0, until)
        times += [at] * (rng.randint(5, 12) if rng.random() < 0.05 else 1)
    return sorted(times[:counts.announcements])


def _say(rng, events, at, item):
    if item.media_late == 0:
        events.append((at, "media", item))
    events.append((at + 0.0001, "publish", item))
    if item.media_late > 0:
        events.append((at + item.media_late, "media", item))
    if len(item.zones) > 1:
        return  # (to be replaced or taken back it must have one topic: else it is a race of ours)
    second = rng.random()
    if second < 0.05:
        newer = replace(item, revision=2, number=item.number + 1, frames=_frames(rng),
                        start_in=0.0, media_late=0.0)
        after = at + rng.choice((0.05, 1.0, 8.0)) * rng.uniform(0.2, 2)
        events += [(after, "media", newer), (after + 0.0001, "publish", newer)]
    elif second < 0.10:
        events.append((at + rng.choice((0.1, 1.0, 8.0)) * rng.uniform(0.2, 2), "withdraw", item))


def _spread(rng, counts, how_many, kind, events, lasts=None, undo=None):
    """At random instants, but one in each of as many slices; what lasts ends within its own."""
    slice_seconds = counts.seconds / how_many
    for i in range(how_many):
        length = min(rng.uniform(*lasts), slice_seconds * 0.45) if lasts else 0.0
        at = (i + rng.uniform(0.02, 0.98)) * slice_seconds - length
        at = max(at, i * slice_seconds)
        which = rng.random()
        events.append((at, kind, which))
        if undo:
            events.append((at + length, undo, which))


def make(rng, counts):
    """[(seconds since the beginning, kind, argument)], in order."""
    events = []
    for serial, at in enumerate(_publications(rng, counts)):
        _say(rng, events, at, _item(rng, serial))
    _spread(rng, counts, counts.kills, "kill", events, (0.0, 0.3), "start")
    _spread(rng, counts, counts.brokers, "broker", events)
    _spread(rng, counts, counts.devices, "unplug", events, (0.3, 2.5), "plug")
    _spread(rng, counts, counts.workers, "worker", events)
    _spread(rng, counts, counts.mutes, "mute", events, (1.0, 3.0), "unmute")
    slice_seconds = counts.seconds / counts.steps
    for i in range(counts.steps):
        events.append(((i + rng.uniform(0.3, 0.6)) * slice_seconds, "step", STEPS[i % len(STEPS)]))
    return sorted(events, key=lambda event: event[0])
