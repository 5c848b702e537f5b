"""Have a database made again: by the recovery that Git declares, or by consent by the one that lies in the state folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.cnpg.manifest import recovery_manifest
from adapters.context import ActContext, LookContext
from adapters.flux.results import KustomizationState
from adapters.hold.results import PinnedDatabase
from adapters.ports import FluxView
from cluster.by_hand import json_by_hand
from cluster.hold.suspension import suspend_by_hand
from engine.errors import PermanentError, TransientError
from engine.probe import Identity, Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId
from engine.text.words import agreed
from house.model import House
from house.values.databases import RestorableDatabase
from recovery.databases import archives_elsewhere, pinned, point_words


@dataclass(frozen=True)
class OwnRecovery(Identity):
    """A recovery that nobody declared in Git: which database, by which manifest (its SHA-256), from where."""

    database: str
    sha256: str
    file: str
    place: str

    @property
    def words(self) -> tuple[str, ...]:
        """For a person, one line a thing."""
        return (
            f"database {self.database} made by {self.file}, SHA-256 {self.sha256[:16]}", f"read from {self.place}",
            "its Kustomization is suspended until Git lets it archive to another place",
        )  # fmt: skip

    def __str__(self) -> str:
        return "; ".join(self.words)


@dataclass(frozen=True)
class RestoreDatabase(BaseStep):
    """There, and called healthy by its operator: which says nothing of what is in it."""

    house: House
    one: RestorableDatabase
    system = "kubernetes"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"dr.database-pin/{self.one.key}",)

    @property
    def id(self) -> StepId:
        return StepId(f"dr.database-restore/{self.one.key}")

    @property
    def title(self) -> str:
        return f"database {self.one.key} restored by its operator"

    @property
    def inputs(self) -> str:
        return f"{self.one.key} {self.one.source.place} {self.one.database.recovers}"

    @property
    def ready_s(self) -> float:
        return self.house.limits.restore_s

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DISRUPTS if isinstance(seen.identity, OwnRecovery) else Hazard.NONE

    def probe(self, look: LookContext) -> Probe:
        database = self.one.database
        entry = pinned(look.hold.record(), self.one)
        if entry is None:
            return unknown("no restore point is chosen")
        now = look.databases.database(database.namespace, database.name)
        if now.hopeless:
            raise PermanentError(
                f"the operator has given database {self.one.key} up", evidence=(now.told, *now.waiting),
                hint="its Cluster is deleted by hand before it is tried again; the archive is as it was",
            )  # fmt: skip
        if now.present and self._is_exposed(entry, look.flux):
            return missing("Flux is not suspended, and would let it archive to where it is restored from")
        if now.present and not database.recovers and now.server == entry.place.rpartition("/")[2]:
            raise PermanentError(
                f"database {self.one.key} was restored, and archives to the very place that it was restored from",
                evidence=(entry.place, "somebody applied what Git says of it over its recovery"),
                hint="delete its Cluster by hand, look at what it has archived there, and run the same again",
            )
        if now.present and now.healthy:
            archiving = f"; it does not archive: {now.archiving}" if now.archiving else ""
            return satisfied(f"its operator says: {now.told}{archiving}")
        if now.present:
            return changing(f"its operator says: {now.told}", *now.waiting, hint=_hint(now.waiting))
        found = kustomization(look.flux, self.one)
        if database.recovers:
            _refuse_foreign(found, self.one)
            return missing("Flux has not made it yet", *point_words(entry.point))
        named = self._named(entry, look.databases.draft(database.namespace, database.name))
        if lacks := look.databases.draft_lacks(database.namespace, database.name):
            raise self._unreachable(named, found, lacks)
        return missing("it is not there, and Git declares no recovery: one was written for review", *named.words, identity=named)

    def _unreachable(self, named: OwnRecovery, found: KustomizationState | None, lacks: tuple[str, ...]) -> PermanentError:
        """Flux applies nothing of a Kustomization of which one object is refused, and it is right that this one's Cluster is."""
        kept = f"Kustomization {found.key}" if found is not None else "what Git has beside it"
        return PermanentError(
            f"a recovery of database {self.one.key} would wait for good: {agreed(lacks, 'is', 'are', ' and ')} not in the cluster",
            evidence=(f"the hold refuses the Cluster at {self.one.database.declared_in}, and with it all of {kept}", named.file),
            hint="give that Cluster in Git the bootstrap, externalClusters and serverName of this file, push it, and run the same"
            " again: Flux then makes all of it",
        )

    def _is_exposed(self, entry: PinnedDatabase, flux: FluxView) -> bool:
        """Whether Flux may apply a Cluster over the restored one that archives to the very place that it is read from."""
        found = kustomization(flux, self.one)
        return found is not None and not found.suspended and not archives_elsewhere(self.one, entry)

    def _suspend(self, act: ActContext) -> None:
        """TransientError where Flux goes on although it was told not to, or has not come to an end yet: nothing is made then."""
        found = kustomization(act.flux, self.one)
        if found is not None:
            act.flux.suspend(found.namespace, found.name, on=True)
            now = next((k for k in act.flux.state().kustomizations if k.key == found.key), found)
            if not now.suspended:
                raise TransientError(f"Kustomization {found.key} is not suspended though that was asked for")
            if now.reconciling:  # what had begun before goes on to its end
                raise TransientError(f"Flux is still applying Kustomization {found.key}, which it began before it was suspended")

    def _named(self, entry: PinnedDatabase, digest: str) -> OwnRecovery:
        file = str(self.house.state_dir / "databases" / f"{entry.namespace}.{entry.name}.json")
        return OwnRecovery(self.one.key, digest, file, entry.place)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        database, found = self.one.database, kustomization(act.flux, self.one)
        if act.databases.database(database.namespace, database.name).present:
            self._suspend(act)
            return
        if database.recovers:
            _refuse_foreign(found, self.one)
            if found is not None:
                act.flux.suspend(found.namespace, found.name, on=False)
                act.flux.request("Kustomization", found.namespace, found.name)
            return
        named = seen.identity
        if not isinstance(named, OwnRecovery) or not named.sha256:
            raise PermanentError(f"no recovery of database {self.one.key} lies in the state folder", next_command="invoke dr.plan")
        # Git's Cluster archives to the very place that is read: Flux must not apply it over the restored one.
        self._suspend(act)
        notes.put("manifest", named.sha256)
        act.databases.recover(database.namespace, database.name, named.sha256)

    def by_hand(self) -> str:
        database, namespace = self.one.database, self.one.database.namespace
        if self.one.database.recovers:
            kept, _, name = self.one.database.flux_app.partition("/")
            return f"flux -n {kept} reconcile kustomization {name} && kubectl -n {namespace} get cluster {database.name}"
        old = self.one.source.place.rpartition("/")[2]
        stopped = f"{suspend_by_hand(database.flux_app, on=True)} && NEW=\"$(date -u +{old}-%Y%m%dt%H%M)\""
        try:
            made = recovery_manifest(self.one.manifest, namespace, old, "$NEW")
        except PermanentError:
            return f"kubectl -n {namespace} get cluster {database.name}   # give it bootstrap.recovery in Git"
        return f"{stopped} && kubectl create -f - <<< {json_by_hand(made)}"


def kustomization(flux: FluxView, one: RestorableDatabase) -> KustomizationState | None:
    """The Kustomization that makes the database, None while Flux has none of that name."""
    return next((k for k in flux.state().kustomizations if k.key == one.database.flux_app), None)


def _refuse_foreign(found: KustomizationState | None, one: RestorableDatabase) -> None:
    if found is not None and found.suspended and not found.ours:
        raise PermanentError(
            f"Kustomization {found.key} is suspended, not by us, and stays so: Flux does not make database {one.key}",
            hint=f"to go on: flux -n {found.namespace} resume kustomization {found.name}, and run the same again",
        )


def _hint(waiting: tuple[str, ...]) -> str:
    if any("xpected empty archive" in one for one in waiting):
        return "it would archive to where an archive is already: give it another serverName"
    return "kubectl cnpg status, and the log of its recovery's pod, say more" if waiting else ""


def steps(house: House, databases: tuple[RestorableDatabase, ...]) -> Iterator[RestoreDatabase]:
    """One for every database to restore."""
    for one in databases:
        yield RestoreDatabase(house, one)
