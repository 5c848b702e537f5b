"""A drill's port on a real API server, with pods that really run: each wall of its fence and what breaks it, each planted fault.

The lab's kubelet obeys NetworkPolicies; the quota is the real controllers'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import pytest

from adapters.drills import trials
from adapters.drills.adapter import KubernetesDrills
from adapters.drills.fence import LABELS, MOVERS, POLICY, QUOTA, RECORD, SCRATCH
from adapters.drills.results import (
    Damage,
    Examination,
    Examined,
    FenceTrial,
    FenceWall,
    Health,
    Order,
    Phase,
    Restore,
    Trouble,
    Twist,
)
from adapters.kubernetes.errors import status_of
from adapters.kubernetes.kinds import CONFIG_MAP, CRD, EVENT, SECRET, Kind
from adapters.kubernetes.objects import Obj, text
from adapters.volsync.results import Snapshot
from bench.proof import Load, Rig, rig
from engine.waiting import SystemClock, wait_until
from house.values.rehearsing import PYTHON, ClaimProbe, Preset
from lab.parts.kube import CLAIMS, NAMESPACES
from recovery.compared.comparison import compare
from rehearsal.controls import DAMAGES, caught
from tests.adapters.hold.objects import standing_crd
from tests.lab.parts.bench import Bench, cheaply_opened

pytestmark = pytest.mark.programs
CLOCK = SystemClock()


@dataclass(frozen=True)
class Drilled:
    """A volume that VolSync has backed up, and the drills port beside it with its fence raised."""

    rig: Rig
    drills: KubernetesDrills

    def order(self, into: str, twist: Twist = Twist.NONE) -> Order:
        return Order(into, self.rig.space, "app", self.rig.snapshot(), 1 << 20, twist)

    def restored(self, order: Order) -> Restore:
        self.drills.restore(order)

        def ended() -> Restore | None:
            state = self.drills.restored(order.into)
            return state if state.phase in (Phase.DONE, Phase.FAILED) else None

        return wait_until(CLOCK, ended, limit_s=60.0, what=order.into)

    def tried(self) -> dict[FenceWall, FenceTrial]:
        return {trial.wall: trial for trial in self.drills.try_fence(self.rig.space, "app")}


@pytest.fixture(scope="module")
def drilled(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drilled]:
    with rig(bench, tmp_path_factory.mktemp("drilled")) as made:
        made.once_backed_up = cheaply_opened
        made.restored(Load(3 << 16, 6, 2))
        drills = KubernetesDrills(made.clients, "the-house", CLOCK, made.reader)
        drills.fence_in("the-drill")
        yield Drilled(made, drills)
        drills.clear()
        wait_until(CLOCK, lambda: True if drills.scratch() is None else None, limit_s=60.0, what="the clearing")
        assert SCRATCH not in [one["metadata"]["name"] for one in bench.kube.list(NAMESPACES)]


def no_policy(there: Drilled) -> None:
    there.rig.clients.main().delete(POLICY, "nothing-in-or-out", SCRATCH)


def another_store(there: Drilled) -> None:
    changed = {"stringData": {"RESTIC_REPOSITORY": f"s3:{there.rig.door.url}/backups/elsewhere"}}
    there.rig.clients.main().merge(SECRET, "repository", changed, there.rig.space)


def movers_anywhere(there: Drilled) -> None:
    """As a house's own policy for movers, of every namespace, might say."""
    spec: Obj = {"podSelector": {"matchLabels": MOVERS}, "policyTypes": ["Egress"], "egress": [{}]}
    there.rig.clients.main().create(POLICY, {"metadata": {"name": "of-the-house"}, "spec": spec}, SCRATCH)


def quota_without(there: Drilled, words: str) -> None:
    found = there.rig.clients.main().get(QUOTA, "nothing-reaches-out", SCRATCH)
    assert found is not None
    some = {key: "0" for key in found["spec"]["hard"] if words not in key}
    there.rig.clients.main().delete(QUOTA, "nothing-reaches-out", SCRATCH)
    made = {"metadata": {"name": "nothing-reaches-out", "labels": LABELS}, "spec": {"hard": some}}
    there.rig.clients.main().create(QUOTA, made, SCRATCH)

    def taken_up() -> bool | None:
        quota = there.rig.clients.main().get(QUOTA, "nothing-reaches-out", SCRATCH) or {}
        return True if quota.get("status", {}).get("hard") == some else None

    wait_until(CLOCK, taken_up, limit_s=30.0, what="the quota")


