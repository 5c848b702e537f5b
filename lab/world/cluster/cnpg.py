"""The operator that makes databases: it can be wrong, and say that all is well. Knows no Cluster as YAML and no S3."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from adapters.cnpg.results import Left, Reached, Turn
from lab.world.cluster.databases import HEALTHY, UNRECOVERABLE, DatabaseTrouble, LabDatabase, StoredDatabase, number_of
from lab.world.cluster.kubernetes import KubeWorld, Objects


@dataclass
class Operator:
    """Makes databases in one modelled cluster. `troubles` by the database's key, `drafts` what lies in the state folder; `lacking`
    by the key what a recovery would need and is not in the cluster."""

    kube: KubeWorld
    troubles: dict[str, DatabaseTrouble] = field(default_factory=dict)
    drafts: dict[tuple[str, str], str] = field(default_factory=dict)
    lacking: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def make(self, objects: Objects, key: tuple[str, str], writes: str, source: str = "", target: float = 0.0) -> None:
        """Begin one: by recovery from the archive at `source`, or empty where that is "". One that is there stays."""
        if key in objects.clusters:
            return
        world, name = self.kube.world, "/".join(key)
        made = LabDatabase(f"uid-{name}-{len(objects.clusters)}-{world.clock.now():.0f}", world.clock.now(), bool(source), writes)
        objects.clusters[key] = made
        objects.databases_made.add(key)
        world.happened("cnpg", f"makes {name} {'from ' + source if source else 'empty'}")
        world.after(self.kube.delays.restore_s, f"database {name}", lambda: self._made(made, name, source, target))

    def sleep(self, one: LabDatabase, *, on: bool, left: Left | None = None) -> None:
        """Its pods end, or come back, some seconds after it was told to. What of its log was not archived yet is, as it ends."""
        one.to_sleep = one.ours = on
        one.left = left if on else None

        def done() -> None:
            if one.to_sleep is on:
                one.asleep = on
                archive = self.kube.store.databases.get(one.writes)
                if on and archive is not None and one.reached is not None and not one.archiving:
                    ended = (number_of(one.reached.lsn), self.kube.world.clock.now())
                    self.kube.store.databases[one.writes] = replace(archive, ended=ended)

        self.kube.world.after(self.kube.delays.start_s, "hibernation", done)

    def _made(self, made: LabDatabase, name: str, source: str, target: float) -> None:
        store, trouble = self.kube.store, self.troubles.get(name)
        in_use = made.writes in store.databases or made.writes in store.archives
        if source and (in_use or source not in store.databases):
            why = "Expected empty archive" if in_use else "no target backup found"
            made.waiting = (f"pod {name.partition('/')[2]}-1-full-recovery: {why}",)
            return
        if trouble is DatabaseTrouble.STUCK:
            made.waiting = ("pod pg-1-full-recovery: CrashLoopBackOff: recovery ended before the target was reached",)
            return
        if trouble is DatabaseTrouble.HOPELESS:
            made.phase = UNRECOVERABLE
            return
        made.phase, made.password_works = HEALTHY, trouble is not DatabaseTrouble.LOGIN
        if not source or trouble is DatabaseTrouble.EMPTY:
            made.reached = Reached("7000000000000000000", 1, 1 << 25, recovering=False)
            made.archiving = "Expected empty archive" if in_use else ""
            return
        made.reached, made.rows = recovered(store.databases[source], target, trouble)


def recovered(archive: StoredDatabase, target: float, trouble: DatabaseTrouble | None) -> tuple[Reached, tuple[str, ...]]:
    """What comes of a restore to that time (0.0: to the end of the log): who it is then, and its rows."""
    target = 0.0 if trouble is DatabaseTrouble.PAST_ITS_TARGET else target
    commits = archive.until(target)
    commits = commits[:1] if trouble is DatabaseTrouble.EARLY else commits
    ended = replace(archive, timeline=archive.timeline + 1) if trouble is DatabaseTrouble.OTHER_TIMELINE else archive
    reason = "before a time" if target and len(commits) < len(archive.commits) else "no recovery target specified"
    left = tuple(Turn(line, 1 << 20, "no recovery target specified") for line in range(1, archive.timeline))
    on = Turn(ended.timeline, commits[-1].lsn + 40, reason)
    reached = Reached(archive.system_id, ended.timeline + 1, on.lsn + 4096, recovering=False, turns=(*left, on))
    return reached, tuple(one.row for one in commits)
