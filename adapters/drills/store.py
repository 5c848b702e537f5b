"""Where a mover's store is, by its Secret: the one way out that a drill leaves open. Asks no API and no resolver."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from engine.errors import PermanentError

_PORTS = {"http": 80, "https": 443, "sftp": 22, "ssh": 22, "socks5": 1080}
_CLOUDS = ("b2:", "gs:", "azure:")
_ANYWHERE = ("swift:", "rclone:")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
CANARY = "blackstart-canary"
_SFTP = re.compile(r"sftp:(?:[^@/]*@)?(?P<host>\[[^\]]+\]|[^:/]+):")


@dataclass(frozen=True)
class StoreAt:
    """A host and its TCP port. `host` "": a cloud's, wherever on the public internet that is; `port` 0: any."""

    host: str
    port: int


def store_at(environment: Mapping[str, str]) -> StoreAt | None:
    """Where a mover with this environment goes; None for nowhere, since its repository lies on a volume of its own.

    PermanentError for an address that cannot be read.
    """
    address = environment.get("RESTIC_REPOSITORY", "").strip()
    if address.startswith("s3:"):
        rest = address.removeprefix("s3:")
        found = _at(_url(rest if "://" in rest else f"https://{rest}"))
    elif address.startswith("rest:"):
        found = _at(_url(address.removeprefix("rest:")))
    elif address.startswith("sftp://"):
        return _at(_url(address))
    elif address.startswith("sftp:"):
        matched = _SFTP.match(address)
        if matched is None:
            raise _unreadable("names no host")
        return StoreAt(matched["host"].strip("[]"), _PORTS["sftp"])
    elif address.startswith(_CLOUDS):
        found = StoreAt("", _PORTS["https"])
    elif address.startswith(_ANYWHERE):
        found = StoreAt("", 0)
    else:
        return None
    proxy = next((environment[name] for name in _PROXIES if environment.get(name)), "")
    return _at(_url(proxy if "://" in proxy else f"http://{proxy}")) if proxy else found


def _at(url: SplitResult) -> StoreAt:
    """No host at all is no cloud: the fence would be open to all that is public, for a store that nobody reaches."""
    try:
        port = url.port
    except ValueError:
        raise _unreadable("is no URL") from None
    if not url.hostname:
        raise _unreadable("names no host")
    return StoreAt(url.hostname, port or _PORTS.get(url.scheme, 0))


def _url(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        raise _unreadable("is no URL") from None


def _unreadable(what: str) -> PermanentError:
    """Nothing of the address is told: a password may stand in it."""
    hint = "it stands in the mover's Secret: RESTIC_REPOSITORY, or a proxy"
    return PermanentError(f"the address of a mover's store, or of its proxy, {what}", hint=hint)


def beside(address: str, roots: Iterable[str] = ()) -> str:
    """The address of the canary's repository in the same store: in the place of the last part of this one's, or below a bucket.

    `roots` are where the mover's volumes are mounted: beside one of them there is no store. PermanentError as `store_at`.
    """
    whole = address.rstrip("/")
    if whole.removeprefix("local:") in {root.rstrip("/") for root in roots}:
        return f"{whole}/{CANARY}"
    if whole.startswith(_CLOUDS) and "/" not in whole:  # `b2:BUCKET:PATH`
        cloud, _, rest = whole.partition(":")
        return f"{cloud}:{rest.partition(':')[0]}:{CANARY}"
    head, slash, _ = whole.rpartition("/")
    return f"{head if slash and _replaceable(whole) else whole}/{CANARY}"


def _replaceable(address: str) -> bool:
    """Whether the last part is the repository's own: neither a host nor a bucket."""
    kind, _, rest = address.partition(":")
    if "://" not in address and kind != "s3":
        return True
    url = _url(rest if "://" in rest else f"https://{rest}" if kind == "s3" else address)
    return len([part for part in url.path.split("/") if part]) > (kind == "s3")
