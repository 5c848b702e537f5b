"""Whether etcd stands still for good: only then may it be made again from a snapshot. Knows no snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from bootstrap.standstill import Ground, look_at_ground
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseCheck, StepId
from engine.text.words import agreed
from house.model import House, Node


@dataclass(frozen=True)
class Standstill(BaseCheck):
    """Every control plane was asked, or is gone with its data. One that may come back with them is worth more than any snapshot.

    An etcd that works is left as it is, which is no refusal: the same again after a recovery finds that.
    """

    house: House
    id = StepId("preflight.standstill")
    title = "etcd stands still for good"
    needs = ("preflight.quorum", "preflight.keys")

    @property
    def sight_s(self) -> float:
        return self.house.limits.boot_s

    def probe(self, look: LookContext) -> Probe:
        seen = look_at_ground(look.proxmox, look.talos, self.house)
        if seen.works:
            return satisfied(f"{seen.told}: nothing is recovered over it")
        return self._maybe_alive(seen) or satisfied("etcd stands still", *_told(seen))

    def _maybe_alive(self, seen: Ground) -> Probe | None:
        if seen.starting:
            return changing(f"etcd on {', '.join(_names(seen.starting))} is starting as one of its own")
        if seen.silent:
            ways = {"boot it from Talos' ISO" if node.metal else "stop and destroy its VM in Proxmox" for node in seen.silent}
            metal = any(node.metal for node in seen.silent)  # of which nobody here knows whether it runs
            one, more = ("gives", "give") if metal else ("runs and gives", "run and give")
            given_up = ", or where it is of metal ".join(sorted(ways, reverse=True))
            return unknown(
                f"{agreed(_names(seen.silent), one, more)} no answer: nobody knows what etcd has there",
                hint=f"see each one's console; to give its data up, {given_up}",
            )
        if seen.off:
            ids = ", ".join(f"{node.vm_id} on {node.host}" for node in seen.off)
            off = agreed(_names(seen.off), "is off", "are off")
            return missing(
                f"{off}, and may still have etcd's data: with a majority of them nothing is lost",
                hint=f"first start VM {ids}; where a disk of one is dead, destroy that VM, then the same again",
            )
        if len(seen.dark) > seen.voters // 2:
            dark = agreed(_names(seen.dark), "is on a host that is offline", "are on hosts that are offline")
            return missing(
                f"{dark}: {len(seen.dark)} of {seen.voters} make an etcd of their own",
                hint="bring one of these hosts back first; if they are gone for good, take them out of the Proxmox cluster "
                "(pvecm delnode), and give their nodes another host in the settings",
            )
        return None

    def by_hand(self) -> str:
        nodes = ",".join(node.address for node in self.house.control_planes)
        return f"talosctl -n {nodes} service etcd && talosctl -n {nodes} etcd members   # nobody is healthy"


def _names(nodes: tuple[Node, ...]) -> list[str]:
    return [node.name for node in nodes]


def _told(seen: Ground) -> list[str]:
    words = (
        ("has data, and no majority", seen.having), ("has no data", seen.bare), ("is gone, and is made anew", seen.unmade),
        ("is on a host that is offline", seen.dark),
    )  # fmt: skip
    return [f"{node.name} {told}" for told, nodes in words for node in nodes]


def check(house: House) -> Standstill:
    """The check of this house."""
    return Standstill(house)