def picked_up(there: Drilled) -> None:
    changed = {"metadata": {"annotations": {"external-dns.alpha.kubernetes.io/hostname": "notes.example"}}}
    there.rig.clients.main().merge(CONFIG_MAP, RECORD, changed, SCRATCH)


BREAKS: dict[FenceWall, tuple[Callable[[Drilled], None], str]] = {
    FenceWall.EGRESS: (no_policy, "an application's pod gets to store"),
    FenceWall.STORE: (another_store, "it does not"),
    FenceWall.MOVERS: (movers_anywhere, "a mover's pod gets to "),
    FenceWall.QUOTA: (lambda there: quota_without(there, "services"), "admitted: a Service"),
    FenceWall.BACKUPS: (lambda there: quota_without(there, "replicationsources"), "admitted: a ReplicationSource"),
    FenceWall.NAMES: (picked_up, "external-dns"),
}
"""Each wall with what breaks it. A token cannot be put into a pod here: tests/adapters/drills breaks that one."""


def test_every_wall_of_the_fence_holds(drilled: Drilled) -> None:
    tried = drilled.tried()
    assert [wall for wall, trial in tried.items() if not trial.proven] == [], tried
    assert tried.keys() == set(FenceWall)
    assert BREAKS.keys() | {FenceWall.TOKEN} == set(FenceWall)


@pytest.mark.parametrize("wall", list(BREAKS))
def test_a_broken_wall_is_told_by_its_name_and_no_other_is(drilled: Drilled, wall: FenceWall) -> None:
    client = drilled.rig.clients.main()
    spoil, told = BREAKS[wall]
    spoil(drilled)
    try:
        tried = drilled.tried()
    finally:
        client.delete(POLICY, "of-the-house", SCRATCH)
        client.merge(CONFIG_MAP, RECORD, {"metadata": {"annotations": None}}, SCRATCH)
        again = {"stringData": {"RESTIC_REPOSITORY": f"s3:{drilled.rig.door.url}/backups/notes"}}
        client.merge(SECRET, "repository", again, drilled.rig.space)
        drilled.drills.fence_in("the-drill")
    assert [one for one, trial in tried.items() if not trial.proven] == [wall], tried
    assert told in tried[wall].detail


def test_a_kind_that_the_cluster_has_not_begun_to_count_is_shut_as_well(drilled: Drilled) -> None:
    """As VolSync's are in a house that was built just now."""
    client = drilled.rig.clients.main()
    toy = Kind("toys.example.com", "v1", "toys", "Toy")
    body: Obj = {"apiVersion": toy.api_version, "kind": toy.name, "metadata": {"name": "trial"}}
    client.create(CRD, standing_crd(toy))
    try:
        quota = {"metadata": {"name": "no-toys"}, "spec": {"hard": {f"count/{toy.plural}.{toy.group}": "0"}}}
        client.create(QUOTA, quota, SCRATCH)

        def refused() -> FenceTrial | None:
            answer = client.ask("POST", toy.path(SCRATCH), "try a toy", params={"dryRun": "All"}, body=body)
            trial = trials.refused(FenceWall.QUOTA, {"a toy": (answer.code, text(status_of(answer.body), "message"))})
            return trial if answer.code == 403 else None

        trial = wait_until(CLOCK, refused, limit_s=30.0, what="a refusal")
        assert trial.proven, trial
    finally:
        client.delete(QUOTA, "no-toys", SCRATCH)
        client.delete(CRD, f"{toy.plural}.{toy.group}")


def test_each_fault_that_keeps_a_restore_from_anything_comes_out_by_its_name(drilled: Drilled) -> None:
    plain = drilled.order("elsewhere")
    other = replace(plain, snapshot=Snapshot("0" * 64, plain.snapshot.snapshot_id))
    gone = replace(plain, into="gone", snapshot=Snapshot(plain.snapshot.repository_id, "0" * 64))
    orders = {
        Trouble.OTHER_REPOSITORY: other, Trouble.NO_SNAPSHOT: gone,
        Trouble.WRONG_PASSWORD: drilled.order("word", Twist.WRONG_PASSWORD),
        Trouble.NO_REPOSITORY: drilled.order("nowhere", Twist.EMPTY_REPOSITORY),
    }  # fmt: skip
    for order in orders.values():
        drilled.drills.restore(order)
    came = {trouble: drilled.restored(order) for trouble, order in orders.items()}
    assert {trouble: state.trouble for trouble, state in came.items()} == {trouble: trouble for trouble in orders}, came
    repository = drilled.rig.folder / "s3" / "buckets" / "backups" / "notes"
    assert (repository / "config").exists()
    assert not list(repository.glob("locks/*"))


