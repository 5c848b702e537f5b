"""A repository on an SFTP server, listed with paramiko. The server's key must be known: none is ever learnt here."""

from __future__ import annotations

import errno
import posixpath
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import paramiko

from adapters.backups.stores.places import (
    FOLDERS,
    Contents,
    Found,
    Listed,
    Packs,
    PlaceLacks,
    PlaceRefused,
    PlaceUnreachable,
    SftpAddress,
    assembled,
    at_home,
    dates,
    ids,
    no_file,
)
from adapters.ssh import BROKEN, logged_in, opened_sftp
from adapters.trust import SshTrust

SILENT_S = 60.0
"""A server that says nothing for so long is left: a disk that sleeps takes a quarter of that to turn."""


@dataclass(frozen=True)
class SftpPlace:
    """A folder on the server."""

    address: SftpAddress
    trust: SshTrust

    def contents(self) -> Contents:
        """See Place.contents."""
        with self._connected() as sftp:
            return _listed(sftp, self.address.path)

    def names(self, folder: str) -> tuple[str, ...]:
        """See Place.names."""
        with self._connected() as sftp:
            return ids(_listing(sftp, posixpath.join(self.address.path, folder)).files)

    def dated(self, folder: str) -> dict[str, float]:
        """See Place.dated."""
        with self._connected() as sftp:
            return dates(_listing(sftp, posixpath.join(self.address.path, folder)).files)

    def ahead(self, now: float) -> float | None:
        """See Place.ahead. Only a file written now would tell, and nothing is written to look."""
        return None

    def packs(self) -> Packs:
        """See Place.packs. The server does not say what it would let us read."""
        data = posixpath.join(self.address.path, "data")
        with self._connected() as sftp:
            folders = sftp.listdir(data)
            found = ((folder, file) for folder in folders for file in _listing(sftp, posixpath.join(data, folder)).files)
            return Packs({file.name: file.size for folder, file in found if at_home(folder, file.name)})

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """See Place.read. One connection for all of them."""
        with self._connected() as sftp:
            for name in names:
                with sftp.open(posixpath.join(self.address.path, name), "rb") as file:
                    file.prefetch()
                    content = file.read()
                yield name, content

    def read_part(self, name: str, offset: int, length: int) -> bytes:
        """See Place.read_part."""
        with self._connected() as sftp, sftp.open(posixpath.join(self.address.path, name), "rb") as file:
            file.seek(offset)
            return file.read(length)

    def remove(self, name: str) -> None:
        """See Place.remove."""
        with self._connected() as sftp:
            sftp.remove(posixpath.join(self.address.path, name))

    @contextmanager
    def _connected(self) -> Iterator[paramiko.SFTPClient]:
        address = self.address
        try:
            with logged_in(address.host, address.port, address.user, self.trust) as client, opened_sftp(client, SILENT_S) as sftp:
                yield sftp
        except paramiko.BadHostKeyException as error:
            raise PlaceRefused(f"{self.address.host} shows another key than the one pinned in {self.trust.known_hosts}") from error
        except paramiko.AuthenticationException as error:
            raise PlaceRefused(f"{self.address.host}: {error}") from error
        except PermissionError as error:
            user = self.address.user or "this user"
            raise PlaceRefused(
                f"{self.address.host}: {error}", f"the server lets {user} in, and not read this: the files' owner or mode there"
            ) from error
        except FileNotFoundError as error:
            raise PlaceLacks(f"{self.address.host}: {error}") from error
        except TimeoutError as error:
            raise PlaceUnreachable(f"{self.address.host}: {str(error) or f'no answer within {SILENT_S:g} s'}") from error
        except BROKEN as error:
            # NoValidConnectionsError has no errno, and says so: "[Errno None] Unable to connect …".
            raise PlaceUnreachable(f"{self.address.host}: {str(error).removeprefix('[Errno None] ')}") from error


def _listed(sftp: paramiko.SFTPClient, path: str) -> Contents:
    try:
        top = {entry.filename: entry for entry in sftp.listdir_attr(path)}
    except FileNotFoundError as error:
        parent = posixpath.dirname(path.rstrip("/")) or "/"
        try:
            sftp.listdir(parent)
        except FileNotFoundError:
            raise PlaceUnreachable(f"the folder {parent} does not exist there: is its disk mounted?") from error
        return Contents(detail=f"{parent} was listed, {posixpath.basename(path)} is not in it")
    config = _seen(sftp, path, top["config"]) if "config" in top else None
    return assembled(
        config.st_size if config is not None and not _no_file(config) else None,
        {name: _listing(sftp, posixpath.join(path, name)) for name in FOLDERS if name in top},
        "data" in top and _any_pack(sftp, posixpath.join(path, "data")),
        top.keys() - {"config", "data", *FOLDERS},
        "" if top else "the folder is there and empty",
        _no_file(config) if "config" in top else "",
    )


def _any_pack(sftp: paramiko.SFTPClient, data: str) -> bool:
    """Whether any pack is in the folders of `data`: the first one found ends the search, and a good repository has one soon."""
    return any(_listing(sftp, posixpath.join(data, folder)).files for folder in sftp.listdir(data))


def _listing(sftp: paramiko.SFTPClient, path: str) -> Listed:
    found = [(entry.filename, _seen(sftp, path, entry)) for entry in sftp.listdir_attr(path)]
    return Listed(
        tuple(
            Found(name, seen.st_size or 0, float(seen.st_mtime or 0))
            for name, seen in found if seen is not None and not _no_file(seen)
        ),
        {name: what for name, seen in found if (what := _no_file(seen))},
    )  # fmt: skip


def _seen(sftp: paramiko.SFTPClient, folder: str, entry: paramiko.SFTPAttributes) -> paramiko.SFTPAttributes | None:
    """What is there behind all links, None where they lead nowhere: a listing tells of the link itself."""
    if not stat.S_ISLNK(entry.st_mode or 0):
        return entry
    try:
        return sftp.stat(posixpath.join(folder, entry.filename))
    except OSError as error:
        if error.errno in (None, errno.ENOENT):  # of a link to itself the protocol says just "Failure"
            return None
        raise


def _no_file(seen: paramiko.SFTPAttributes | None) -> str:
    """See no_file; what a server says nothing of is a file."""
    return "" if seen is not None and seen.st_mode is None else no_file(seen.st_mode if seen is not None else None)
