# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that are only what they say, for a command that asks them."""

import json
import subprocess

from .asker import Asker


class Village:
    """Nodes that are only what they say: for answers that a real node seldom gives."""

    def __init__(self, rig, *nodes):
        if not rig.broker:
            rig.start_broker()
        self.rig, self.link = rig, Asker(rig, "village")
        self.link.subscribe(f"loalang/{rig.site}/node/+/request/+")
        for node in nodes:
            rig.client.publish(f"loalang/{rig.site}/node/{node}/status", {
                "node": node, "state": "online", "outputs": [
                    {"name": "bac", "zones": ["bac", "xa"]}, {"name": "nam", "zones": ["nam"]}],
                "faults": []}, retain=True)

    def start(self, *arguments):
        self.command = subprocess.Popen(
            self.rig.loalang_argv(*arguments), env=self.rig.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def question(self):
        """(the node that is asked, the question, the message)"""
        message = self.link.next()
        return message.topic.split("/")[3], json.loads(message.payload), message

    def end(self):
        self.stdout, self.stderr = self.command.communicate(timeout=40 * self.rig.scale)
        return self.command.returncode

    @staticmethod
    def receipt(node, second, event="finished", output="bac", **more):
        return {"id": "tin", "revision": 1, "node": node, "output": output, "event": event,
                "at": f"2026-11-21T05:30:{second:02}+07:00", "seconds_asked": 2.0,
                "seconds_played": 2.0, "reason": None, "schedule": None, "spoken_sha256": None,
                "detail": None, **more}