def test_what_is_damaged_after_a_restore_is_found_at_its_path(drilled: Drilled) -> None:
    """By the restore's own pod, and by another."""
    order = drilled.order("back")
    assert drilled.restored(order).phase is Phase.DONE
    assert differences(drilled, order) == differences(drilled, order, anew=True) == ()
    kinds = {damage: kind for kind, damage in DAMAGES.items()}
    for damage in (Damage.OWNER_CHANGED, Damage.FILE_GONE):  # a flipped byte: tests/lab/lived_in/test_drilled.py
        spoilt = replace(order, into=f"spoilt-{damage.value}", damage=damage)
        state = drilled.restored(spoilt)
        for anew in (False, True):
            found = differences(drilled, spoilt, anew=anew)
            assert caught(kinds[damage], state.damaged, found), (damage, state, found)
    claims = [one["metadata"]["name"] for one in drilled.rig.bench.kube.list(CLAIMS, drilled.rig.space)]
    assert "back" not in claims


def test_the_restores_own_pod_is_asked_as_long_as_nobody_else_was_at_the_volume(drilled: Drilled) -> None:
    """What another pod of the drill has written since is in no answer of it, and neither is another snapshot."""
    order = drilled.order("mine")
    assert drilled.restored(order).phase is Phase.DONE
    pods = len(readers(drilled))
    assert differences(drilled, order) == ()
    assert len(readers(drilled)) == pods
    assert differences(drilled, order, anew=True) == ()
    assert len(readers(drilled)) == pods + 1
    nothing = replace(order, against=Snapshot(order.snapshot.repository_id, "0" * 64))
    assert drilled.drills.compare(nothing).checked is None
    of = Examination(order, ClaimProbe(Preset.COMMAND, "docker.io/library/busybox:1", command=("sh", "-c", "touch /data/mine")))
    drilled.drills.examine(of)

    def ended() -> bool | None:
        return drilled.drills.examined(of).phase is Phase.DONE or None

    wait_until(CLOCK, ended, limit_s=60.0, what="the probe")
    assert differences(drilled, order)[:1] == ("not in the snapshot: mine",)


def readers(there: Drilled) -> list[str]:
    """The Jobs that have read a volume, by the events of their pods: they themselves go at once."""
    events = there.rig.clients.main().list_objects(EVENT, SCRATCH)
    jobs = {text(one, "involvedObject", "name") for one in events if text(one, "involvedObject", "kind") == "Job"}
    return [name for name in jobs if name.startswith("volsync-blackstart-")]


def test_a_probe_runs_on_what_was_restored_and_its_answer_is_read(drilled: Drilled) -> None:
    """As whom it was restored, behind the fence; what cannot be started has shown nothing of the data."""
    order = drilled.order("probed")
    assert drilled.restored(order).phase is Phase.DONE
    shell = partial(ClaimProbe, Preset.COMMAND, "docker.io/library/busybox:1")
    asked: dict[str, tuple[ClaimProbe, Health]] = {
        "files": (ClaimProbe(Preset.FILES), Health.SOUND),
        "no such file": (ClaimProbe(Preset.FILES, paths=("gone/away",)), Health.ILL),
        "no database": (ClaimProbe(Preset.SQLITE, PYTHON), Health.ILL),
        "command": (shell(command=("sh", "-c", "ls /data && touch /data/mine")), Health.SOUND),
        "it says no": (shell(command=("sh", "-c", "echo not mine; exit 3")), Health.ILL),
        "no such program": (shell(command=("no-such-program",)), Health.UNSEEN),
        "too slow": (shell(command=("sleep", "60"), limit_s=2.0), Health.UNSEEN),
    }  # fmt: skip
    for probe, _ in asked.values():
        drilled.drills.examine(Examination(order, probe))
    for name, (probe, health) in asked.items():
        of = Examination(order, probe)

        def ended(of: Examination = of) -> Examined | None:
            state = drilled.drills.examined(of)
            return state if state.phase is Phase.DONE else None

        found = wait_until(CLOCK, ended, limit_s=60.0, what=name)
        assert found.health is health, (name, found)
    assert drilled.drills.examined(Examination(order, ClaimProbe(Preset.POSTGRES, "x"))).phase is Phase.ABSENT


def differences(there: Drilled, order: Order, *, anew: bool = False) -> tuple[str, ...]:
    seen = there.drills.compare(order, anew=anew)
    return compare(there.rig.listing(order.snapshot), seen).differences
