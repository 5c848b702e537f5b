"""The hold port, in process, on the modelled cluster."""

from __future__ import annotations

from collections.abc import Collection

from adapters.hold.results import AcceptedDatabase, HeldClaim, HoldRecord, PinnedDatabase, Refusal, Verdict
from engine.errors import TransientError
from lab.world.cluster.kubernetes import KubeWorld, holds_any
from lab.world.cluster.volumes import Source
from lab.world.machines.machine import Machine

KINDS = ("Job", "PersistentVolumeClaim", "VolumeSnapshot", "Job of what nobody declared")
POLICY = "ValidatingAdmissionPolicy blackstart-jobs"


class ModelledHold:
    """Hold port (ports.Hold)."""

    def __init__(self, kube: KubeWorld) -> None:
        self._kube = kube
        self._world = kube.world

    def record(self) -> HoldRecord:
        """See ports.HoldView."""
        with self._world.looking():
            objects = self._kube.objects()
            if objects.record is None:
                return HoldRecord(False)
            claims = tuple(claim.as_read() for claim in objects.record.values())
            rebuilt = objects.rebuilt and holds_any(objects)
            return HoldRecord(True, claims, tuple(objects.databases.values()), rebuilt, tuple(objects.pinned.values()))

    def policies_missing(self) -> tuple[str, ...]:
        """See ports.HoldView."""
        with self._world.looking():
            return () if self._kube.objects().policies_bite_at is not None else (POLICY,)

    def refusals(self, silent: Collection[str] = ()) -> tuple[Refusal, ...]:
        """See ports.HoldView."""
        with self._world.looking():
            bite_at = self._kube.objects().policies_bite_at
            biting = bite_at is not None and self._world.clock.monotonic() >= bite_at
            return tuple(self._answer(machine, kind, biting=biting) for machine in self._servers(silent) for kind in KINDS)

    def backup_tried(self, namespace: str, claim: str, source: str, silent: Collection[str] = ()) -> tuple[Refusal, ...]:
        """See ports.HoldView."""
        with self._world.looking():
            objects, asked = self._kube.objects(), Source(namespace, source, claim, "")
            found = [(machine, self._kube.admits_backup(objects, asked, machine)) for machine in self._servers(silent)]
            return tuple(Refusal(one.address, KINDS[0], self._verdict(one, told), told or "admitted") for one, told in found)

    def _servers(self, silent: Collection[str]) -> list[Machine]:
        servers = [self._kube.talos.at(node.address) for node in self._kube.house.control_planes if node.address not in silent]
        for machine in servers:
            if not self._kube.api_ready(machine):
                raise TransientError(f"the API server at {machine.address} cannot be asked", evidence=("connection refused",))
        return servers

    def _verdict(self, machine: Machine, refused: str) -> Verdict:
        if not refused:
            return Verdict.ADMITTED
        return Verdict.REFUSED if self._kube.judges_by_now(machine) else Verdict.STALE

    def _answer(self, machine: Machine, kind: str, *, biting: bool) -> Refusal:
        if not biting:
            return Refusal(machine.address, kind, Verdict.ADMITTED, "admitted")
        judged = self._kube.judges_by_now(machine)
        told = "Forbidden" if judged else "Forbidden (judged by another version of the record)"
        return Refusal(machine.address, kind, Verdict.REFUSED if judged else Verdict.STALE, told)

    def install(self, *, rebuilt: bool) -> None:
        """See ports.Hold."""
        with self._world.looking():
            objects = self._kube.objects()
            if objects.policies_bite_at is None:
                objects.rebuilt = rebuilt and holds_any(objects)
                objects.policies_bite_at = self._world.clock.monotonic() + self._kube.delays.policy_s
            if objects.record is None:
                objects.record = {}
            objects.written += 1

    def put(self, claim: HeldClaim) -> None:
        """See ports.Hold."""
        with self._world.looking():
            objects = self._kube.objects()
            record = objects.record if objects.record is not None else {}
            claim.refuse_over(record.get((claim.namespace, claim.claim)))
            record[(claim.namespace, claim.claim)] = claim
            objects.record = record
            objects.rebuilt = objects.rebuilt and holds_any(objects)

    def accept(self, database: AcceptedDatabase) -> None:
        """See ports.Hold."""
        with self._world.looking():
            objects = self._kube.objects()
            objects.record = objects.record if objects.record is not None else {}
            objects.databases[(database.namespace, database.name)] = database
            objects.pinned.pop((database.namespace, database.name), None)

    def put_database(self, database: PinnedDatabase) -> None:
        """See ports.Hold."""
        with self._world.looking():
            objects = self._kube.objects()
            objects.record = objects.record if objects.record is not None else {}
            objects.pinned[(database.namespace, database.name)] = database
            objects.databases.pop((database.namespace, database.name), None)
