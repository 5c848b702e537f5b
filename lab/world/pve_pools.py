"""Pools of the simulated Proxmox: names with a comment, each made once. Nothing is ever in one: the lab makes no VM in a pool."""

from __future__ import annotations

from collections.abc import Callable

from lab.world.pve_access import Access, Refusal


class Pools:
    """All pools, in the cluster's own configuration: without a quorum none is made or removed."""

    def __init__(self, access: Access, quorate: Callable[[], bool]) -> None:
        self._access = access
        self._quorate = quorate
        self.comments: dict[str, str] = {}

    def seen_by(self, actor: str) -> list[tuple[str, str]]:
        """Name and comment of those that the actor may see; others are left out without a word."""
        every = sorted(self.comments.items())
        return [(name, told) for name, told in every if self._access.may(actor, f"/pool/{name}", "Pool.Audit")]

    def make(self, actor: str, name: str, comment: str) -> None:
        """Make one; a Refusal when there is one of this name."""
        self._access.require(actor, f"/pool/{name}", "Pool.Allocate")
        self._writable("create")
        if name in self.comments:
            raise Refusal(500, f"create pool failed: pool '{name}' already exists")
        self.comments[name] = comment

    def remove(self, actor: str, name: str) -> None:
        """Remove one; a Refusal when there is none of this name."""
        self._access.require(actor, f"/pool/{name}", "Pool.Allocate")
        self._writable("delete")
        if name not in self.comments:
            raise Refusal(500, f"delete pool failed: pool '{name}' does not exist")
        del self.comments[name]

    def _writable(self, doing: str) -> None:
        if not self._quorate():
            raise Refusal(500, f"{doing} pool failed: cfs-lock 'file-user_cfg' error: no quorum!")
