"""Backups in a store that runs in the cluster whose data they are."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.needs import host_of
from house.data.archives import archives
from house.declared.kopia import kopia_backups
from house.files.grammar import address_of

NAME = "backups-inside"


def _find(given: Given) -> Iterator[Finding]:
    served: dict[str, list[tuple[str, str, str]]] = {}
    """Each claim → where it is backed up to, who of the cluster serves that ("" for nobody), and where it is declared."""
    for whole in given.house.claims:
        for one in whole.sources:
            # What the mover is told counts too: how it is opened from here may be another way to the same store.
            server = _server(given, one.open_as or one.mover_repository) or _server(given, one.mover_repository)
            served.setdefault(whole.key, []).append((one.mover_repository or one.open_as, server, one.declared_in))
    for made in kopia_backups(given.rendered):
        key = f"{made.made_by.namespace}/{made.claim}"
        served.setdefault(key, []).append((made.seen, _server(given, made.seen), made.made_by.declared_in))
    for key, places in served.items():
        if all(server for _, server, _ in places):
            yield _finding(f"claim {key}", *places[0])
    for archive in archives(given.rendered):
        if server := _server(given, archive.place):
            yield _finding(f"database {archive.key}", archive.place, server, archive.declared_in)


def _server(given: Given, place: str) -> str:
    """Who of the cluster serves it, "" where nobody does, or a variable stands for who does."""
    host = host_of(place).lower()
    if not host or "${" in host:
        return ""
    server = given.inside.of(host)
    if server is not None:
        return server.told
    if "." in host or address_of(host) is not None or any(host in nas.names for nas in given.house.nas):
        return ""
    return "a Service of the cluster"  # it is asked first for a name of one word


def _finding(subject: str, place: str, server: str, where: str) -> Finding:
    return Finding(
        NAME, Weight.PARADOX, subject, f"{subject} is backed up to {place} alone, which {server} serves", where,
        "what is lost with the cluster is lost with its backups",
        "back it up to one more place outside: a second ReplicationSource, or a copy of the bucket to another machine",
    )  # fmt: skip


RULE = Rule(NAME, "Is any backup kept in the cluster that it is a backup of?", _find)
