"""A `ca_file` is refused where it stands unless it holds a certificate that clients could take, wherever the settings name one."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from house.files.authority import ca_amiss
from house.files.paths import no_file
from tests.house.small_house import A_CA, SETTINGS, write_repository
from tests.house.test_bad_settings import refused

PEM = "name the CA's certificate as PEM: text that begins with -----BEGIN CERTIFICATE-----"
SEEN = "name the CA's file, seen from this file"
KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"
STORE = "{AWS_ACCESS_KEY_ID: 'env:I', AWS_SECRET_ACCESS_KEY: 'env:K'}"
NAMED = {
    "proxmox.endpoints[0]": SETTINGS.replace("ca_file: ca.pem", "ca_file: x.pem", 1),
    "backups.open_as[1]": "x.pem".join(SETTINGS.rsplit("ca.pem", 1)),
    "image": SETTINGS.replace("image:\n", "image:\n  ca_file: x.pem\n"),
    "nas.box": SETTINGS + "nas: {box: {url: nas.lan, ca_file: x.pem, username: b, api_key: 'env:NAS'}}\n",
    "rehearsal.registries.a.b": SETTINGS + "rehearsal: {registries: {a.b: {url: 'https://a.b', ca_file: x.pem}}}\n",
    "bootstrap.crds[0]": SETTINGS + f"bootstrap: {{crds: [{{url: 'https://a.b/x.yaml', sha256: '{'0' * 64}', ca_file: x.pem}}]}}\n",
}


def text(content: bytes) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(content)


def a_socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(file))


NONE = {
    "empty": (text(b""), "holds no certificate that can be read", PEM),
    "words": (text(b"see the wiki\n"), "holds no certificate that can be read", PEM),
    "html": (text(b"<html>404</html>"), "holds no certificate that can be read", PEM),
    "binary": (text(b"0\x82\x01\x0a\x02\x00\xff"), "holds no certificate that can be read", PEM),
    "key": (text(KEY.encode()), "holds no certificate that can be read", PEM),
    "cut off": (text(A_CA[:200].encode()), "holds no certificate that can be read", PEM),
    "second one cut off": (text(A_CA.encode() + A_CA[:200].encode()), "holds no certificate that can be read", PEM),
    "folder": (Path.mkdir, "is a folder", SEEN),
    "pipe": (os.mkfifo, "is a named pipe", SEEN),
    "socket": (a_socket, "is a socket", SEEN),
    "device": (lambda file: file.symlink_to("/dev/zero"), "is a device", SEEN),
    "circle": (lambda file: file.symlink_to(file.name), "is a link that leads nowhere", SEEN),
    "dangling": (lambda file: file.symlink_to("gone"), "is a link that leads nowhere", SEEN),
    "nothing": (lambda _: None, "is not there", SEEN),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(NONE))
def test_what_holds_no_certificate_is_told_by_what_it_is(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name is short
    make, *said = NONE[kind]
    make(Path("x.pem"))
    assert ca_amiss(Path("x.pem")) == tuple(said)


@pytest.mark.parametrize("content", [A_CA, f"# the lab's, für zu Hause\n{A_CA}", A_CA + A_CA, A_CA.replace("\n", "\r\n")])
def test_what_clients_take_is_taken(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.pem").write_text(content)
    assert ca_amiss(tmp_path / "x.pem") is None and no_file(tmp_path / "x.pem") == ""


@pytest.mark.parametrize("where", list(NAMED))
def test_it_is_told_wherever_it_is_named(tmp_path: Path, where: str) -> None:
    settings = write_repository(tmp_path, NAMED[where])
    (tmp_path / "x.pem").write_text("see the wiki\n")
    line, told = refused(settings)[0].split(": ", 1)
    assert "x.pem" in NAMED[where].splitlines()[int(line.rpartition(":")[2]) - 1]
    assert told == f"{where}.ca_file: holds no certificate that can be read; {PEM}"
