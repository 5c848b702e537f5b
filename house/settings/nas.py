"""The small languages of the settings' NAS section: its server, datasets, exports. Knows no section."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from house.files import grammar
from house.files.grammar import quoted
from house.settings.values import json_form, wrong

_DATASET = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.: -]*)*")
_PLAIN_SCHEMES = ("ws", "http")
_BETTER = "write wss://host or wss://host:port"


def server_of(value: Any) -> str:
    """`wss://host[:port]` of a NAS, a host alone or https:// taken for the same. What is not TLS is refused: a key that goes over
    it is revoked by the server that gets it (middleware source, auth.login_ex)."""
    if not isinstance(value, str) or not value.strip():
        raise wrong("is no server", _BETTER)
    text = value.rstrip("/")
    text = text if "://" in text else f"wss://{text}"
    parts = grammar.url_parts(text)
    if parts is not None and parts.scheme in _PLAIN_SCHEMES:
        raise wrong(f"{quoted(value)} is not TLS, and the NAS revokes a key that comes without", _BETTER)
    if parts is not None and (parts.username is not None or parts.password is not None):
        raise wrong("holds a user or a password", "leave them out of the URL")
    if parts is None or parts.scheme not in ("wss", "https") or not parts.hostname:
        raise wrong(f"{quoted(value)} is no server", _BETTER)
    if parts.path or parts.query or parts.fragment or text.endswith(("?", "#")):
        raise wrong(f"{quoted(value)} names more than a host and a port", f"{_BETTER}: which path is asked, the server says")
    return f"wss://{parts.netloc}"


def ssh_server_of(value: str) -> str:
    """`ssh://user@host[:port]`: whom to log in as is part of it, a password is not."""
    parts = grammar.url_parts(value)
    better = "write ssh://root@host or ssh://user@host:port"
    if parts is not None and parts.password is not None:
        raise wrong("holds a password", f"{better}: a key or an agent of yours logs in")
    if parts is None or parts.scheme != "ssh" or not parts.hostname or not parts.username:
        raise wrong(f"{quoted(value)} is no SSH server", better)
    if parts.path.strip("/") or parts.query or parts.fragment or value.endswith(("?", "#")):
        raise wrong(f"{quoted(value)} names more than a user, a host and a port", better)
    return value.rstrip("/")


def dataset_of(value: str) -> str:
    """A dataset's name as ZFS has it, pool first."""
    if _DATASET.fullmatch(value) is None or len(value) > 255 or value.endswith(" "):
        raise wrong(f"{quoted(value)} is no dataset", "write its name without /mnt, as in tank/backup")
    return value


def export_of(value: str) -> str:
    """An NFS export by its path, or an SMB share as `//NAME`."""
    if re.fullmatch(r"//[^/\\\s][^/\\]{0,79}", value) or (
        re.fullmatch(r"/[^/\0]+(/[^/\0]+)*", value) and ".." not in value.split("/") and value.isprintable()
    ):
        return value
    raise wrong(f"{quoted(value)} is no export", "write an NFS export's path as in /mnt/tank/backup, an SMB share as in //media")


def machine_name_of(value: str) -> str:
    """A host's name or an address, without a port."""
    if not grammar.host_fits(value):
        raise wrong(f"{quoted(value)} is no host's name and no address", "write it as in nas.lan or 10.0.0.5")
    return value


def user_of(value: str) -> str:
    """A user of the NAS."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.@$-]{0,63}", value) is None:
        raise wrong(f"{quoted(value)} is no user's name", "write the user that the key belongs to, as in blackstart")
    return value


NasServer = Annotated[str, BeforeValidator(server_of), json_form(r"^((wss|https)://)?[^/?#]+/?$")]
SshServer = Annotated[str, AfterValidator(ssh_server_of), json_form(r"^ssh://[^@/:?#]+@[^/?#@]+/?$")]
DatasetName = Annotated[str, AfterValidator(dataset_of)]
ExportPlace = Annotated[str, AfterValidator(export_of)]
MachineName = Annotated[str, AfterValidator(machine_name_of)]
UserName = Annotated[str, AfterValidator(user_of)]
