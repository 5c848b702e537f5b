"""Contexts that many threads begin connections with at once."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, SSLError

from adapters.backups.stores.authorities import LoadedOnce, context
from adapters.backups.stores.s3 import S3Clients, S3Credentials
from engine.secrets import Secret
from engine.workers import Threads, each
from lab.wire.pki import LabCA

AT_ONCE = 8


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return LabCA(tmp_path / "ca").ca_file


def test_threads_that_begin_at_once_load_each_authority_once_and_one_after_the_other(
    authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that are in OpenSSL at once break the list of look-ups: with botocore's own context one process in six died of SIGSEGV
    when eight threads loaded one authority into each of 400."""
    other = LabCA(tmp_path / "other").ca_file
    inside, most, loaded = Counter[str](), Counter[str](), Counter[str]()
    gate, real = threading.Barrier(AT_ONCE), ssl.SSLContext.load_verify_locations

    def load(self: ssl.SSLContext, cafile: Any = None, *more: Any) -> None:
        inside["now"] += 1
        most["at once"] = max(most["at once"], inside["now"])
        loaded[str(cafile)] += 1
        real(self, cafile, *more)
        inside["now"] -= 1

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    one = context()

    def begin(path: Path) -> None:
        gate.wait(10)
        one.load_verify_locations(str(path))

    each(Threads(), begin, [authority, other] * (AT_ONCE // 2), at_once=AT_ONCE)
    assert (most["at once"], loaded) == (1, Counter({str(authority): 1, str(other): 1}))
    assert len(one.get_ca_certs()) == 2


def test_every_client_of_a_store_has_such_a_context(authority: Path) -> None:
    client = S3Clients().get("https://127.0.0.1:1", S3Credentials("id", Secret("key"), ca_file=str(authority)))
    manager = client._endpoint.http_session._manager  # type: ignore[attr-defined]  # there is no other way to see it
    assert isinstance(manager.connection_pool_kw["ssl_context"], LoadedOnce)


def test_other_authorities_are_loaded_besides_and_what_cannot_be_read_is_asked_for_again(authority: Path, tmp_path: Path) -> None:
    one, other = context(), LabCA(tmp_path / "other").ca_file
    late = tmp_path / "late"
    with pytest.raises(FileNotFoundError):
        one.load_verify_locations(str(late))
    late.write_bytes(other.read_bytes())
    for _ in range(2):
        one.load_verify_locations(str(authority))
        one.load_verify_locations(str(late))
    assert len(one.get_ca_certs()) == 2


@pytest.mark.parametrize(("names", "taken"), [(("127.0.0.1",), True), (("127.0.0.2", "elsewhere.lan"), False)])
def test_a_store_that_shows_another_names_certificate_is_not_spoken_to(tmp_path: Path, names: tuple[str, ...], taken: bool) -> None:
    """The context compares no name by itself: whoever connects with it does."""
    ca = LabCA(tmp_path / "ca")
    context_ = ca.server("store", *names).context()
    with socket.create_server(("127.0.0.1", 0)) as plain, context_.wrap_socket(plain, server_side=True) as door:
        threading.Thread(target=_refuse_all, args=(door,), daemon=True).start()
        url = f"https://127.0.0.1:{door.getsockname()[1]}"
        client = S3Clients().get(url, S3Credentials("id", Secret("key"), ca_file=str(ca.ca_file)))
        with pytest.raises(ClientError if taken else SSLError):
            client.list_buckets()


def _refuse_all(door: ssl.SSLSocket) -> None:
    while True:
        try:
            one, _ = door.accept()
        except ssl.SSLError:
            continue
        except OSError:
            return
        with one, suppress(OSError):
            one.recv(1 << 16)
            one.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
