# SPDX-License-Identifier: GPL-3.0-or-later
"""A real loalangd in the foreground, with a folder, a configuration and an environment of its own."""

import datetime
import json
import os
import re
import signal
import time

from .process import Process, ProcessError, children

FINAL = ("finished", "cancelled", "expired", "failed", "superseded")
SANITIZER_REPORT = re.compile(r"(ERROR|WARNING): (Address|Leak|Thread|UndefinedBehavior)Sanitizer"
                              r"|runtime error: ")


def quoted(text):
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def libconfig(value, top=False):
    """A Python value as libconfig: dict → group, list → list, tuple → array."""
    if isinstance(value, dict):
        body = " ".join(f"{key} = {libconfig(item)};" for key, item in value.items())
        return body.replace("; ", ";\n") + "\n" if top else "{ " + body + " }"
    if isinstance(value, list):
        return "( " + ", ".join(map(libconfig, value)) + " )"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(libconfig, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else repr(value)


def array(value):
    """A list of plain values is an array to libconfig; one of groups stays a list."""
    plain = isinstance(value, list) and not any(isinstance(item, dict) for item in value)
    return tuple(value) if plain else value


NO_CHIMES = {"open": "none", "close": "none", "bed": "none"}


def configuration(site, name, state_dir, port, outputs, **changes):
    """Quiet defaults for tests: no chimes, no preroll, short gaps; `changes` replace top-level keys."""
    config = {
        "site": site, "node": name, "state_dir": state_dir,
        "mqtt": {"host": "127.0.0.1", "port": port},
        "outputs": [{"preroll": "0ms", **{k: array(v) for k, v in output.items()}}
                    for output in outputs],
        "chimes": {p: NO_CHIMES for p in ("background", "normal", "priority", "emergency")},
        "sync_lead": "0ms", "gap": "100ms", "log_level": "debug",
    }
    config.update(changes)
    return {key: value for key, value in config.items() if value is not None}


def instant(text):
    """RFC 3339 → seconds of the real clock."""
    return datetime.datetime.fromisoformat(text).timestamp()


def rfc3339(seconds):
    zone = datetime.timezone(datetime.timedelta(hours=7))
    return datetime.datetime.fromtimestamp(seconds, zone).isoformat(timespec="milliseconds")


def mono_of(text):
    """RFC 3339 → this machine's monotonic clock."""
    return instant(text) - time.time() + time.monotonic()


class Node:
    def __init__(self, rig, name, outputs, port=None, environment=None, clock=None, wrapper=(),
                 **changes):
        """`clock`: a rig.clock.Clock, when its clock is to be set; `wrapper`: a command that ends
        in exec of the command behind it."""
        self.rig, self.name, self.outputs, self.clock = rig, name, outputs, clock
        self.wrapper = list(wrapper)
        self.folder = f"{rig.folder}/{name}"
        os.makedirs(f"{self.folder}/state", exist_ok=True)
        self.config_path = f"{self.folder}/loalang.conf"
        self.environment = {**rig.environment(), **(clock.environment() if clock else {}),
                            **(environment or {})}
        self.configure(port, **changes)
        self.process, self.expect_report = None, False

    def configure(self, port=None, **changes):
        config = configuration(self.rig.site, self.name, f"{self.folder}/state",
                               port or self.rig.port, self.outputs, **changes)
        with open(self.config_path, "w") as file:
            file.write(libconfig(config, top=True))

    # --- life ----------------------------------------------------------------------------------

    def start(self, wait=True):
        mark = self.rig.client.mark() if self.rig.client else 0
        self.process = Process("loalangd", [*self.wrapper, f"{self.rig.build}/bin/loalangd",
                                            "--config", self.config_path],
                               f"{self.folder}/loalangd.log", env=self.environment)
        if wait:
            self.wait_online(mark)
        return self

    def wait_online(self, since=0, timeout=15):
        """Until its status says that it works, and every output's state is known."""
        def here():
            if not self.process.running():
                raise ProcessError(f"loalangd ended with {self.process.popen.returncode}")
            status = self.rig.client.select(self.topic("status"), since=since)
            states = {m.topic for m in self.rig.client.select(self.topic("output/+/state"),
                                                              since=since)}
            return (status and status[-1].json()["state"] in ("online", "degraded")
                    and len(states) >= len(self.outputs))
        self.rig.client.wait_until(here, f"{self.name} to be online", timeout * self.rig.scale)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        if not os.path.exists(f"{self.folder}/loalangd.log"):
            return ""
        with open(f"{self.folder}/loalangd.log", "rb") as log:
            return log.read().decode("utf-8", "replace")

    def workers(self):
        return children(self.pid)

    def stop(self):
        """SIGTERM: must end with 0 within 2 s, whatever it is doing, and leave no worker."""
        workers, began = self.workers(), time.monotonic()
        self.process.signal(signal.SIGTERM)
        status = self.process.wait(10 * self.rig.scale)
        took = time.monotonic() - began
        assert status == 0, f"{self.name} ended with {status}"
        assert took < 2.0 * self.rig.scale, f"{self.name} took {took:.2f} s to stop"
        for worker in workers:
            self.rig.wait_gone(worker)
        return took

    def kill(self):
        self.process.kill()

    def set_clock(self, offset_seconds):
        """Sets its clock (node(clock=True)), so far ahead of the machine's. Returns when."""
        self.clock.set(offset_seconds)
        return self.clock.steps[-1][0]

    def restart(self):
        self.stop()
        return self.start()

    def sanitizer_report(self):
        return SANITIZER_REPORT.search(self.log())

    # --- what it says --------------------------------------------------------------------------

    def topic(self, rest):
        return f"loalang/{self.rig.site}/node/{self.name}/{rest}"

    def receipts(self, id=None, event=None, output=None, since=0):
        return [m.json() for m in self._receipts(id, event, output, since)]

    def _receipts(self, id=None, event=None, output=None, since=0):
        """QoS 1 may bring the same receipt twice (it was sent, the node was stopped before it
        learnt that the broker has it): once is meant."""
        seen, found = set(), []
        earlier = len(self.rig.client.select(self.topic("receipt"))) - len(
            self.rig.client.select(self.topic("receipt"), since=since)) if since else 0
        for i, message in enumerate(self.rig.client.select(self.topic("receipt"))):
            if message.payload in seen:
                continue
            seen.add(message.payload)
            receipt = message.json()
            if (i >= earlier and (id is None or receipt["id"] == id)
                    and (event is None or receipt["event"] == event)
                    and (output is None or receipt["output"] == output)):
                found.append(message)
        return found

    def wait_receipt(self, id, event, output=None, timeout=20, since=0):
        """The receipt of that event. Another final event in its place is an error at once."""
        def here():
            assert self.process.running(), f"loalangd ended with {self.process.popen.returncode}"
            found = self.receipts(id, event, output, since)
            if not found and event in FINAL:
                wrong = [r for r in self.receipts(id, None, output, since)
                         if output and r["event"] in FINAL and r["event"] != "superseded"]
                assert not wrong, f"expected {event}, got {json.dumps(wrong, ensure_ascii=False)}"
            return found
        self.rig.client.wait_until(here, f"receipt {event} of {id} on {output or self.name}",
                                   timeout * self.rig.scale)
        return here()[0]

    def wait_finished(self, id, outputs=None, timeout=20):
        return [self.wait_receipt(id, "finished", output, timeout)
                for output in outputs or [o["name"] for o in self.outputs]]

    def events(self, id, output=None):
        """The names of the events of that id, in order; those of the node as a whole included."""
        return [r["event"] for r in self.receipts(id)
                if r["output"] is None or output is None or r["output"] == output]

    def wait_state(self, output, condition, timeout=15):
        """The newest state of the output, once it fulfils the condition (or has that name)."""
        if isinstance(condition, str):
            name, condition = condition, lambda state: state["state"] == name
        topic, found = self.topic(f"output/{output}/state"), []

        def here():
            last = self.rig.client.last(topic)
            found[:] = [last.json()] if last and last.payload else []
            return found and condition(found[0])
        self.rig.client.wait_until(here, f"a state of {output}", timeout * self.rig.scale)
        return found[0]

    def wait_queue(self, output, condition, timeout=15):
        topic, found = self.topic(f"output/{output}/queue"), []

        def here():
            last = self.rig.client.last(topic)
            found[:] = [last.json()] if last and last.payload else []
            return found and condition(found[0])
        self.rig.client.wait_until(here, f"a queue of {output}", timeout * self.rig.scale)
        return found[0]

    def wait_status(self, condition, timeout=15):
        found = []

        def here():
            last = self.rig.client.last(self.topic("status"))
            found[:] = [last.json()] if last else []
            return found and condition(found[0])
        self.rig.client.wait_until(here, f"a status of {self.name}", timeout * self.rig.scale)
        return found[0]
