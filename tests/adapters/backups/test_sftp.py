"""A repository on an SFTP server: listed with paramiko, opened by restic through ssh, and never without a pinned host key."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from adapters.backups.opening import Openings
from adapters.backups.restic import ResticBackups
from adapters.backups.results import Repository, Verdict
from adapters.backups.stores import sftp
from adapters.backups.stores.places import PlaceRefused, PlaceUnreachable, SftpAddress
from adapters.backups.stores.sftp import SftpPlace
from adapters.process.keeper import Keeper
from adapters.secrets.resolver import Secrets
from adapters.trust import SshTrust
from house.model import SecretRef
from lab.wire.sftp.door import SftpDoor
from lab.wire.sftp.keys import SshKeys
from lab.wire.sftp.sshd import login, real_sshd
from lab.wire.sftp.standin import Files, Gate, StandIn
from tests.contract.stores.backup_benches import BIN, ENVIRONMENT, FIRST, RealClock, entries, make_places

ID = "ab" * 32


@dataclass
class Server:
    port: int
    root: Path
    trust: SshTrust

    def place(self, path: str, trust: SshTrust | None = None) -> SftpPlace:
        return SftpPlace(SftpAddress(login(), "127.0.0.1", self.port, f"/mnt{path}"), trust or self.trust)


def make_key(path: Path) -> paramiko.PKey:
    key = ed25519.Ed25519PrivateKey.generate()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    path.chmod(0o600)
    return paramiko.Ed25519Key.from_private_key_file(str(path))


@pytest.fixture(params=["sshd", "stand-in"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """What every test here must find the same of: the real sshd, and what stands for it where there is none."""
    keys = SshKeys(tmp_path / "keys")
    keys.host  # noqa: B018 - makes the folder
    real = real_sshd(keys) if request.param != "stand-in" else None
    if request.param == "sshd" and real is None:
        pytest.skip("no sshd that could serve here (openssh-server, and mount namespaces)")
    root = tmp_path / "root"
    (root / "repository" / "app" / "keys").mkdir(parents=True)
    for name in (ID, f"._{ID}", "Thumbs.db"):
        (root / "repository" / "app" / "keys" / name).write_text("x")
    (root / "repository" / "app" / "config").write_text("x" * 155)
    door = SftpDoor(keys, lambda: root, server=real or StandIn(keys)).start()
    try:
        yield Server(door.port, root, SshTrust(keys.known_hosts, keys.folder / "user"))
    finally:
        door.close()


def test_a_folder_is_listed_and_absent_is_not_unmounted(server: Server) -> None:
    found = server.place("/repository/app").contents()
    assert (found.config_size, found.keys, found.snapshots) == (155, 1, 0)
    assert found.strays == (f"keys/._{ID}", "keys/Thumbs.db")
    assert server.place("/repository/app").names("keys") == (ID,)
    assert not found.packs
    (server.root / "repository" / "app" / "data" / "00").mkdir(parents=True)
    assert not server.place("/repository/app").contents().packs
    (server.root / "repository" / "app" / "data" / "00" / "pack").write_text("x")
    assert server.place("/repository/app").contents().packs
    assert server.place("/repository/ap").contents().nothing
    with pytest.raises(PlaceUnreachable, match="is its disk mounted"):
        server.place("/not-mounted/app").contents()


def test_what_is_no_file_is_told_and_a_link_is_followed(server: Server) -> None:
    app, other = server.root / "repository" / "app", "cd" * 32
    (app / "index").mkdir()
    (app / "index" / ID).symlink_to("../config")
    os.mkfifo(app / "index" / other)
    (app / "snapshots").mkdir()
    (app / "snapshots" / ID).symlink_to(ID)
    (app / "snapshots" / other).symlink_to("gone")
    (app / "locks" / ID).mkdir(parents=True)
    (app / "locks" / "readme").mkdir()
    found = server.place("/repository/app").contents()
    assert (found.config_size, found.indexes, found.snapshots) == (155, 1, 0)
    assert found.no_files == (
        "snapshots/abababab… is a link that leads nowhere", "snapshots/cdcdcdcd… is a link that leads nowhere",
        "index/cdcdcdcd… is a named pipe", "locks/abababab… is a folder",
    )  # fmt: skip
    (app / "config").rename(app / "real")
    (app / "config").symlink_to("real")
    assert server.place("/repository/app").contents().config_size == 155
    (app / "real").unlink()
    found = server.place("/repository/app").contents()
    assert (found.config_size, found.no_files[0]) == (None, "config is a link that leads nowhere")


def test_a_server_that_is_not_known_or_changed_its_key_is_not_talked_to(server: Server, tmp_path: Path) -> None:
    with pytest.raises(PlaceUnreachable, match="not found in known_hosts"):
        server.place("/repository/app", SshTrust(tmp_path / "none", server.trust.identity)).contents()
    other = make_key(tmp_path / "other")
    (tmp_path / "changed").write_text(f"[127.0.0.1]:{server.port} {other.get_name()} {other.get_base64()}\n")
    with pytest.raises(PlaceRefused, match="another key than the one pinned"):
        server.place("/repository/app", SshTrust(tmp_path / "changed", server.trust.identity)).contents()


def test_a_key_that_is_not_let_in_is_refused(server: Server, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    with pytest.raises(PlaceRefused):
        server.place("/repository/app", SshTrust(server.trust.known_hosts, tmp_path / "stranger")).contents()


@pytest.mark.parametrize("server", ["stand-in"], indirect=True)
@pytest.mark.parametrize(("who", "what"), [(Gate, "check_channel_subsystem_request"), (Files, "list_folder")])
def test_a_server_that_falls_silent_is_left_in_time(
    server: Server, monkeypatch: pytest.MonkeyPatch, who: type, what: str
) -> None:
    over = threading.Event()
    monkeypatch.setattr(who, what, lambda *_: over.wait(60.0) and False)
    monkeypatch.setattr("adapters.backups.stores.sftp.SILENT_S", 0.2)
    began = time.monotonic()
    try:
        with pytest.raises(PlaceUnreachable, match=r"127\.0\.0\.1: no answer within 0\.2 s"):
            server.place("/repository/app").contents()
        assert time.monotonic() - began < 30.0
    finally:
        over.set()


@pytest.mark.programs
@pytest.mark.parametrize("server", ["the better one"], indirect=True)
@pytest.mark.skipif(not (BIN / "restic").exists() or not shutil.which("ssh"), reason="restic or ssh is not there")
def test_restic_opens_it_through_ssh(server: Server, tmp_path: Path) -> None:
    with Keeper(tmp_path / "state", search=(BIN,)) as keeper:
        make_places(keeper, server.root / "repository", tmp_path / "work")
        openings = Openings(Secrets(keeper, tmp_path, None, ENVIRONMENT), server.trust)
        backups = ResticBackups(keeper, openings, RealClock())
        address = f"sftp://{login()}@127.0.0.1:{server.port}//mnt/repository/notes"
        repository = Repository("notes", address, SecretRef(("env:PASSWORD",)))
        seen = backups.look(repository)
        assert seen.verdict is Verdict.OK, seen.detail
        listing = backups.listing(repository, seen.points[-1].snapshot_id)
        assert [entry.path for entry in listing.entries] == [entry.path for entry in entries(FIRST)]


def test_the_library_prints_no_tracebacks_of_its_own() -> None:
    assert not logging.getLogger("paramiko.transport").isEnabledFor(logging.CRITICAL)


def test_a_server_whose_shell_greets_is_none_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def greeted(*_: object) -> None:
        raise paramiko.SFTPError("Garbage packet received")

    monkeypatch.setattr(sftp, "logged_in", lambda *_: nullcontext())
    monkeypatch.setattr(sftp, "opened_sftp", greeted)
    with pytest.raises(PlaceUnreachable, match="Garbage packet received"):
        SftpPlace(SftpAddress("me", "nas.lan", 22, "/r"), SshTrust(Path("/nowhere"))).packs()
