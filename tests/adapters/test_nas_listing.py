"""What showmount and smbclient print, read: by recorded words, so that it needs neither of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import paramiko
import pytest

from adapters.nas import listing
from adapters.nas.listing import NFS, SFTP, SMB, Listing
from adapters.nas.results import Listed, Unheard
from adapters.process.results import NO_ENVIRONMENT, Finished, ProgramFailed, ProgramMissing, ProgramTimedOut
from adapters.trust import SshTrust
from engine.errors import BlackstartError
from engine.secrets import Secret
from engine.workers import Threads
from house.settings.references import SecretRef
from house.values.nas import Export, Nas, NasExport

WORD = "corrosive-otter-77"
BACKUP, MEDIA = NasExport(Export.NFS, "/mnt/tank/backup", "apps/notes"), NasExport(Export.SMB, "media", "media/films")
NAS_ = Nas("nas", "nas.lan", 443, "", "/ca.pem", "b", SecretRef(("env:K",)), exports=(BACKUP, MEDIA))
KNOWN = replace(NAS_, smb_user="lister", smb_password=SecretRef(("env:W",)))
TRUST = SshTrust(Path("/nowhere/known_hosts"))
OPEN = b"  .          D        0  Mon Nov 30 02:17:32 2026\n  ..         D        0  Mon Nov 30 02:17:33 2026\n"
FILMS = OPEN + b"  a film.mkv    N        2  Mon Nov 30 02:17:32 2026\n\n\t\t264212084 blocks of size 1024. 3409 blocks available\n"


@dataclass
class Said:
    """A runner that gives one answer for each program."""

    showmount: Finished | BlackstartError
    smbclient: Finished | BlackstartError
    asked: list[tuple[tuple[str, ...], Mapping[str, str | Secret]]] = field(default_factory=list)

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str | Secret] = NO_ENVIRONMENT, cwd: Path | None = None,
        stdin: bytes | Secret | None = None, timeout_s: float, ok: Collection[int] = (0,), shielded: bool = False,
    ) -> Finished:  # fmt: skip
        self.asked.append((tuple(argv), env))
        answer = self.showmount if argv[0].endswith(NFS) else self.smbclient
        if isinstance(answer, BlackstartError):
            raise answer
        return answer


def said(out: bytes = b"", *tail: str, code: int = 0) -> Finished:
    return Finished("", code, out, tail, 0.0)


def failed(out: bytes = b"", *tail: str) -> ProgramFailed:
    return ProgramFailed("it ended with code 1", said(out, *tail, code=1), ())


def listed(run: Said, nas: Nas = NAS_) -> dict[str, Listed]:
    return {one.way: one for one in Listing(run, Threads(), lambda _: Secret(WORD)).of(nas, (), TRUST)}


@pytest.mark.parametrize(("out", "shown"), [
    (b"/mnt/tank/backup (everyone)\n", True), (b"/mnt/tank/backup 10.0.0.0/8,nas.lan\n/mnt/tank/x *\n", True),
    (b"/mnt/tank 10.0.0.0/8\n", True), (b"/mnt/tank/backups (everyone)\n", False), (b"/mnt/tank/backup/notes (everyone)\n", False),
    (b"", False), (b"Export list for nas.lan:\n", False),
])  # fmt: skip
def test_an_nfs_export_is_there_where_it_or_a_folder_above_it_is_named(out: bytes, shown: bool) -> None:
    assert listed(Said(said(out), said(FILMS)))[NFS] == Listed("NFS /mnt/tank/backup", NFS, shown)


@pytest.mark.parametrize(("error", "why"), [
    (failed(b"", "clnt_create: RPC: Unable to receive"), "clnt_create: RPC: Unable to receive"),
    (failed(b"", "clnt_create: RPC: Program not registered"), "clnt_create: RPC: Program not registered"),
    (ProgramTimedOut("showmount took longer than 6 s"), "showmount took longer than 6 s"),
    (ProgramMissing("the program showmount is not on this machine"), "the program showmount is not on this machine"),
])  # fmt: skip
def test_a_server_that_does_not_tell_is_no_server_without_exports(error: BlackstartError, why: str) -> None:
    found = listed(Said(error, said(FILMS)))[NFS]
    assert (found.shown, found.why) == (None, why)


@pytest.mark.parametrize(("answer", "shown", "entries"), [
    (said(FILMS), True, 1), (said(OPEN), True, 0), (said(OPEN + b"  .zfs     DH        0  Mon Nov 30 02:17:33 2026\n"), True, 0),
    # It is let in and may not read: smbclient ends well all the same.
    (said(b"NT_STATUS_ACCESS_DENIED listing \\*\n"), True, None),
    (failed(b"tree connect failed: NT_STATUS_BAD_NETWORK_NAME\n"), False, None),
    (failed(b"", "tree connect failed: NT_STATUS_BAD_NETWORK_NAME"), False, None),
    (failed(b"session setup failed: NT_STATUS_LOGON_FAILURE\n"), None, None),
    (failed(b"", "tree connect failed: NT_STATUS_ACCESS_DENIED"), None, None),
    (failed(b"", "do_connect: Connection to nas.lan failed (Error NT_STATUS_CONNECTION_REFUSED)"), None, None),
    (failed(b"", "do_connect: Connection to nas.lan failed (Error NT_STATUS_IO_TIMEOUT)"), None, None),
    (ProgramMissing("the program smbclient is not on this machine"), None, None),
])  # fmt: skip
def test_a_share_is_there_empty_gone_or_not_to_be_told(
    answer: Finished | BlackstartError, shown: bool | None, entries: int | None
) -> None:  # fmt: skip
    found = listed(Said(said(), answer))[SMB]
    assert (found.shown, found.entries) == (shown, entries), found
    assert bool(found.why) == (shown is not True or entries is None)


def test_a_password_is_in_no_argument_and_nobody_is_asked_for_one() -> None:
    run = Said(said(), said(FILMS))
    listed(run, KNOWN)
    ((argv, env),) = [one for one in run.asked if one[0][0].endswith(SMB)]
    assert WORD not in " ".join(argv)
    assert isinstance(env["PASSWD"], Secret)
    assert argv[argv.index("--user") : argv.index("--user") + 2] == ("--user", "lister")
    assert "--no-pass" not in argv
    run.asked.clear()
    listed(run)
    ((argv, env),) = [one for one in run.asked if one[0][0].endswith(SMB)]
    assert "--no-pass" in argv
    assert env == {}


def test_a_user_without_a_name_that_is_shut_out_hears_how_to_be_somebody() -> None:
    denied = failed(b"", "tree connect failed: NT_STATUS_ACCESS_DENIED")
    why = "NT_STATUS_ACCESS_DENIED to a user without a name: nas.nas.smb_user lists it as somebody"
    assert listed(Said(said(), denied))[SMB].why == why
    assert listed(Said(said(), denied), KNOWN)[SMB].why == "NT_STATUS_ACCESS_DENIED"


def test_where_a_share_lies_that_nobody_told_no_folder_is_looked_at_and_a_server_that_is_not_there_is_said() -> None:
    ssh = replace(NAS_, exports=(MEDIA,), ssh_host="127.0.0.1", ssh_port=1)
    listing = Listing(Said(said(), said(FILMS)), Threads(), lambda _: Secret(WORD))
    assert [one.way for one in listing.of(ssh, Unheard("refused"), TRUST)] == [SMB]
    found = listing.of(replace(ssh, exports=(BACKUP,)), (), TRUST)
    assert [(one.way, one.shown) for one in found] == [(NFS, False), ("SFTP", None)]
    assert "Unable to connect" in found[1].why


def by_sftp(monkeypatch: pytest.MonkeyPatch, opened: object) -> list[Listed]:
    """What is said of two exports of a server that lets in, and then does this."""
    monkeypatch.setattr(listing, "logged_in", lambda *_: nullcontext())
    monkeypatch.setattr(listing, "opened_sftp", opened)
    photos = NasExport(Export.NFS, "/mnt/tank/photos", "media/photos")
    nas = replace(NAS_, ssh_host="nas.lan", exports=(BACKUP, photos))
    run = Said(said(), said())
    return [one for one in Listing(run, Threads(), lambda _: Secret(WORD)).of(nas, (), TRUST) if one.way == SFTP]


def test_a_server_whose_shell_greets_cannot_be_listed_and_breaks_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def greeted(*_: object) -> None:
        raise paramiko.SFTPError("Garbage packet received")

    assert [(one.shown, one.why) for one in by_sftp(monkeypatch, greeted)] == [(None, "Garbage packet received")] * 2


def test_a_folder_that_fails_says_nothing_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def folder(path: str) -> list[str]:
        if path == BACKUP.place:
            raise OSError("Failure")
        return ["a"]

    first, second = by_sftp(monkeypatch, lambda *_: nullcontext(SimpleNamespace(listdir=folder)))
    assert (first.shown, first.why) == (None, "/mnt/tank/backup: Failure")
    assert (second.shown, second.entries) == (True, 1)
