"""A node that goes down while it is asked for its etcd: what it answers last is no state of its etcd, and no failure of ours."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from adapters.process.results import NO_ENVIRONMENT, Finished
from adapters.talos.adapter import TalosctlTalos
from adapters.talos.results import EtcdData, EtcdState, Phase
from engine.secrets import Secret
from lab.wire.pki import LabCA

ADDRESS = "127.66.243.11"
SERVICE = """NODE     127.66.243.11
ID       etcd
STATE    Running
HEALTH   OK
"""


class LastWords:
    """talosctl whose node answers that its etcd runs, and the call after that with this gRPC code."""

    def __init__(self, code: str) -> None:
        self.said = f"rpc error: code = {code} desc = the node is restarting"

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str | Secret] = NO_ENVIRONMENT, cwd: Path | None = None,
        stdin: bytes | Secret | None = None, timeout_s: float, ok: Collection[int] = (0,), shielded: bool = False,
    ) -> Finished:  # fmt: skip
        """One answer."""
        if argv[1] == "service":
            return Finished(" ".join(argv), 0, SERVICE.encode(), (), 0.1)
        return Finished(" ".join(argv), 1, b"", (f"error executing: {self.said}",), 0.1)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCA]:
    """The CA of a node that shakes hands for each call."""
    ca = LabCA(tmp_path_factory.mktemp("ca"))
    context = ca.server("cp-1", ADDRESS).context("h2")
    with socket.create_server((ADDRESS, 50000)) as listener:
        threading.Thread(target=shake_hands, args=(listener, context), daemon=True).start()
        yield ca
        listener.shutdown(socket.SHUT_RDWR)


def shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True):
                pass
        except OSError:
            return


UNKNOWN = EtcdState(EtcdData.UNKNOWN, healthy=False, members=())
SILENT = EtcdState(EtcdData.PRESENT, healthy=True, members=())


@pytest.mark.parametrize("code", ["Unimplemented", "PermissionDenied", "NotFound"])
def test_what_it_refuses_then_is_nothing_that_is_known(ours: LabCA, tmp_path: Path, code: str) -> None:
    assert TalosctlTalos(tmp_path, LastWords(code), ours.ca_file.read_text).etcd(ADDRESS) == UNKNOWN


@pytest.mark.parametrize("code", ["Unavailable", "DeadlineExceeded"])
def test_where_it_answers_no_more_its_members_are_not_listed(ours: LabCA, tmp_path: Path, code: str) -> None:
    assert TalosctlTalos(tmp_path, LastWords(code), ours.ca_file.read_text).etcd(ADDRESS) == SILENT


def test_nodes_that_are_dark_are_asked_side_by_side(tmp_path: Path) -> None:
    """Each takes its whole timeout to say nothing: one after another that is half a minute of a plan."""
    everybody = threading.Barrier(3, timeout=20.0)

    def together() -> str:
        everybody.wait()
        return ""

    talos = TalosctlTalos(tmp_path, LastWords("Unavailable"), together)
    dark = ("127.66.243.21", "127.66.243.22", "127.66.243.23")
    assert talos.phases(dark) == (Phase.UNREACHABLE,) * 3
    assert talos.etcds(dark) == (UNKNOWN,) * 3
    assert talos.phases(()) == ()
