# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong, from what was published, what was received and what was heard. Pure: no clock,
no files. All times are seconds of the machine's monotonic clock; `wall` says what the node's clock
showed then. Heard is what was recognised in the recorded sound, never what the daemon says."""

from dataclasses import dataclass, field

import signature

FINAL = ("finished", "cancelled", "expired", "failed", "superseded")

# How exactly the instants of receipts and of sound agree, and how long a command may take.
SLACK_SECONDS = 0.15
COMMAND_SECONDS = 0.2
FRAME_SECONDS = 0.1
TORN_FRAMES = 1  # of one announcement


@dataclass
class Said:
    """One revision of one announcement, as it was published."""
    id: str
    revision: int
    number: int  # of its signature
    frames: int
    outputs: tuple
    priority: str
    at: float
    recorded: bool = True  # its recording was there before it


@dataclass
class Heard:
    """A frame of a signature in the recording of one output."""
    at: float
    number: int
    index: int
    last: bool


@dataclass
class Told:
    """A receipt: when it was received first, when it says it was, and what it says."""
    at: float
    receipt: dict


@dataclass
class Facts:
    said: list
    told: list
    heard: dict            # output → [Heard]
    sound: dict            # output → [(from, to)]: anything that is louder than nothing
    quiet: dict            # output → [(from, to)]: quiet hours, as the node's clock had them
    muted: dict            # output → [(from, to)]: from "it is muted" until unmute was sent
    cuts: dict = field(default_factory=dict)       # output → when sound may have been cut off
    begun: dict = field(default_factory=dict)      # output → [(at, tones)]: frames cut off
    withdrawn: dict = field(default_factory=dict)  # id → when its withdrawal was sent
    history: list = None   # receipts, as the node remembers them; None: it was not asked
    slack: float = SLACK_SECONDS


@dataclass
class Wrong:
    kind: str
    id: str
    output: str
    what: str
    at: float = 0.0  # of a sound


KINDS = ("lost", "repeated", "unaccounted", "in quiet hours", "unwanted")


def counts(wrongs):
    return {kind: sum(w.kind == kind for w in wrongs) for kind in KINDS}


def headline(wrongs):
    return ", ".join(f"{kind} {count}" for kind, count in counts(wrongs).items())


class Judge:
    def __init__(self, facts):
        self.facts, self.wrongs = facts, []
        self.by_number = {said.number: said for said in facts.said}
        self.newest = {}
        for said in facts.said:
            self.newest[said.id] = max(said.revision, self.newest.get(said.id, 0))
        self.accepted, self.rejected, self.finals = set(), set(), {}
        for told in facts.told:
            self._file(told)
        self.frames = {}  # (number, output) → [Heard]
        for output, heards in facts.heard.items():
            for heard in heards:
                self.frames.setdefault((heard.number, output), []).append(heard)

    def _file(self, told):
        receipt = told.receipt
        key = (receipt["id"], receipt["revision"])
        if receipt["event"] == "accepted":
            self.accepted.add(key)
        elif receipt["event"] == "rejected":
            self.rejected.add(key)
        elif receipt["event"] in FINAL:
            self.finals.setdefault((*key, receipt["output"]), []).append(told)

    def wrong(self, kind, said, output, what, at=0.0):
        name = f"{said.id}/{said.revision}" if said else "?"
        self.wrongs.append(Wrong(kind, name, output, what, at))

    # --- each announcement ---------------------------------------------------------------------

    def _is_owed(self, said):
        """Whether the node had to learn of it: it was the last word on its topic."""
        key = (said.id, said.revision)
        known = key in self.accepted or any(k[:2] == key for k in self.finals)
        withdrawn = said.id in self.facts.withdrawn
        return known or (said.revision == self.newest[said.id] and not withdrawn
                         and key not in self.rejected)

    def _account(self, said, output):
        """Its one final receipt; None when there is not exactly one."""
        finals = self.finals.get((said.id, said.revision, output), [])
        if len(finals) == 1:
            return finals[0]
        told = "; ".join(f"{t.receipt['event']} at {t.at:.3f}" for t in finals) or "none"
        self.wrong("unaccounted", said, output, f"final receipts: {told}")
        return min(finals, key=lambda t: t.at) if finals else None

    def _check_heard(self, said, output, final):
        """All of it, but for a frame at each place where it may have been cut off, and one that a
        starved machine has torn (it is there, with silence within)."""
        frames = self.frames.get((said.number, output), [])
        missing = sorted(set(range(said.frames)) - {frame.index for frame in frames})
        if not frames:
            self.wrong("lost", said, output, f"finished at {final.at:.3f}, never heard")
        elif missing:
            first = min(frame.at for frame in frames)
            cuts = sum(first <= at <= final.at for at in self.facts.cuts.get(output, []))
            if len(missing) > cuts + TORN_FRAMES:
                self.wrong("lost", said, output, f"finished at {final.at:.3f}, frames {missing} of "
                           f"{said.frames} never heard, {cuts} cuts")

    def _check_missing(self, said, output, final):
        """It was not said, or only its words, for want of a recording: that is fair only when there
        was none."""
        if said.recorded:
            self.wrong("lost", said, output, f"{final.receipt['event']} at {final.at:.3f} without "
                       "its recording, which was there")

    def _check_silent_after(self, said, output, final):
        late = [frame for frame in self.frames.get((said.number, output), [])
                if frame.at > final.at + self.facts.slack]
        if late:
            event = final.receipt["event"]
            self.wrong("repeated" if event == "finished" else "unwanted", said, output,
                       f"{event} at {final.at:.3f}, heard at "
                       + ", ".join(f"{frame.at:.3f}" for frame in late[:5]))

    def _check_said(self, said):
        owed = self._is_owed(said)
        for output in said.outputs:
            if not owed and (said.id, said.revision, output) not in self.finals:
                # (an emergency is heard before it is on disk: it may be, and be forgotten)
                if (said.number, output) in self.frames and said.priority != "emergency":
                    self.wrong("unaccounted", said, output, "heard, but never accepted")
                continue
            final = self._account(said, output)
            if not final:
                continue
            if final.receipt["reason"] == "media-missing" and final.receipt["event"] != "expired":
                self._check_missing(said, output, final)
            elif final.receipt["event"] == "finished":
                self._check_heard(said, output, final)
            self._check_silent_after(said, output, final)

    def _check_history(self):
        """The node remembers just the endings that it told."""
        remembered = [self._ending(receipt) for receipt in self.facts.history
                      if receipt["event"] in FINAL]
        told = [self._ending(told.receipt) for told in self.facts.told
                if told.receipt["event"] in FINAL]
        for what, some, others in (("told, but not in the history", told, remembered),
                                   ("in the history, but not told", remembered, told)):
            for id, revision, output, event, at in set(some) - set(others):
                self.wrongs.append(Wrong("unaccounted", f"{id}/{revision}", output,
                                         f"{event} at {at}: {what}"))

    @staticmethod
    def _ending(receipt):
        return tuple(receipt[key] for key in ("id", "revision", "output", "event", "at"))

    # --- each sound ----------------------------------------------------------------------------

    def _check_addressed(self):
        for (number, output), frames in self.frames.items():
            said = self.by_number.get(number)
            if not said or output not in said.outputs:
                self.wrong("unwanted", said, output, f"heard at {frames[0].at:.3f}, was not for it")

    def _emergencies(self, output):
        """When a frame of one began, be it that it was cut off."""
        emergencies = {said.number: said for said in self.facts.said
                       if said.priority == "emergency" and output in said.outputs}
        return [heard.at for heard in self.facts.heard.get(output, [])
                if heard.number in emergencies] + [
            at for at, tones in self.facts.begun.get(output, [])
            if any(signature.could_be(tones, said.number, said.frames) and said.at < at
                   for said in emergencies.values())]

    def _check_quiet(self, output, begin, end):
        """Nothing but emergencies: every sound in it belongs to one."""
        allowed = [(at - FRAME_SECONDS, at + 2 * FRAME_SECONDS)
                   for at in self._emergencies(output)]
        for heard in self.facts.heard.get(output, []):
            said = self.by_number.get(heard.number)
            if begin < heard.at and heard.at + FRAME_SECONDS < end and (
                    not said or said.priority != "emergency"):
                self.wrong("in quiet hours", said, output, f"heard at {heard.at:.3f}")
        for start, stop in self.facts.sound.get(output, []):
            start, stop = max(start, begin), min(stop, end)
            middle = (start + stop) / 2
            if stop - start > 0.02 and not any(a < middle < b for a, b in allowed):
                self.wrong("in quiet hours", None, output,
                           f"{begin:.3f} to {end:.3f}: sound from {start:.3f} to {stop:.3f}", start)

    def _check_muted(self, output, begin, end):
        for start, stop in self.facts.sound.get(output, []):
            start, stop = max(start, begin + COMMAND_SECONDS), min(stop, end)
            if stop - start > 0.02:
                self.wrong("unwanted", None, output,
                           f"muted since {begin:.3f}, sound from {start:.3f} to {stop:.3f}", start)

    def run(self):
        for said in self.facts.said:
            self._check_said(said)
        self._check_addressed()
        if self.facts.history is not None:
            self._check_history()
        for output, spans in self.facts.quiet.items():
            for begin, end in spans:
                self._check_quiet(output, begin, end)
        for output, spans in self.facts.muted.items():
            for begin, end in spans:
                self._check_muted(output, begin, end)
        return self.wrongs


def judge(facts):
    return Judge(facts).run()
