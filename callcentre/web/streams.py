"""Live pages: one thread per process looks once a second while somebody watches, and every stream tells its page.

A stream sends the whole picture first, then the fragments that changed; its event ids are digests of what is
shown, the same in every process, so a page that comes back after a restart is sent nothing twice. A stream
holds no database connection, ends by itself after some minutes, when its session ends, and as soon as the
server stops.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Condition, Event, Lock, Thread
from typing import Any
from weakref import WeakSet

from flask import Response, current_app, request

from callcentre.accounts import queries as accounts
from callcentre.database import reading
from callcentre.runtime import Runtime
from callcentre.supervision.picture import Picture
from callcentre.supervision.snapshot import Observer
from callcentre.web import i18n, transaction
from callcentre.web.context import runtime
from callcentre.web.formats import in_zone
from callcentre.web.guards import allowed_roles, session_idle
from callcentre.web.security import SESSION_COOKIE

RETRY_MILLISECONDS = 1500
RETRY_AFTER_SECONDS = 15

Fragments = dict[str, str]
Render = Callable[[Picture, Picture | None], tuple[Fragments, str]]
"""Draws a picture in the current language: fragments by element id, and one sentence about what is new (or "")."""

log = logging.getLogger(__name__)
_making = Lock()
_stopping = Event()
_hubs: WeakSet[Hub] = WeakSet()


def stop_all() -> None:
    """End every stream of this process at once, and refuse new ones: the server was told to stop.

    Safe in a signal's handler: the thread that handles signals never works for a hub.
    """
    _stopping.set()
    for found in tuple(_hubs):
        found.wake()


def start_again() -> None:
    """Let streams run again, in a process that was told to stop and did not."""
    _stopping.clear()


@dataclass(frozen=True)
class Pace:
    """The times of a hub and its streams, in seconds."""

    look_every: float = 1.0
    """Between two pictures, while somebody watches."""
    beat_every: float = 15.0
    """Between two signs of life; also when a stream asks again whether its session lasts."""
    hour_every: float = 5.0
    """After which a page is told the hour of its data although nothing changed."""
    stream_lasts: float = 720.0
    """How long a stream lasts; the page then opens the next one, maybe with another process."""
    stale_after: float = 10.0
    """Without a new picture, since the database does not answer: streams end, so that pages say so."""
    streams_at_most: int = 24
    """Streams of a process: each holds one of its 32 threads, and pages need the others."""


@dataclass(frozen=True)
class Frame:
    """A picture, numbered within this process, as drawn in each language so far."""

    number: int
    picture: Picture
    previous: Picture | None
    taken: float
    drawn: dict[str, tuple[Fragments, str]] = field(default_factory=dict)


class Hub:
    """What the streams of a process share: the newest frame, and the thread that makes it."""

    def __init__(
        self,
        context: Callable[[], AbstractContextManager[Any]],
        runtime: Runtime,
        observer: Observer,
        render: Render,
        *,
        pace: Pace,
    ) -> None:
        self._context, self._runtime, self._observer, self._render = context, runtime, observer, render
        self.pace = pace
        self._changed = Condition()
        self._frame: Frame | None = None
        self._taken = 0
        self._checked = 0.0
        self._streams = 0
        self._thread: Thread | None = None
        _hubs.add(self)

    @property
    def streams(self) -> int:
        """Streams that are open now."""
        return self._streams

    def join(self) -> bool:
        """Count a new stream and make sure that somebody looks; False when there are too many."""
        with self._changed:
            if _stopping.is_set() or self._streams >= self.pace.streams_at_most:
                return False
            self._streams += 1
            if self._thread is None or not self._thread.is_alive():
                self._frame = None  # nobody has looked since: what it shows may be hours old
                self._thread = Thread(target=self._look, name="live pages", daemon=True)
                self._thread.start()
            return True

    def leave(self) -> None:
        """Count a stream that ended."""
        with self._changed:
            self._streams -= 1
            self._changed.notify_all()

    def wake(self) -> None:
        """Let everybody who waits look again whether to go on."""
        with self._changed:
            self._changed.notify_all()

    def current(self) -> Frame:
        """A frame made now: somebody who just changed something sees it on the next page."""
        return self._take()

    def wait(self, after: int, seconds: float) -> Frame | None:
        """The newest frame once it is newer than `after`, else None after some seconds or when looking fails."""
        with self._changed:
            self._changed.wait_for(
                lambda: _stopping.is_set() or (self._frame is not None and self._frame.number > after),
                seconds,
            )
            frame = self._frame
        return frame if frame is not None and frame.number > after else None

    def is_stale(self) -> bool:
        """Whether no picture could be taken for some time."""
        return time.monotonic() - self._checked > self.pace.stale_after

    def draw(self, frame: Frame, language: str) -> tuple[Fragments, str]:
        """A frame's fragments and sentence in a language, drawn once for all streams."""
        if language not in frame.drawn:
            with self._context(), i18n.speaking(language):
                frame.drawn[language] = self._render(frame.picture, frame.previous)
        return frame.drawn[language]

    def hour(self, frame: Frame) -> str:
        """When a frame's picture was taken, as pages show it: 14:32:05."""
        return f"{in_zone(frame.picture.taken_at, self._runtime.programme.zone):%H:%M:%S}"

    def _look(self) -> None:
        while True:
            try:
                self._take()
            except Exception:
                log.exception("the picture of now could not be taken")
            with self._changed:
                stop = self._changed.wait_for(
                    lambda: self._streams == 0 or _stopping.is_set(), self.pace.look_every
                )
                if stop:
                    self._thread = None
                    return

    def _take(self) -> Frame:
        with reading(self._runtime.sessions) as session:
            picture = self._observer.take(session, now=self._runtime.clock.now())
        with self._changed:
            old, self._taken = self._frame, self._taken + 1
            self._frame = Frame(
                number=self._taken,
                picture=picture,
                previous=None if old is None else old.picture,
                taken=time.monotonic(),
                drawn=old.drawn if old is not None and _same(old.picture, picture) else {},
            )
            self._checked = self._frame.taken
            self._changed.notify_all()
            return self._frame


