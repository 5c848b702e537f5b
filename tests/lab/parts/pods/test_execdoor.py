"""`kubectl exec` at the kubelet's door, with a WebSocket client that was not written for it: streams, ends, and what is refused."""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from lab.parts.knobs import Knobs
from lab.parts.plane.pki import authority, issue
from lab.parts.pods.execdoor import PROTOCOL, Command, Wire
from lab.parts.pods.logserver import PORT, LogServer
from lab.parts.supervisor import ProcessId

ADDRESS, OTHER = "127.101.78.11", "127.101.78.12"
IN_AND_OUT = "input=1&output=1&error=1"
Dial = Callable[[str], ClientConnection]
Doors = tuple[LogServer, LogServer, ssl.SSLContext]


def enter(namespace: str, pod: str, container: str, words: tuple[str, ...]) -> Command | str:
    """Into pg-1, and into any pod that is named as a file which is there while it runs."""
    file = Path(unquote(pod))
    if pod != "pg-1" and not file.is_absolute():
        return "nothing runs there"
    environment = {"PATH": os.environ["PATH"], "HERE": pod}
    return Command(words, environment, given=False, alive=lambda: pod == "pg-1" or file.exists())


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Two doors, and what an API server shows at them."""
    folder = tmp_path_factory.mktemp("kubelet")
    ca = authority("kubernetes")
    (folder / "ca.crt").write_bytes(ca.certificate)
    own = issue(ca, "w-1", addresses=(ADDRESS, OTHER)).write(folder, "kubelet")
    client = issue(ca, "kube-apiserver").write(folder, "client")
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(*client)
    # As in tests/lab/wire/truenas_dialling.py: this client reads and writes one TLS session from two threads.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    one, other = (LogServer(at, *own, folder / "ca.crt", Knobs(), lambda *_: None, enter) for at in (ADDRESS, OTHER))
    yield one, other, context
    one.stop()
    other.stop()


@pytest.fixture(scope="module")
def context(doors: Doors) -> ssl.SSLContext:
    """What an API server shows at the first door, which is open."""
    door, _, context = doors
    door.start()
    return context


@pytest.fixture
def posted(context: ssl.SSLContext) -> Iterator[Callable[[str], str]]:
    with httpx.Client(base_url=f"https://{ADDRESS}:{PORT}", verify=context, trust_env=False) as client:
        yield lambda path: client.post(path).text


@pytest.fixture
def dial(context: ssl.SSLContext) -> Dial:
    return partial(dialled, context)


def dialled(context: ssl.SSLContext, path: str, address: str = ADDRESS) -> ClientConnection:
    """As kubectl, it takes what comes while it sends, however much that is."""
    how: dict[str, Any] = {"subprotocols": [Subprotocol(PROTOCOL)], "proxy": None, "max_size": None, "max_queue": None}
    return connect(f"wss://{address}:{PORT}{path}", ssl=context, **how)


def asked(script: str, how: str = IN_AND_OUT, pod: str = "pg-1", what: str = "exec") -> str:
    return f"/{what}/apps/{pod}/postgres?command=/bin/sh&command=-c&command={script}&{how}"


def ended(connection: ClientConnection) -> tuple[bytes, bytes, dict[str, object]]:
    """What came on the channels of output, errors and end, until it closed."""
    found = {1: b"", 2: b"", 3: b""}
    while True:
        try:
            message = connection.recv(timeout=10)
        except ConnectionClosedOK:
            return found[1], found[2], json.loads(found[3])
        assert isinstance(message, bytes)
        found[message[0]] += message[1:]


def test_what_is_given_goes_in_and_both_streams_come_out_with_its_end(dial: Dial) -> None:
    with dial(asked("cat;echo%20$HERE%20>%262;exit%203")) as connection:
        for part in (b"SELECT ", b"1;\n"):
            connection.send(b"\0" + part)
        connection.send(b"\xff\0")
        out, errors, status = ended(connection)
    assert (out, errors) == (b"SELECT 1;\n", b"pg-1\n")
    assert (status["status"], status["reason"]) == ("Failure", "NonZeroExitCode")
    assert status["details"] == {"causes": [{"reason": "ExitCode", "message": "3"}]}


def test_one_that_ends_well_and_is_given_nothing_says_so(dial: Dial) -> None:
    with dial(asked("cat;echo%20done", "output=1&error=1")) as connection:
        assert ended(connection) == (b"done\n", b"", {"metadata": {}, "status": "Success"})


def test_a_megabyte_goes_through_both_ways(dial: Dial) -> None:
    whole = os.urandom(1 << 20)
    with dial(asked("cat")) as connection:
        for at in range(0, len(whole), 70_000):
            connection.send(b"\0" + whole[at : at + 70_000])
        connection.send(b"\xff\0")
        out, _, status = ended(connection)
    assert (out == whole, status["status"]) == (True, "Success")


def begun(connection: ClientConnection, note: Path) -> ProcessId:
    """The process that it has started."""
    assert connection.recv(timeout=10) == b"\x01begun\n"
    process = ProcessId.of(int(note.read_text()))
    assert process is not None
    return process


@pytest.mark.parametrize("script", ["echo $$ >{note};echo begun;sleep 300", "sleep 300 & echo $! >{note};echo begun"])
def test_what_a_client_has_left_behind_is_ended(dial: Dial, tmp_path: Path, script: str) -> None:
    note = tmp_path / "pid"
    with dial(asked(quote(script.format(note=note)))) as connection:
        process = begun(connection, note)
    assert process.wait_gone(5.0)


def test_what_runs_in_a_container_ends_with_it(dial: Dial, tmp_path: Path) -> None:
    note, container = tmp_path / "pid", tmp_path / "container"
    container.touch()
    with dial(asked(f"echo%20$$%20>{note};echo%20begun;sleep%20300", pod=quote(str(container), safe=""))) as connection:
        process = begun(connection, note)
        container.unlink()
        _, _, status = ended(connection)
    assert process.wait_gone(5.0)
    assert status["details"] == {"causes": [{"reason": "ExitCode", "message": "137"}]}


def test_a_door_that_closes_leaves_nothing_running(doors: Doors, tmp_path: Path) -> None:
    _, door, context = doors
    note = tmp_path / "pid"
    door.start()
    with dialled(context, asked(f"echo%20$$%20>{note};echo%20begun;sleep%20300"), OTHER) as connection:
        process = begun(connection, note)
        door.stop()
        assert process.wait_gone(5.0)


def test_nothing_follows_the_half_of_a_frame() -> None:
    """The end of a command would be taken for a part of what it said."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = Wire(ours, lambda: True)
        ours.settimeout(0.05)
        with pytest.raises(TimeoutError):
            wire.send(2, bytes(1 << 24))
        theirs.recv(1 << 24)
        with pytest.raises(BrokenPipeError):
            wire.send(2, b"the end")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (asked("true", pod="other"), "lab: nothing runs there\n"),
        (asked("true", f"{IN_AND_OUT}&tty=1"), "lab: a terminal is not simulated: exec without -t\n"),
        (asked("true", what="attach"), "lab: attach is not simulated\n"),
        ("/portForward/apps/pg-1", "lab: portForward is not simulated\n"),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(dial: Dial, path: str, says: str) -> None:
    with pytest.raises(InvalidStatus) as no:
        dial(path)
    answer = no.value.response
    assert (answer.status_code, bytes(answer.body or b"").decode()) == (501, says)


def test_what_is_asked_by_spdy_hears_why_a_websocket_was_refused(posted: Callable[[str], str]) -> None:
    """kubectl asks so where its WebSocket was refused, and shows this answer."""
    assert posted(asked("true", pod="other")) == "lab: nothing runs there\n"
    assert posted(asked("true")) == "lab: exec by SPDY is not simulated\n"
