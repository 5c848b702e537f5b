"""What is done with snapshots of etcd: they lie in the house's state folder, mode 0600, for they hold all of the cluster."""

from __future__ import annotations

from typing import Protocol

from adapters.etcd.results import EtcdSnapshot


class EtcdView(Protocol):
    """Snapshots, from here; no node is asked."""

    def kept(self) -> tuple[EtcdSnapshot, ...]:
        """Every one in the state folder, by name, each looked at; one that is sealed as it was when it was taken."""

    def look(self, path: str) -> EtcdSnapshot:
        """One file anywhere on this machine."""


class Etcd(EtcdView, Protocol):
    """Adds what is done on nodes."""

    def take(self, address: str, name: str) -> str:
        """Have the working etcd at `address` write a snapshot, into the state folder under this name; answers the name under which
        it lies, which says whether it was sealed."""

    def copy(self, address: str, name: str) -> None:
        """Copy the database of a node whose etcd stands still, into the state folder under this name. It carries no hash."""

    def wipe(self, address: str) -> None:
        """Empty the node's EPHEMERAL partition, etcd's data and all else on it, and restart the node; nobody is told of it."""

    def recover(self, address: str, snapshot: EtcdSnapshot) -> None:
        """Make a new etcd of one member at `address` from the snapshot; its data directory must be empty."""
