"""Lists as Storj lists: a thousand at most, in the order of encrypted paths, folders only. Knows no HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from lab.wire.s3.signature import Refused

LARGEST_PAGE = 1000


@dataclass(frozen=True)
class Page:
    """One page: keys and common prefixes, and the name to go on after ("" when this was the last page)."""

    keys: tuple[str, ...]
    folders: tuple[str, ...]
    after: str


def page(keys: Iterable[str], prefix: str, delimiter: str, after: str, limit: int, *, encrypted: bool) -> Page:
    """One page of the keys under `prefix`, behind the name `after`.

    `encrypted`: the project manages its own encryption, so the order is that of encrypted paths (stable, never lexicographic),
    and prefixes that end inside a name, or other delimiters than `/`, are refused with 501 as for projects made since 2026.
    """
    if encrypted and ((prefix and not prefix.endswith("/")) or delimiter not in ("", "/")):
        raise Refused(501, "NotImplemented", "A header you provided implies functionality that is not implemented.")
    names: set[str] = set()
    for key in keys:
        if key.startswith(prefix):
            rest = key[len(prefix) :]
            head, cut, _ = rest.partition(delimiter) if delimiter else (rest, "", "")
            names.add(prefix + head + cut)
    order = _encrypted_order if encrypted else str
    ordered = sorted(names, key=order)
    if after:
        ordered = [name for name in ordered if order(name) > order(after)]
    limit = max(0, min(limit, LARGEST_PAGE))
    shown, more = ordered[:limit], len(ordered) > limit
    folders = tuple(name for name in shown if delimiter and name.endswith(delimiter) and name != prefix)
    return Page(tuple(name for name in shown if name not in folders), folders, shown[-1] if more and shown else "")


def _encrypted_order(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