def _same(one: Picture, other: Picture) -> bool:
    return one.digest == other.digest and one.slow.counted_at == other.slow.counted_at


def hub(programme_id: int, render: Render) -> Hub:
    """The hub of this application, made when first asked for."""
    with _making:
        hubs: dict[str, Hub] = current_app.extensions.setdefault("live", {})
        if "hub" not in hubs:
            found = runtime()
            observer = Observer(
                found.programme, programme_id, settle_after=timedelta(minutes=found.settings.settle_minutes)
            )
            pace = current_app.config.get("LIVE_PACE", Pace())
            hubs["hub"] = Hub(current_app.app_context, found, observer, render, pace=pace)
        return hubs["hub"]


def device_check() -> Callable[[], bool]:
    """A way to ask later, outside this request, whether its device may still see what it asked for."""
    context, clock, idle = current_app.app_context, runtime().clock, session_idle()
    cookie = request.cookies.get(SESSION_COOKIE, "")
    roles = allowed_roles(current_app, request.endpoint or "") or frozenset()

    def ask() -> bool:
        with context(), transaction.reading() as session:
            found = accounts.visitor_of_session(session, cookie, idle=idle, now=clock.now())
        return found is not None and found.user.role in roles

    return ask


def answer(
    found: Hub,
    *,
    language: str,
    last_event_id: str,
    still_allowed: Callable[[], bool],
    as_json: bool = False,
) -> Response:
    """An event stream of the hub, or 503 when there are too many; the caller has ended its transaction.

    `as_json` sends pictures as data instead of fragments.
    """
    if not found.join():
        return Response("", 503, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    stream = _Stream(found, language, last_event_id, still_allowed, as_json)
    response = Response(stream.events(), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(stream.close)
    return response


class _Stream:
    """One page's stream: what it was sent, and what it is sent next."""

    def __init__(
        self, found: Hub, language: str, last_id: str, still_allowed: Callable[[], bool], as_json: bool
    ) -> None:
        self._hub, self._language, self._as_json = found, language, as_json
        self._still_allowed = still_allowed
        self._last_id = last_id
        self._sent: Fragments | None = None
        self._number = 0
        self._is_open = True

    def close(self) -> None:
        """Give the place back; a second time does nothing."""
        if self._is_open:
            self._is_open = False
            self._hub.leave()

    def events(self) -> Iterator[str]:
        """The events, until the stream's time is over, its session ends or the server stops."""
        pace = self._hub.pace
        started = beaten = told = time.monotonic()
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        try:
            while not _stopping.is_set() and time.monotonic() - started < pace.stream_lasts:
                frame = self._hub.wait(self._number, pace.look_every / 2)
                if _stopping.is_set():
                    return
                clock = time.monotonic()
                if frame is not None:
                    self._number = frame.number
                    event = self._state(frame, tell_hour=clock - told >= pace.hour_every)
                    if event:
                        told = clock
                        yield event
                elif self._hub.is_stale() and clock - started > pace.stale_after:
                    return
                if clock - beaten >= pace.beat_every:
                    beaten = clock
                    if not self._still_allowed():
                        yield _event("bye", {})
                        return
                    yield _event("beat", {})
        finally:
            self.close()

    def _state(self, frame: Frame, *, tell_hour: bool) -> str:
        """What changed since the last event; a page that comes back knows already what its last id showed."""
        digest = frame.picture.digest
        is_new = digest != self._last_id
        if self._as_json:
            self._last_id = digest
            return _event("state", frame.picture.as_json(), digest) if is_new else ""
        fragments, sentence = self._hub.draw(frame, self._language)
        is_first = self._sent is None
        before = self._sent if self._sent is not None else {} if is_new else fragments
        changed = {name: html for name, html in fragments.items() if before.get(name) != html}
        self._sent, self._last_id = fragments, digest
        if not (changed or is_new or is_first or tell_hour):
            return ""
        data: dict[str, Any] = {"fragments": changed, "at": self._hub.hour(frame)}
        if sentence and is_new and not is_first:
            data["say"] = sentence
        return _event("state", data, digest)


def _event(name: str, data: dict[str, Any], number: str = "") -> str:
    identifier = f"id: {number}\n" if number else ""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{identifier}event: {name}\ndata: {text}\n\n"
