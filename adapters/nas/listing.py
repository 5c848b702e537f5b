"""What the exports of a NAS really show to this machine: asked of its NFS and SMB servers and by SFTP, never of its API.

Nothing is mounted, and nothing is written. What cannot be listed is told with why, and is no bad news of the export.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import paramiko

from adapters.nas.results import Listed, SmbShare, Unheard
from adapters.nas.wanted import below, path_of
from adapters.process.results import Finished, ProgramFailed, ProgramMissing, Runner
from adapters.ssh import BROKEN, logged_in, opened_sftp
from adapters.trust import SshTrust
from engine.errors import BlackstartError
from engine.secrets import Secret
from engine.text.words import last_lines
from engine.workers import Workers, each
from house.model import SecretRef
from house.values.nas import Export, Nas, NasExport

NFS, SMB, SFTP = "showmount", "smbclient", "SFTP"
IN_TIME_S = 6.0
"""For each way: a firewall that swallows what is asked must not hold up the look."""
_SYSTEM = ("/usr/sbin", "/sbin")
_NO_SHARE = ("NT_STATUS_BAD_NETWORK_NAME", "NT_STATUS_OBJECT_NAME_NOT_FOUND", "NT_STATUS_OBJECT_PATH_NOT_FOUND")
_NT = re.compile(r"NT_STATUS_[A-Z_]+")
_QUIET = ("anonymous login successful", "smb1 disabled")
_OWN = (".", "..", ".zfs")


class Listing:
    """Lists the exports of a NAS, every way side by side. Knows nobody's verdict."""

    def __init__(
        self, run: Runner, workers: Workers, resolve: Callable[[SecretRef], Secret], *, smb_port: int = 445,
    ) -> None:  # fmt: skip
        self._run, self._workers, self._resolve, self._smb_port = run, workers, resolve, smb_port

    def of(self, nas: Nas, smb: tuple[SmbShare, ...] | Unheard, trust: SshTrust) -> tuple[Listed, ...]:
        """Every export that is wanted of it, by each way that there is for it. Never raises."""
        nfs = [one for one in nas.exports if one.kind is Export.NFS]
        asks: list[Callable[[], tuple[Listed, ...]]] = [partial(self._mounts, nas, nfs)] if nfs else []
        asks += [partial(self._share, nas, one) for one in nas.exports if one.kind is Export.SMB]
        folders = [(one, path) for one in nas.exports if (path := path_of(one, smb))]
        if nas.ssh_host and folders:
            asks.append(partial(_folders, nas, folders, trust))
        answers = each(self._workers, lambda ask: ask(), asks, at_once=max(1, len(asks)))
        return tuple(one for answer in answers for one in answer)

    def _mounts(self, nas: Nas, wanted: list[NasExport]) -> tuple[Listed, ...]:
        """What its NFS server names to whoever asks; of one that speaks NFS 4 alone there is nothing to be asked."""
        try:
            done = self._run.run([_found(NFS), "--no-headers", "--exports", nas.host], timeout_s=IN_TIME_S)
        except BlackstartError as error:
            return tuple(Listed(one.told, NFS, None, why=_why(error)) for one in wanted)
        shown = [line.rsplit(None, 1)[0] for line in done.stdout.decode(errors="replace").splitlines() if line.startswith("/")]
        return tuple(Listed(one.told, NFS, any(below(one.place, path) for path in shown)) for one in wanted)

    def _share(self, nas: Nas, wanted: NasExport) -> tuple[Listed, ...]:
        """One share opened, its first level listed; as the user of the settings, or as nobody. The password goes by environment."""
        try:
            known = self._resolve(nas.smb_password) if nas.smb_password is not None else None
            user = ["--user", nas.smb_user] if known is not None else ["--no-pass"]
            argv = [_found(SMB), f"//{_server(nas)}/{wanted.place}", "--ip-address", nas.host, "--port", str(self._smb_port)]
            argv += ["--configfile=/dev/null", *user, "--command", "ls"]
            done = self._run.run(argv, env={"PASSWD": known} if known is not None else {}, timeout_s=IN_TIME_S)
        except ProgramFailed as error:
            code = _code(error.finished)
            if code in _NO_SHARE:
                return (Listed(wanted.told, SMB, shown=False, why=code),)
            return (Listed(wanted.told, SMB, None, why=f"{code or _why(error)}{_as(nas, code)}"),)
        except BlackstartError as error:
            return (Listed(wanted.told, SMB, None, why=_why(error)),)
        if code := _code(done):  # it is in, and may not read: that ends well by its own word
            return (Listed(wanted.told, SMB, shown=True, why=code),)
        return (Listed(wanted.told, SMB, shown=True, entries=sum(1 for _ in _names(done.stdout))),)


