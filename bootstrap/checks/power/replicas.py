"""A storage row around a node that is made anew: what only its disks may still hold, and what is rebuilt on it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.context import LookContext
from bootstrap.remains import look_at_remains
from cluster.storage.findings import probe_of
from cluster.storage.gate import risk_of
from cluster.storage.kinds import storage_checks
from cluster.storage.row import StorageRow, asked
from engine.probe import Condition, Probe, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number
from house.model import House, Node


@dataclass(frozen=True)
class Spared(BaseCheck):
    """Before its VM is destroyed: a storage that is sick may have its last copy of something there. Passed by consent alone."""

    house: House
    node: Node
    row: StorageRow
    needs = ("preflight.quorum", "preflight.keys")

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.{self.row.id}")

    @property
    def title(self) -> str:
        return f"{self.row.title}, without it"

    def probe(self, look: LookContext) -> Probe:
        left = look_at_remains(look.proxmox, look.talos, look.cluster, self.house, self.node)
        if left.vm is None or not left.lost:
            return satisfied("no disk is destroyed")
        found = asked(look, self.row)
        seen = probe_of(found)
        if seen.condition is Condition.SATISFIED:
            return seen
        way = "the last copy of something may be on the lost disks: bring that back first, or go on by consent"
        risk = replace(risk_of(self.row, found), words=f"{self.row.title}: {seen.detail}; {way.partition(':')[0]}")
        return replace(seen, hint="; ".join(filter(None, (seen.hint, way))), identity=risk)

    def by_hand(self) -> str:
        return self.row.by_hand()


@dataclass(frozen=True)
class Known(BaseCheck):
    """Every storage that the cluster has by now is among `rows`: a cluster that gave no answer when they were made told of none."""

    house: House
    node: Node
    rows: tuple[StorageRow, ...]
    id = StepId("preflight.storage-known")
    title = "every storage system is asked"
    needs = ("preflight.quorum", "preflight.keys")

    def probe(self, look: LookContext) -> Probe:
        left = look_at_remains(look.proxmox, look.talos, look.cluster, self.house, self.node)
        if left.vm is None or not left.lost:
            return satisfied("no disk is destroyed")
        classes = look.cluster.storage_classes()  # raises while no API server answers
        known = {row.id for row in self.rows}
        if late := [row.title for row in storage_checks(look, self.house) if row.id not in known]:
            return unknown("a storage system was not asked", *late, hint="it gave no answer before: the same again asks it")
        return satisfied(f"{number(len(known), 'row')}, {number(len(classes), 'storage class', 'storage classes')}")

    def by_hand(self) -> str:
        return "kubectl get storageclass,csidriver   # each is looked at"


@dataclass(frozen=True)
class Rebuilt(BaseCheck):
    """After it has joined: what the storage says of its replicas. Told, for a rebuild takes hours and stops nobody."""

    row: StorageRow
    node: str
    severity = Severity.ADVISORY

    @property
    def id(self) -> StepId:
        return self.row.id

    @property
    def title(self) -> str:
        return self.row.title

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"kubernetes.joined/{self.node}",)

    def probe(self, look: LookContext) -> Probe:
        return probe_of(asked(look, self.row))

    def by_hand(self) -> str:
        return self.row.by_hand()
