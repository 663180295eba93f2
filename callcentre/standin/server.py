"""The stand-in's own pages: the part of the provider's API that we use, and a page with everybody's telephone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import requests
from flask import Flask, Response, abort, jsonify, redirect, render_template, request
from twilio.request_validator import RequestValidator
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response as BaseResponse

from callcentre.clock import Clock
from callcentre.standin.phone_calls import Script, Walk
from callcentre.standin.sounds import hum
from callcentre.standin.world import Faults, World

POST_SECONDS = 15
IDLE_SECONDS = 0.05
TOO_MANY = 429


class Courier:
    """Posts the stand-in's requests, signed as the provider signs them."""

    def __init__(self, world: World, token: str, clock: Clock) -> None:
        self.world, self.clock = world, clock
        self.validator = RequestValidator(token)
        self.session = requests.Session()
        self.session.trust_env = False
        self._stopped = threading.Event()

    def post(self, url: str, form: dict[str, str]) -> str:
        """Post a form and return the answer's text, empty when there was none."""
        signature = self.validator.compute_signature(url, form)
        headers = {"X-Twilio-Signature": signature}
        try:
            return self.session.post(url, data=form, headers=headers, timeout=POST_SECONDS).text
        except requests.RequestException:
            return ""

    def pump(self) -> int:
        """Make the requests that are due; return how many."""
        done = 0
        for callback in self.world.due(self.clock.now()):
            self.post(callback.url, callback.form)
            done += 1
        return done

    def run(self) -> None:
        """Go on making them until stopped."""
        while not self._stopped.is_set():
            if not self.pump():
                self._stopped.wait(IDLE_SECONDS)

    def stop(self) -> None:
        """Make no more."""
        self._stopped.set()


class _Quiet(WSGIRequestHandler):
    """Addresses of requests carry numbers: nothing is written down."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Write nothing."""


