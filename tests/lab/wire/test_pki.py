"""The lab's authority: what it signs is trusted, what others sign is not, and its keys are nobody else's to read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import requests

from lab.wire.https import HttpsServer, Reply
from lab.wire.pki import LabCA


def served(ca: LabCA, *names: str) -> HttpsServer:
    """A server that says OK."""
    return HttpsServer(
        "127.0.0.1", 0, ca.server("x", *names).context("http/1.1"), lambda request: Reply(body=b"OK")
    ).start()


def test_its_servers_are_trusted_by_its_own_file_only(tmp_path: Path) -> None:
    ca, other = LabCA(tmp_path / "a"), LabCA(tmp_path / "b")
    server = served(ca, "127.0.0.1")
    try:
        with requests.get(server.url, verify=str(ca.ca_file), timeout=5) as answer:
            assert answer.content == b"OK"
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(server.url, verify=str(other.ca_file), timeout=5)
    finally:
        server.close()


def test_a_certificate_for_another_address_is_refused(tmp_path: Path) -> None:
    ca = LabCA(tmp_path)
    server = served(ca, "127.0.0.2", "lab.example")
    try:
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(server.url, verify=str(ca.ca_file), timeout=5)
    finally:
        server.close()


def test_keys_are_private_and_everything_outlives_the_object(tmp_path: Path) -> None:
    first = LabCA(tmp_path / "pki").server("pve-1", "127.0.0.1")
    again = LabCA(tmp_path / "pki").server("pve-1", "127.0.0.1")
    assert first == again
    assert LabCA(tmp_path / "pki").server("pve-1", "127.0.0.1", "127.0.0.2").fingerprint != first.fingerprint
    keys = list((tmp_path / "pki").glob("*.key"))
    assert {path.name for path in keys} == {"ca.key", "pve-1.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700


def test_a_closed_server_leaves_no_connection(tmp_path: Path) -> None:
    ca = LabCA(tmp_path)
    server = served(ca, "127.0.0.1")
    with requests.Session() as session:
        session.get(server.url, verify=str(ca.ca_file), timeout=5)
        server.close()
        with pytest.raises(requests.exceptions.ConnectionError):
            session.get(server.url, verify=str(ca.ca_file), timeout=5)