def _folders(nas: Nas, wanted: list[tuple[NasExport, str]], trust: SshTrust) -> tuple[Listed, ...]:
    """The folders that are handed out, as its SSH server shows them to the user of the settings. One login for all."""
    found: list[Listed] = []
    try:
        with (
            logged_in(nas.ssh_host, nas.ssh_port, nas.ssh_user, trust, IN_TIME_S) as client,
            opened_sftp(client, IN_TIME_S) as sftp,
        ):
            for one, path in wanted:
                found.append(_folder(sftp, one, path))
    except BROKEN as error:
        why = str(error).removeprefix("[Errno None] ") or type(error).__name__
        found += [Listed(one.told, SFTP, None, why=why) for one, _ in wanted[len(found) :]]
    return tuple(found)


def _folder(sftp: paramiko.SFTPClient, export: NasExport, path: str) -> Listed:
    try:
        return Listed(export.told, SFTP, shown=True, entries=sum(1 for name in sftp.listdir(path) if name not in _OWN))
    except FileNotFoundError:
        return Listed(export.told, SFTP, shown=False, why=f"no folder {path}")
    except PermissionError:
        return Listed(export.told, SFTP, None, why=f"its user may not read {path}")
    except TimeoutError:
        raise  # the next would wait as long
    except OSError as error:
        return Listed(export.told, SFTP, None, why=f"{path}: {error}")


def _found(program: str) -> str:
    """Where administrators' programs are, too: the PATH of a plain user lacks those folders."""
    if shutil.which(program) is not None:
        return program
    return next((str(Path(folder) / program) for folder in _SYSTEM if (Path(folder) / program).is_file()), program)


def _server(nas: Nas) -> str:
    """An address with colons is no name of a server to it; which one is meant is said besides."""
    return nas.name if ":" in nas.host else nas.host


def _names(out: bytes) -> Iterator[str]:
    """The names in a listing: each line has two blanks, the name, its attributes, size and date; the sum at the end a tab."""
    for line in out.decode(errors="replace").splitlines():
        if line.startswith("  ") and (words := line.split()) and words[0] not in _OWN:
            yield words[0]


def _code(done: Finished) -> str:
    """The server's own name of what went wrong, "" for none."""
    # Of a listing only what stands at the left is its own word: names are indented, and may be anything.
    out = [line for line in done.stdout.decode(errors="replace").splitlines() if not line.startswith((" ", "\t"))]
    found = _NT.search(" ".join((*done.stderr_tail, *out)))
    return found[0] if found else ""


def _why(error: BlackstartError) -> str:
    if isinstance(error, ProgramMissing):
        return error.what
    tail = error.finished.stderr_tail if isinstance(error, ProgramFailed) else ()
    return next(iter(last_lines(tail, noise=_QUIET)), error.what)


def _as(nas: Nas, code: str) -> str:
    if code in ("NT_STATUS_ACCESS_DENIED", "NT_STATUS_LOGON_FAILURE") and nas.smb_password is None:
        return " to a user without a name: nas." + nas.name + ".smb_user lists it as somebody"
    return ""