def serve(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """Return a server that is ready to `serve_forever`; port 0 takes a free one."""
    return make_server(host, port, app, threaded=True, request_handler=_Quiet)


def _at_once(walk: Callable[[], None]) -> None:
    threading.Thread(target=walk, daemon=True).start()


@dataclass
class Exchange:
    """How calls go: by the telephone called, "" for any other; `begin`: what lets a call take its course."""

    scripts: dict[str, Script] = field(default_factory=lambda: {"": Script()})
    begin: Callable[[Callable[[], None]], None] = _at_once


def create_app(
    world: World, courier: Courier, *, token: str, clock: Clock, exchange: Exchange | None = None
) -> Flask:
    """Return the stand-in's application."""
    app = Flask(__name__)
    exchange = exchange or Exchange()
    base = f"/2010-04-01/Accounts/{world.account}"

    @app.before_request
    def credentials() -> None:
        if request.path.startswith("/2010-04-01"):
            given = request.authorization
            if given is None or given.password != token:
                abort(_error(20003, 401))

    @app.get(f"{base}.json")
    def account() -> Response:
        return jsonify(sid=world.account, friendly_name="Demonstration", status="active", type="Full")

    _messages(app, world, clock, base)
    _calls(app, world, courier, clock, base, exchange)
    _telephones(app, world, courier, clock, exchange.scripts)
    return app


def _messages(app: Flask, world: World, clock: Clock, base: str) -> None:
    @app.post(f"{base}/Messages.json")
    def create_message() -> Response:
        return _with_faults(world, lambda form: world.message(form, clock.now()))

    @app.get(f"{base}/Messages.json")
    def list_messages() -> Response:
        to = request.args.get("To")
        found = [m for m in reversed(list(world.messages.values())) if to in (None, m["to"])]
        return jsonify(messages=found[:50], next_page_uri=None, page=0, page_size=50, uri=request.path)

    @app.get(f"{base}/Messages/<sid>.json")
    def one_message(sid: str) -> Response:
        return jsonify(world.messages[sid]) if sid in world.messages else _error(20404, 404)


def _calls(app: Flask, world: World, courier: Courier, clock: Clock, base: str, exchange: Exchange) -> None:
    scripts = exchange.scripts

    @app.post(f"{base}/Calls.json")
    def create_call() -> Response:
        def ring(form: dict[str, str]) -> dict[str, Any]:
            call = world.call(form, clock.now())
            walk = Walk(world, courier.post, call, scripts.get(form["To"], scripts[""]), clock.now())
            exchange.begin(lambda: walk.outbound(form["Url"], form.get("StatusCallback", "")))
            return call

        return _with_faults(world, ring)

    @app.get(f"{base}/Calls.json")
    def list_calls() -> Response:
        to, parent = request.args.get("To"), request.args.get("ParentCallSid")
        found = [
            c
            for c in reversed(list(world.calls.values()))
            if to in (None, c["to"]) and parent in (None, c["parent_call_sid"])
        ]
        return jsonify(calls=found[:50], next_page_uri=None, page=0, page_size=50, uri=request.path)

    @app.get(f"{base}/Calls/<sid>.json")
    def one_call(sid: str) -> Response:
        return jsonify(world.calls[sid]) if sid in world.calls else _error(20404, 404)

    @app.post(f"{base}/Calls/<sid>.json")
    def change_call(sid: str) -> Response:
        call = world.calls.get(sid)
        if call is None:
            return _error(20404, 404)
        if call["status"] in {"completed", "busy", "failed", "no-answer", "canceled"}:
            return _error(21220, 400)
        call["status"] = request.form.get("Status", call["status"])
        return jsonify(call)

    @app.get(f"{base}/Recordings/<sid>.wav")
    def recording(sid: str) -> Response:
        return Response(hum(), mimetype="audio/x-wav") if sid in world.recordings else _error(20404, 404)


def _telephones(app: Flask, world: World, courier: Courier, clock: Clock, scripts: dict[str, Script]) -> None:
    @app.get("/")
    def telephones() -> str:
        return render_template("telephones.html", conversations=world.conversations())

    @app.post("/standin/inbound")
    def inbound() -> BaseResponse:
        sid = world.inbound(
            request.form["from"], request.form["body"], clock.now(), sid=request.form.get("sid")
        )
        return redirect("/") if request.form.get("page") else jsonify(sid=sid)

    @app.post("/standin/call")
    def call_us() -> Response:
        call = world.call(
            {"From": request.form.get("from", ""), "To": request.form.get("to", "")}, clock.now()
        )
        call["direction"] = "inbound"
        script = Script(officer=request.form.get("officer", "no-answer"), keys=request.form.get("keys", ""))
        url = world.inbound_url.rsplit("/", 1)[0] + "/voice"
        Walk(world, courier.post, call, script, clock.now()).inbound(url)
        return jsonify(sid=call["sid"], status=call["status"])

    @app.post("/standin/faults")
    def faults() -> Response:
        world.obey(Faults(**request.get_json()))
        return jsonify(asdict(world.faults))

    @app.post("/standin/script")
    def script() -> Response:
        made = request.get_json()
        scripts[made.pop("to", "")] = Script(**made)
        return jsonify(number=len(scripts))


def _with_faults(world: World, act: Callable[[dict[str, str]], dict[str, Any]]) -> Response:
    """Take a request as the provider does on one of its bad days."""
    form = request.form.to_dict()
    faults, chance = world.faults, world.chance
    if chance.random() < faults.too_many:
        answer = _error(20429, TOO_MANY)
        answer.headers["Retry-After"] = "0"
        return answer
    if chance.random() < faults.fault:
        return _error(20500, 500)
    refused = world.refusal(form.get("To", ""))
    if refused is not None:
        return _error(refused, 400)
    made = act(form)
    if chance.random() < faults.silent:
        return Response(response="{", status=502)
    answer = jsonify(made)
    answer.status_code = 201
    return answer


def _error(code: int, status: int) -> Response:
    answer = jsonify(
        code=code, message="refused", more_info=f"https://www.twilio.com/docs/errors/{code}", status=status
    )
    answer.status_code = status
    return answer
