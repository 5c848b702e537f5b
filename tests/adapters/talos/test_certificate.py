"""Which Talos API answers is told by its certificate, and a machine that falls silent is nobody's."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.talos.certificate import MAINTENANCE_NAME, look
from adapters.talos.results import Phase
from engine.errors import PermanentError, TransientError
from lab.wire.pki import LabCA


def serve(connection: ssl.SSLSocket) -> None:
    """As in maintenance: whoever comes is answered."""
    connection.recv(64)
    connection.sendall(b"\0" * 9)


def hang_up(connection: ssl.SSLSocket) -> None:
    """As when the API is being stopped: the handshake is done, and nothing follows."""


@contextmanager
def machine(ca: LabCA, name: str, act: Callable[[ssl.SSLSocket], None]) -> Iterator[int]:
    """One TLS connection on loopback, with a certificate of that name."""
    context = ca.server(name, "127.0.0.1").context("h2")

    def once(listener: socket.socket) -> None:
        with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as wrapped:
            act(wrapped)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=once, args=(listener,))
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join(10)


@pytest.fixture
def ours(tmp_path: Path) -> LabCA:
    return LabCA(tmp_path / "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> LabCA:
    return LabCA(tmp_path / "theirs")


def phase(port: int, ca: LabCA) -> Phase:
    return look("127.0.0.1", ca.ca_file.read_text(), port=port)


def test_whose_ca_signed_it_decides(ours: LabCA, theirs: LabCA) -> None:
    with machine(ours, "cp-1", hang_up) as port:
        assert phase(port, ours) is Phase.SECURE
    with machine(theirs, "cp-1", hang_up) as port:
        assert phase(port, ours) is Phase.FOREIGN
    with machine(theirs, MAINTENANCE_NAME, serve) as port:
        assert phase(port, ours) is Phase.MAINTENANCE


def test_a_machine_on_its_way_out_of_maintenance_is_no_strangers(ours: LabCA, theirs: LabCA) -> None:
    with machine(theirs, MAINTENANCE_NAME, hang_up) as port, pytest.raises(TransientError, match="did not answer"):
        phase(port, ours)


def test_without_our_ca_nobody_is_called_a_stranger(theirs: LabCA) -> None:
    with machine(theirs, "cp-1", hang_up) as port, pytest.raises(PermanentError, match="not known yet"):
        look("127.0.0.1", "", port=port)


def test_where_nobody_listens_nobody_answers(ours: LabCA) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    assert phase(port, ours) is Phase.UNREACHABLE
