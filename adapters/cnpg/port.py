"""The port of databases: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.cnpg.results import DatabaseState, Left, Login, Reached
from house.values.databases import DatabaseQuestion, RestorableDatabase


class DatabasesView(Protocol):
    """Databases of CloudNativePG, as their operator and its objects tell of them."""

    def database(self, namespace: str, name: str) -> DatabaseState: ...
    def draft(self, namespace: str, name: str) -> str:
        """Digest of the recovery that was written for review, "" where none lies in the state folder."""

    def draft_server(self, namespace: str, name: str) -> str:
        """The server name that this recovery archives under, "" where none lies there or it says none."""

    def draft_lacks(self, namespace: str, name: str) -> tuple[str, ...]:
        """What this recovery reaches its archives by and the cluster has not, `Kind namespace/name`: it would wait for good."""


class Databases(DatabasesView, Protocol):
    """Adds what makes one again; and what is asked of the database itself, in its own pod."""

    def write_draft(self, namespace: str, name: str, manifest: str) -> str:
        """Write a recovery (JSON) for review into the state folder, in place of one that lies there; answers its path."""

    def recover(self, namespace: str, name: str, digest: str) -> None:
        """Make the database by the recovery of this digest, once; PermanentError where another lies there by now."""

    def rest(self, namespace: str, name: str, left: Left | None = None) -> None:
        """Have its operator hibernate it under our mark, which says where its log was (`left`, None: nobody asked): its pods end,
        its volumes stay. Nothing where it is told to already."""

    def wake(self, namespace: str, name: str) -> None:
        """Let one that we hibernated run again; no other."""

    def hand_over(self, namespace: str, name: str) -> None:
        """Let Flux apply to it again what Git says, which our recovery keeps it from. Nothing where it is gone."""

    def reached(self, namespace: str, name: str) -> Reached:
        """Who it is, on which timeline, and how it came there. TransientError while it cannot be asked."""

    def answer(self, namespace: str, name: str, question: DatabaseQuestion) -> str:
        """What it answers, in a session that changes nothing; the database's own error where that is the answer."""

    def login(self, database: RestorableDatabase) -> Login:
        """Try the application's own password, as its Secret has it."""
