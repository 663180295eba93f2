"""Walks through a call as the provider would: rings, asks us what to do next, and does it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from defusedxml import ElementTree

from callcentre.standin.world import STEP, Post, World

STEPS = 40
"""More requests than any sane conversation makes: an endless loop of ours shows as an error."""
RINGS = {"answered": True, "machine": True, "busy": False, "no-answer": False, "failed": False}


@dataclass(frozen=True)
class Script:
    """How a call goes. `officer` and `person`: answered, busy, no-answer, failed; `person` also machine.

    `keys`: what whoever began the call presses, one after another; `officer_keys`: what an officer presses who is
    offered a call that comes in, "" being their voicemail; `seconds`: how long an answered call lasts.
    """

    officer: str = "answered"
    person: str = "answered"
    keys: str = "1"
    officer_keys: str = "1"
    seconds: int = 42


class Walk:
    """One call on its way; what it posts is answered at once, status callbacks are planned."""

    def __init__(self, world: World, post: Post, call: dict[str, Any], script: Script, now: datetime) -> None:
        self.world, self.post, self.call, self.script, self.now = world, post, call, script, now
        self.keys = list(script.keys)
        self.step = 0
        self.over = False
        self.sequence: dict[str, int] = {}

    def outbound(self, url: str, status_url: str) -> None:
        """Ring the officer and go on with what we answer."""
        self.tell(self.call, status_url, "initiated")
        self.tell(self.call, status_url, "ringing")
        if self.script.officer != "answered":
            self.tell(self.call, status_url, self.script.officer)
            return
        self.tell(self.call, status_url, "in-progress")
        self.run(url, {})
        self.tell(self.call, status_url, "completed", CallDuration=str(self.script.seconds))

    def inbound(self, url: str, status_url: str = "") -> None:
        """Let somebody call us."""
        self.call["status"] = "in-progress"
        self.run(url, {"CallStatus": "ringing", "Direction": "inbound"})
        self.tell(self.call, status_url, "completed", CallDuration=str(self.script.seconds))

    def run(self, url: str, extra: dict[str, str]) -> None:
        """Ask an address what to do and do it, verb after verb."""
        self.step += 1
        if self.step > STEPS:
            raise RecursionError("the answers go round in a circle")
        text = self.post(url, self.form() | extra)
        if not text.strip():
            return
        for verb in ElementTree.fromstring(text):
            if self.over or self._does(verb, url):
                return

    def form(self) -> dict[str, str]:
        """The fields that every request of a call carries."""
        return {
            "CallSid": self.call["sid"],
            "AccountSid": self.world.account,
            "From": self.call["from"],
            "To": self.call["to"],
            "CallStatus": self.call["status"],
            "Direction": self.call["direction"],
            "ApiVersion": "2010-04-01",
        }

    def tell(self, call: dict[str, Any], url: str, status: str, **extra: str) -> None:
        """Change a call's state and plan the callback that tells of it."""
        call["status"] = status
        if "CallDuration" in extra:
            call["duration"] = extra["CallDuration"]
        number = self.sequence.get(call["sid"], -1) + 1
        self.sequence[call["sid"]] = number
        self.now += STEP
        form = {
            "CallSid": call["sid"],
            "AccountSid": self.world.account,
            "From": call["from"],
            "To": call["to"],
            "CallStatus": status,
            "Direction": call["direction"],
            "SequenceNumber": str(number),
            "CallbackSource": "call-progress-events",
            "ApiVersion": "2010-04-01",
        }
        if call["parent_call_sid"]:
            form["ParentCallSid"] = call["parent_call_sid"]
        self.world.plan(url, form | extra, self.now)

    def _does(self, verb: Any, here: str) -> bool:
        """Do one verb; True when what comes after it is not reached."""
        match verb.tag:
            case "Gather":
                return self._gather(verb, here)
            case "Dial":
                return self._dial(verb, here)
            case "Redirect":
                self.run(urljoin(here, verb.text or ""), {})
                return True
            case "Record":
                return self._record(verb, here)
            case "Enqueue":
                return self._enqueue(verb, here)
            case "Hangup" | "Reject":
                self.over = True
                return True
        return False

    def _gather(self, verb: Any, here: str) -> bool:
        if not self.keys:
            return False
        self.run(urljoin(here, verb.get("action", "")), {"Digits": self.keys.pop(0)})
        return True

    def _dial(self, verb: Any, here: str) -> bool:
        status, leg = self._legs(verb)
        action = verb.get("action")
        if action is None:
            return False
        answered = status in {"answered", "completed"}
        extra = {"DialCallStatus": status, "DialBridged": "true" if answered else "false"}
        if leg is not None:
            extra["DialCallSid"] = leg["sid"]
        if answered:
            extra["DialCallDuration"] = str(self.script.seconds)
        self.run(urljoin(here, action), extra)
        return True

    def _legs(self, verb: Any) -> tuple[str, dict[str, Any] | None]:
        """Ring every telephone of a `Dial`; say how it ended."""
        leg: dict[str, Any] | None = None
        for noun in verb:
            wanted = self.script.person if self.call["direction"] == "outbound-api" else self.script.officer
            leg = self.world.call({}, self.now, parent=self.call["sid"], to=(noun.text or "").strip())
            url = noun.get("statusCallback", "")
            self.tell(leg, url, "initiated")
            self.tell(leg, url, "ringing")
            if RINGS[wanted]:
                self.tell(leg, url, "in-progress")
                if not self._is_taken(leg, noun.get("url", "")):
                    self.tell(leg, url, "completed", CallDuration="8")
                    continue
                if wanted == "machine":
                    leg["answered_by"] = "machine_start"
                    amd = noun.get("amdStatusCallback", "")
                    self.world.plan(
                        amd, {**self.form(), "CallSid": leg["sid"], "AnsweredBy": "machine_start"}, self.now
                    )
                self.tell(leg, url, "completed", CallDuration=str(self.script.seconds), Duration="1")
                return "completed", leg
            self.tell(leg, url, wanted)
            return wanted, leg
        return "no-answer", leg

    def _is_taken(self, leg: dict[str, Any], url: str) -> bool:
        """Ask what to say to whoever picked up before they are connected; what they hear may let them go."""
        if not url:
            return True
        script = replace(self.script, keys=self.script.officer_keys)
        whisper = Walk(self.world, self.post, leg, script, self.now)
        whisper.run(url, {})
        return not whisper.over

    def _record(self, verb: Any, here: str) -> bool:
        sid = self.world.sid("RE")
        self.world.recordings.add(sid)
        extra = {
            "RecordingSid": sid,
            "RecordingUrl": f"/recordings/{sid}",
            "RecordingDuration": "12",
            "Digits": "hangup",
        }
        later = verb.get("recordingStatusCallback", "")
        if later:
            form = self.form() | {
                "RecordingSid": sid,
                "RecordingStatus": "completed",
                "RecordingDuration": "12",
            }
            self.world.plan(urljoin(here, later), form, self.now + STEP)
        action = verb.get("action")
        self.run(urljoin(here, action) if action else here, extra)
        return True

    def _enqueue(self, verb: Any, here: str) -> bool:
        wait = verb.get("waitUrl")
        if wait:
            self.run(urljoin(here, wait), {"QueuePosition": "1", "QueueTime": "0", "CurrentQueueSize": "1"})
        if self.over:
            return True
        action = verb.get("action")
        if action is None:
            return False
        self.run(urljoin(here, action), {"QueueResult": "leave" if wait else "hangup", "QueueTime": "10"})
        return True
