"""The virtual address: fail-over, and the ways in which it can be broken."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from lab.parts.plane.forwarder import Forwarder


class _Names(socketserver.StreamRequestHandler):
    """Says its server's name, then repeats what it hears."""

    def handle(self) -> None:
        self.wfile.write(self.server.name)  # type: ignore[attr-defined]  # set on the server below
        while data := self.rfile.readline():
            self.wfile.write(data)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def server(name: bytes) -> Iterator[tuple[str, int]]:
    with _Server(("127.0.0.1", 0), _Names) as made:
        made.name = name  # type: ignore[attr-defined]  # read by the handler above
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield ("127.0.0.1", made.server_address[1])
        made.shutdown()
        thread.join()


@pytest.fixture
def forwarder() -> Iterator[Forwarder]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Forwarder("127.0.0.1", port)
    made.start()
    yield made
    made.stop()


def asked(forwarder: Forwarder) -> bytes:
    """What answers at the virtual address: b"" for nobody."""
    with socket.create_connection((forwarder.address, forwarder.port), timeout=5) as connection:
        try:
            return connection.recv(16)
        except ConnectionResetError:
            return b""


def test_it_stays_with_the_server_that_answered_and_goes_on_to_the_next_when_that_dies(forwarder: Forwarder) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        one, two = first.enter_context(server(b"one")), stack.enter_context(server(b"two"))
        forwarder.backends = (one, two)
        assert asked(forwarder) == b"one"
        first.close()
        assert asked(forwarder) == b"two"
        forwarder.backends = (two, one)
        assert asked(forwarder) == b"two"


def test_nobody_answers_without_a_living_server(forwarder: Forwarder) -> None:
    assert asked(forwarder) == b""
    forwarder.backends = (("127.0.0.1", 1),)
    assert asked(forwarder) == b""


def test_bytes_go_both_ways(forwarder: Forwarder) -> None:
    with server(b"one") as one:
        forwarder.backends = (one,)
        with socket.create_connection((forwarder.address, forwarder.port), timeout=5) as connection:
            connection.sendall(b"x" * 300_000 + b"\n")
            heard = b""
            while len(heard) < 300_004:
                heard += connection.recv(65536)
    assert heard == b"one" + b"x" * 300_000 + b"\n"


def test_it_can_be_told_to_refuse_to_delay_and_to_use_one_server_only(forwarder: Forwarder) -> None:
    with server(b"one") as one, server(b"two") as two:
        forwarder.backends = (one, two)
        forwarder.knobs.only = f"{two[0]}:{two[1]}"
        assert asked(forwarder) == b"two"
        forwarder.knobs.delay_s = 0.1
        began = time.monotonic()
        assert asked(forwarder) == b"two"
        assert time.monotonic() - began >= 0.1
        forwarder.knobs.refuse = True
        assert asked(forwarder) == b""


def test_cut_breaks_open_connections_and_new_ones_work(forwarder: Forwarder) -> None:
    with server(b"one") as one:
        forwarder.backends = (one,)
        with socket.create_connection((forwarder.address, forwarder.port), timeout=5) as connection:
            assert connection.recv(16) == b"one"
            forwarder.cut()
            with pytest.raises(ConnectionError):
                connection.sendall(b"hello\n")
                if connection.recv(16) == b"":
                    raise ConnectionResetError
        assert asked(forwarder) == b"one"
