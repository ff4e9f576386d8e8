# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a plan: one node with three outputs on two cards, a broker, an observer, and all that
goes wrong. What happened is then in the receipts and in what the cards have heard."""

import datetime
import hashlib
import json
import os
import signal
import time

import plan
import signature
from rig import analysis
from rig.broker import PATIENT, Broker
from rig.mqtt import Client, MqttError
from rig.node import rfc3339
from rig.process import children

ZONE = datetime.timezone(datetime.timedelta(hours=7))
DAYS = 3 * 86400
SENDING_SECONDS = 20
STALLED_SECONDS = 45   # nothing ends any more: what is left will not
TEXT = "Một hai."


def evening_offset():
    """From now to the next time it is plan.BEGIN in Vietnam."""
    now = datetime.datetime.now(ZONE)
    hour, minute, second = map(int, plan.BEGIN.split(":"))
    begin = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    if begin < now:
        begin += datetime.timedelta(days=1)
    return (begin - now).total_seconds()


def step_instant(begin_real, seconds):
    """The real time of a step: seconds after 20:00:00 of the evening that began then."""
    begin = datetime.datetime.fromtimestamp(begin_real, ZONE)
    return begin.replace(hour=20, minute=0, second=0, microsecond=0).timestamp() + seconds


class Storm:
    def __init__(self, rig, events, rng):
        self.rig, self.events, self.rng = rig, events, rng
        self.items, self.withdrawn, self.done = [], {}, {}
        self.muting, self.muted, self.unmute_sent = {}, {}, {}
        self.crashes, self.published_at, self.workers_owed = [], {}, 0
        rig.broker = Broker(f"{rig.folder}/broker", options=PATIENT)
        rig.client = rig.another_client("observer")
        rig.client.subscribe(f"loalang/{rig.site}/node/#")
        self.receipts = Client(rig.port, "torture-receipts", clean=False)
        rig.clients.append(self.receipts)
        self.receipts.subscribe(f"loalang/{rig.site}/node/+/receipt")
        self.node = rig.node("ubnd", self._outputs(), start=False, clock=True, **self._changes())
        self.node.set_clock(evening_offset())
        self.begin_real = self.node.clock.now()
        self.highest = self.begin_real

    def _outputs(self):
        outputs = []
        for card, names in plan.CARDS.items():
            pcm = self.rig.alsa.loatest(card)
            outputs += [{"name": name, "device": pcm, "channels": [i], "zones": [name],
                         "quiet_hours": list(plan.QUIET[name])} for i, name in enumerate(names)]
        return outputs

    @staticmethod
    def _changes():
        return {"timezone": "Asia/Ho_Chi_Minh", "gap": "30ms", "log_level": "info"}

    # --- what is published ---------------------------------------------------------------------

    def _send(self, topic, payload, retain=True):
        """Until the broker has it: it may be away just now."""
        deadline = time.monotonic() + SENDING_SECONDS
        while True:
            try:
                return self.rig.client.publish(topic, payload, retain=retain)
            except (MqttError, OSError):
                if time.monotonic() > deadline:
                    raise

    @staticmethod
    def sound_of(item):
        return signature.wav(signature.make(item.number, item.frames,
                                            background=item.priority == "background"))

    def on_media(self, item):
        sound = self.sound_of(item)
        self._send(f"loalang/{self.rig.site}/media/{hashlib.sha256(sound).hexdigest()}", sound)

    def on_publish(self, item):
        now = self.node.clock.now()
        message = {"id": item.id, "revision": item.revision, "priority": item.priority,
                   "interrupted": item.policy, "repeat": {"times": 1},
                   "media": hashlib.sha256(self.sound_of(item)).hexdigest(),
                   "expires": rfc3339(now + (item.expires_in or DAYS))}
        if item.text:
            message["text"] = TEXT
        if item.start_in:
            message["start"] = rfc3339(now + item.start_in)
        self.published_at[item.number] = time.monotonic()
        self.items.append(item)
        for zone in item.zones:
            self._send(self.rig.zone(zone, f"announce/{item.id}"), message)

    def on_withdraw(self, item):
        self.withdrawn[item.id] = time.monotonic()
        for zone in item.zones:
            self._send(self.rig.zone(zone, f"announce/{item.id}"),
                       {"withdrawn": True, "revision": item.revision + 1})

    # --- what goes wrong -----------------------------------------------------------------------

    def _notice_crash(self):
        process = self.node.process
        if process and not process.running():
            self.crashes.append(f"the daemon ended by itself with {process.popen.returncode}")
            return True
        return False

    def on_kill(self, _):
        if self.node.process and not self._notice_crash():
            self.node.kill()
        self.node.process = None

    def on_start(self, _=None):
        if not self.node.process:
            self.node.start(wait=False)

    def on_broker(self, _):
        self.rig.broker.restart()

    def on_unplug(self, which):
        self.rig.alsa.control(self._card(which), absent=1)

    def on_plug(self, which):
        self.rig.alsa.control(self._card(which), absent=0)

    @staticmethod
    def _card(which):
        return tuple(plan.CARDS)[int(which * len(plan.CARDS))]

    def on_worker(self, _):
        """Whichever worker there is, as soon as there is one."""
        self.workers_owed += 1
        self._kill_worker()

    def _kill_worker(self):
        workers = children(self.node.pid) if self.workers_owed and self.node.process else []
        if not workers:
            return
        try:
            os.kill(self.rng.choice(workers), signal.SIGKILL)
            self.workers_owed -= 1
        except ProcessLookupError:
            pass  # it has just ended; another one will do

    def on_step(self, seconds):
        target = step_instant(self.begin_real, seconds)
        self.highest = max(self.highest, self.node.clock.now(), target)
        self.node.set_clock(target - time.time())

    # --- mute ----------------------------------------------------------------------------------

    def _states(self, output, since):
        return self.rig.client.select(self.node.topic(f"output/{output}/state"), since=since)

    def _control(self, zone, action):
        self._send(self.rig.zone(zone, "control"), {"action": action}, retain=False)

    def on_mute(self, which):
        output = plan.OUTPUTS[int(which * len(plan.OUTPUTS))]
        self.muting[output] = self.rig.client.mark()
        self._control(output, "mute")

    def on_unmute(self, which):
        """Muted it was since it said so (if it did: it may have been away when it was told to)."""
        output = plan.OUTPUTS[int(which * len(plan.OUTPUTS))]
        said = [m.mono for m in self._states(output, self.muting.pop(output))
                if m.json()["state"] == "muted"]
        if said:
            self.muted.setdefault(output, []).append((said[0], time.monotonic()))
        self._unmute(output)

    def _unmute(self, output):
        self.unmute_sent[output] = time.monotonic()
        self._control(output, "unmute")

    def _keep_unmuting(self):
        """Control is not kept by the broker: told again until it is heard."""
        for output, sent in self.unmute_sent.items():
            last = self.rig.client.last(self.node.topic(f"output/{output}/state"))
            if (output not in self.muting and last and last.payload
                    and last.json()["state"] == "muted" and time.monotonic() > sent + 1.0):
                self._unmute(output)

    # --- the run -------------------------------------------------------------------------------

    def run(self, progress=lambda text: None):
        self.node.start()
        began, told = time.monotonic(), 0.0
        for at, kind, argument in self.events:
            while (left := began + at - time.monotonic()) > 0:
                time.sleep(min(left, 0.1))  # the plan's instants
            getattr(self, f"on_{kind}")(argument)
            self.done[kind] = self.done.get(kind, 0) + 1
            self._kill_worker()
            self._keep_unmuting()
            if at > told + 15:
                told = at
                progress(f"{at:.0f} s: {len(self.items)} published, "
                         f"{len(self.told())} receipts")
        self.calm_down()

    def calm_down(self):
        """Nothing goes wrong any more, and no quiet hours: what is owed has its chance."""
        self.done["worker"] -= self.workers_owed
        for card in plan.CARDS:
            self.rig.alsa.control(card, absent=0)
        if self.node.process and self._notice_crash():
            self.node.process = None
        if not self.node.process:
            self.node.start()
        last = max(step_instant(self.begin_real, plan.LAST_STEP), self.highest + 60,
                   self.node.clock.now())
        self.node.set_clock(last - time.time())

    def told(self):
        """Receipts, each once, with the time of arrival."""
        seen, receipts = set(), []
        for message in self.receipts.select():
            if message.payload not in seen:
                seen.add(message.payload)
                receipts.append((message.mono, message.json()))
        return receipts

    def wait_until(self, complete):
        """Until `complete` says so, or nothing ends any more."""
        moved, count = time.monotonic(), 0
        while not complete():
            if self._notice_crash():
                self.node.process = None
                self.on_start()
            if len(self.receipts.messages) != count:
                moved, count = time.monotonic(), len(self.receipts.messages)
            if time.monotonic() > moved + STALLED_SECONDS:
                return False
            self._keep_unmuting()
            time.sleep(0.25)  # the pace of looking
        return True

    def history(self):
        """Every receipt that the node remembers, by the operator's command."""
        done = self.rig.loalang("history", "--json", "--since", rfc3339(self.begin_real - 3600),
                                "--until", rfc3339(self.node.clock.now() + 3600))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    # --- what was heard ------------------------------------------------------------------------

    def takes(self, card):
        """[(first frame, end frame, monotonic time of the first)] of a card's recording."""
        heard = len(self.rig.alsa.heard(card))
        starts = [(frame, mono) for mono, frame, event in self.rig.alsa.events(card)
                  if event == "start"]
        ends = [frame for frame, _ in starts[1:]] + [heard]
        return [(frame, end, mono) for (frame, mono), end in zip(starts, ends) if end > frame]

    def cut_instants(self, card):
        return [mono for mono, _, event in self.rig.alsa.events(card)
                if event in ("open", "gone", "xrun", "stop")]

    def heard(self):
        """{output: ([(mono, number, index, last)], [(mono, tones)] of frames that were cut off,
        [(from, to)] of any sound)}"""
        result = {}
        for card, outputs in plan.CARDS.items():
            takes = self.takes(card)
            for channel, output in enumerate(outputs):
                sound = self.rig.alsa.heard(card, channel)
                result[output] = self._heard_of(sound, takes)
        return result

    @staticmethod
    def _heard_of(sound, takes):
        def mono_of(frame):  # (found up to half a symbol early, perhaps in the take before)
            middle = frame + round(signature.SYMBOL_SECONDS * analysis.RATE / 2)
            begin, _, mono = [take for take in takes if take[0] <= middle][-1]
            return mono + (frame - begin) / analysis.RATE
        whole, begun = signature.read(sound)
        sounds = [(mono + start, mono + end) for begin, stop, mono in takes
                  for start, end in analysis.segments(sound[begin:stop], threshold_db=-60.0,
                                                      join=0.02)]
        return ([(mono_of(frame), *rest) for frame, *rest in whole],
                [(mono_of(frame), tones) for frame, tones in begun], sounds)
