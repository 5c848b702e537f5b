"""Messages through Apprise: what was not taken is said without its URL, and where the extra is not there it says what brings it."""

from __future__ import annotations

import importlib.util
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.messages.adapter import LONGEST, NOT_INSTALLED, AppriseMessages, Tone
from engine.secrets import Secret

URL = Secret("json://user:hunter2-of-messages@127.0.0.1:9/")


class StandIn:
    """Apprise as far as it is used here; `known` URLs and `takes` are what it answers."""

    def __init__(
        self, *, known: bool = True, takes: bool | None = True, says: str = "", breaks: bool = False,
        hangs: threading.Event | None = None,
    ) -> None:  # fmt: skip
        self.known, self.takes, self.says, self.breaks, self.hangs = known, takes, says, breaks, hangs
        self.sent: list[dict[str, str]] = []
        self.asset: dict[str, object] = {}

    def made(self, asset: dict[str, object]) -> StandIn:
        self.asset = asset
        return self

    def add(self, url: str) -> bool:
        return self.known and url.startswith("json://")

    def notify(self, **told: str) -> bool | None:
        self.sent.append(told)
        if self.hangs is not None:
            self.hangs.wait(20)
        if self.breaks:
            raise ValueError("of hunter2-of-messages")
        if self.says:
            logging.getLogger("apprise").warning(self.says)
        return self.takes


def through(stand_in: StandIn, limit_s: float = 20.0) -> AppriseMessages:
    return AppriseMessages(lambda: SimpleNamespace(Apprise=stand_in.made, AppriseAsset=lambda **given: given), limit_s)


def not_there() -> Any:
    raise ImportError("no apprise")


def test_what_was_taken_says_nothing() -> None:
    service = StandIn()
    assert through(service).send(URL, "FAIL: a house", "one\ntwo", Tone.BAD) == ""
    assert service.sent == [{"title": "FAIL: a house", "body": "one\ntwo", "notify_type": "failure"}]


@pytest.mark.parametrize(
    ("service", "says"),
    [
        (StandIn(known=False), "its URL is none that apprise knows"),
        (StandIn(takes=False), "it was not taken, and apprise does not"), (StandIn(takes=None), "it was not taken"),
        (StandIn(takes=False, says="Failed to send: error=500."), "error=500."),
        (StandIn(breaks=True), "apprise broke off with ValueError"),
    ],
)  # fmt: skip
def test_what_was_not_taken_is_told(service: StandIn, says: str, caplog: pytest.LogCaptureFixture) -> None:
    problem = through(service).send(URL, "t", "b", Tone.GOOD)
    assert says in problem and "hunter2" not in problem
    assert caplog.records == [], "what apprise logs goes nowhere else"


@pytest.mark.parametrize(
    ("url", "says", "told"),
    [
        ("json://bob:hunter2-of-all@192.0.2.7/", "bob and hunter2-of-all were refused", "bob and ••• were refused"),
        ("json://tok%2Den-1234/room", "token tok-en-1234 is none", "token ••• is none"),
        ("json://x/AbCdEfGh12?key=s3cr3t-key", "AbCdEfGh12 has no s3cr3t-key.", "••• has no •••."),
    ],
)
def test_what_it_says_of_a_part_of_the_url_is_masked(url: str, says: str, told: str) -> None:
    """The register knows the URL whole; a service's library tells the token alone."""
    assert through(StandIn(takes=False, says=says)).send(Secret(url), "t", "b", Tone.GOOD) == f"it was not taken: {told}"


def test_a_service_that_never_answers_is_given_up_and_keeps_no_process() -> None:
    freed = threading.Event()
    hanging = StandIn(hangs=freed)
    assert through(hanging, 0.05).send(URL, "t", "b", Tone.BAD) == "it was not taken: no answer in 0 s"
    assert hanging.asset == {"async_mode": False, "service_timeout": 0}, "no thread of Apprise's, which would keep the process"
    (sending,) = [thread for thread in threading.enumerate() if thread.name == "message"]
    assert sending.daemon
    freed.set()
    sending.join(20)


def test_an_apprise_that_knows_none_of_what_it_is_told_is_no_service_that_is_silent() -> None:
    other = AppriseMessages(lambda: SimpleNamespace(Apprise=StandIn().made, AppriseAsset=object))
    assert other.send(URL, "t", "b", Tone.BAD) == "it was not taken: apprise broke off with TypeError"


def test_without_the_extra_it_names_what_brings_it() -> None:
    assert AppriseMessages(not_there).send(URL, "t", "b", Tone.GOOD) == NOT_INSTALLED
    assert AppriseMessages(not_there).problem() == NOT_INSTALLED


def test_a_long_body_is_cut_where_services_would_refuse_it() -> None:
    service = StandIn()
    through(service).send(URL, "t", "x" * 9000, Tone.MIXED)
    assert len(service.sent[0]["body"]) == LONGEST and service.sent[0]["body"].endswith("…")


@pytest.fixture
def listener() -> Iterator[tuple[int, list[dict[str, str]]]]:
    """A service of json:// on this machine, and what it is told."""
    heard: list[dict[str, str]] = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, heard
    server.shutdown()
    server.server_close()


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # which it brings along for Python 3.11
@pytest.mark.skipif(importlib.util.find_spec("apprise") is None, reason="the extra is not installed")
def test_the_real_one_delivers(listener: tuple[int, list[dict[str, str]]]) -> None:
    port, heard = listener
    assert AppriseMessages().send(Secret(f"json://127.0.0.1:{port}/"), "FAIL: a house", "one", Tone.BAD) == ""
    assert [(one["title"], one["message"], one["type"]) for one in heard] == [("FAIL: a house", "one", "failure")]
    refused = AppriseMessages().send(URL, "t", "b", Tone.GOOD)
    assert refused and "hunter2" not in refused
    assert AppriseMessages().send(Secret("nonsense://x"), "t", "b", Tone.GOOD) == "its URL is none that apprise knows"
