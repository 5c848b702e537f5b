"""Looks at several nodes with one talosctl, whose start costs more than all that it asks. Knows no port and no step.

What is told here is only what names its node, once, in words that can be read. All else is left out (for some commands a node that
is down takes the answers of the others with it, and a table may be another version's), and is for a look at that node by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from adapters.talos.results import EtcdMember
from adapters.talos.talosctl import Talosctl, facts, json_sequence, table
from engine.errors import BlackstartError, TransientError

T = TypeVar("T")
U = TypeVar("U")
Row = Mapping[str, str]


class Together:
    """Asks by way of some endpoints, which pass a look on to the other nodes; an API server of Talos on a worker does not."""

    def __init__(self, talosctl: Talosctl) -> None:
        self._talosctl = talosctl

    def specs(
        self, addresses: Sequence[str], through: Sequence[str], kind: str, name: str, read: Callable[[str, Any], T]
    ) -> Mapping[str, T]:  # fmt: skip
        """Of each node that has it, the spec of one resource, read by `read`, which is given the node too."""
        text = self._ask(addresses, through, "get", kind, name, "--output", "json")
        try:
            found = json_sequence(text, f"get {name}")
        except TransientError:
            return {}
        return _each_once(((str(one.get("node")), one["spec"]) for one in found if "spec" in one), addresses, read)

    def rows(self, addresses: Sequence[str], through: Sequence[str], *args: str) -> Mapping[str, tuple[Row, ...]]:
        """Of each node that is named there, its rows of a table."""
        found = table(self._ask(addresses, through, *args))
        return {node: rows for node in addresses if (rows := tuple(row for row in found if row.get("NODE") == node))}

    def described(self, addresses: Sequence[str], through: Sequence[str], *args: str) -> Mapping[str, Row]:
        """Of each node that is named there, a description's lines."""
        blocks: list[list[str]] = []
        for line in self._ask(addresses, through, *args).splitlines():
            if line.startswith("NODE "):
                blocks.append([])
            if blocks:
                blocks[-1].append(line)
        told = [facts("\n".join(block)) for block in blocks]
        return _each_once(((block.get("NODE", ""), block) for block in told), addresses, lambda _, block: block)

    def _ask(self, addresses: Sequence[str], through: Sequence[str], *args: str) -> str:
        """What talosctl prints, "" where it was refused or too late."""
        if not through:
            return ""
        try:
            return self._talosctl.together(addresses, through, *args)
        except BlackstartError:
            return ""


def _each_once(told: Iterable[tuple[str, U]], addresses: Sequence[str], read: Callable[[str, U], T]) -> Mapping[str, T]:
    """By node, what `read` makes of it; not of one that was not asked, nor of one that is named twice or cannot be read."""
    named = list(told)
    counts = Counter(node for node, _ in named)
    answers: dict[str, T] = {}
    for node, answer in named:
        if node in addresses and counts[node] == 1:
            with suppress(BlackstartError):
                answers[node] = read(node, answer)
    return answers


def members(rows: Sequence[Row]) -> tuple[EtcdMember, ...]:
    """The members that one etcd lists."""
    return tuple(
        EtcdMember(
            member_id=row["ID"],
            hostname=row["HOSTNAME"],
            peer_urls=tuple(row["PEER URLS"].split(",")),
            learner=row["LEARNER"] == "true",
        )
        for row in rows
        if "LEARNER" in row
    )
