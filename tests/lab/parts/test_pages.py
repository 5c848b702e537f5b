"""The kept connection to a program of the lab: what it saves, and that nothing is asked twice over it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.parts.pages import KeptConnection, PageGone
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import LabCA


@dataclass
class Program:
    """One that can end and be started again at its port. `answers` is what it does with a request."""

    authority: LabCA
    answers: Callable[[Request], Reply] = lambda asked: Reply(body=asked.body)
    port: int = 0
    threads: set[int] = field(default_factory=set)
    heard: list[str] = field(default_factory=list)
    server: HttpsServer | None = None

    def start(self) -> None:
        context = self.authority.server("program", "127.0.0.1").context()
        self.server = HttpsServer("127.0.0.1", self.port, context, self._answer).start()
        self.port = self.server.port

    def end(self) -> None:
        if self.server is not None:
            self.server.close()

    @property
    def connections(self) -> int:
        """On how many it was asked: each has a thread of its own."""
        return len(self.threads)

    def _answer(self, asked: Request) -> Reply:
        self.threads.add(threading.get_native_id())
        self.heard.append(asked.target)
        return self.answers(asked)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(LabCA(tmp_path))
    made.start()
    yield made
    made.end()


@pytest.fixture
def door(program: Program) -> Iterator[KeptConnection]:
    with ExitStack() as after:
        made = KeptConnection("127.0.0.1", program.port, lambda: ssl.create_default_context(cafile=program.authority.ca_file))
        after.callback(made.close)
        yield made


def test_one_connection_serves_until_it_is_closed(program: Program, door: KeptConnection) -> None:
    assert [door.post("/said", f'"{n}"').text for n in range(3)] == ['"0"', '"1"', '"2"']
    assert program.connections == 1
    door.close()
    assert door.post("/said", "{}").text == "{}"
    assert program.connections == 2


def test_a_program_that_was_started_again_is_asked_once_over_a_new_connection(program: Program, door: KeptConnection) -> None:
    door.post("/before", "{}")
    program.end()
    with pytest.raises(PageGone, match="/meanwhile"):
        door.post("/meanwhile", "{}")
    program.start()
    assert door.post("/after", "{}").status == 200
    assert program.heard == ["/before", "/after"]


def test_what_was_asked_and_not_answered_is_not_asked_again(program: Program, door: KeptConnection) -> None:
    door.post("/before", "{}")
    program.answers = lambda asked: Reply(drop=True)
    with pytest.raises(PageGone, match="/lost"):
        door.post("/lost", "{}")
    assert program.heard == ["/before", "/lost"]
    program.answers = lambda asked: Reply(503, "Busy", close=True)
    assert [door.post("/closed", "{}").status for _ in range(2)] == [503, 503]


def test_one_that_knows_no_authority_any_more_gets_nothing(program: Program) -> None:
    def gone() -> ssl.SSLContext:
        raise FileNotFoundError("ca.crt")

    with pytest.raises(PageGone, match=r"ca\.crt"):
        KeptConnection("127.0.0.1", program.port, gone).post("/x", "{}")
    assert program.heard == []
