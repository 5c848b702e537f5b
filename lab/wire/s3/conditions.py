"""What a request wants to hold before it is served: conditional reads and copies, digests, lengths. Knows no object store."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from lab.wire.s3.objects import StoredObject
from lab.wire.s3.signature import Refused

LONGEST_KEY = 1024


def unchanged(found: StoredObject, headers: Mapping[str, str]) -> bool:
    """Whether the reader has it already (304). Raises Refused 412 where it is not what the reader wants."""
    wanted, known = headers.get("if-match"), headers.get("if-none-match")
    since, until = _seconds(headers.get("if-modified-since")), _seconds(headers.get("if-unmodified-since"))
    if wanted is not None and not _named(found, wanted):
        raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    if wanted is None and until is not None and int(found.written) > until:
        raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    if known is not None:
        return _named(found, known)
    return since is not None and int(found.written) <= since


def check_source(found: StoredObject, headers: Mapping[str, str]) -> None:
    """Raise Refused 412 for an object that a copy is not to be made of as it is."""
    start = "x-amz-copy-source-"
    if unchanged(found, {name.removeprefix(start): value for name, value in headers.items() if name.startswith(f"{start}if-")}):
        raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")


def _named(found: StoredObject, etags: str) -> bool:
    return any(each.strip().removeprefix("W/").strip('"') in ("*", found.etag) for each in etags.split(","))


def _seconds(date: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date; None for none, and for what is none."""
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


def check_digest(body: bytes, headers: Mapping[str, str]) -> None:
    """Raise Refused for a body that is not the one whose digest came with it."""
    given = headers.get("content-md5")
    if given is None:
        return
    try:
        digest = base64.b64decode(given, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != hashlib.md5(usedforsecurity=False).digest_size:
        raise Refused(400, "InvalidDigest", "The Content-Md5 you specified is not valid.")
    if digest != hashlib.md5(body, usedforsecurity=False).digest():
        raise Refused(400, "BadDigest", "The Content-Md5 you specified did not match what we received.")


def check_key(key: str) -> None:
    """Raise Refused for a key that is too long."""
    if len(key.encode()) > LONGEST_KEY:
        raise Refused(400, "KeyTooLongError", "Your key is too long")
