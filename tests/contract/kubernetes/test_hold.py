"""What every door of the Hold port must do: the record as it was read, no write over somebody else's, and who may write where."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from adapters.archives.results import RecoveryPoint
from adapters.hold.adapter import KubernetesHold
from adapters.hold.policies import BINDINGS
from adapters.hold.record import RECORD
from adapters.hold.results import NO_ENTRY, AcceptedDatabase, HeldClaim, HoldState, PinnedDatabase, Verdict
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import ADMISSION_BINDING, CONFIG_MAP, JOB
from adapters.kubernetes.kinds import NAMESPACE as NAMESPACES
from adapters.ports import Hold
from cluster.hold.holding import hold_probe, judged
from cluster.hold.lifted import admitted_everywhere
from engine.errors import TransientError
from engine.probe import Condition
from engine.waiting import SystemClock
from lab.world.cluster.volumes import Destination, Source
from recovery.checks.mounted import POLICIES_BY_HAND
from tests.adapters.cluster_house import house_on
from tests.adapters.hold.objects import backup_job, denied, restore_job
from tests.contract.apiserver import ApiServers, needed, program
from tests.scenario.running import Running

SPACE = "apps"
PIN = "2026-01-02T03:04:05Z"


@dataclass
class Door:
    """A Hold port. `restore_into`: why a restore that writes into a claim is refused, (destination, its pin, the claim) -> words.

    `forget`: somebody takes the entry of apps/notes out of the record. `wait`: a moment passes. `backup`: why a backup of a claim
    is refused. `blind`: the API servers judge by the record of now from here on, whatever it will be; `sees`: no more.
    """

    hold: Hold
    restore_into: Callable[[str, str, str], str]
    forget: Callable[[], None]
    wait: Callable[[], None]
    backup: Callable[[str], str]
    blind: Callable[[], None]
    sees: Callable[[], None]


@pytest.fixture(scope="module")
def clients(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    made = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    made.main().create(NAMESPACES, {"metadata": {"name": SPACE}})
    yield made
    made.close()


@pytest.fixture
def real(clients: Clients) -> Door:
    client = clients.main()
    # A record of its own for each test. Not while policies stand: they refuse this as long as a claim is held.
    if client.get(CONFIG_MAP, "hold", "blackstart") is not None:
        client.merge(CONFIG_MAP, "hold", {"data": {f"state.{SPACE}.notes": "released"}}, "blackstart")
        time.sleep(0.1)
        client.delete(CONFIG_MAP, "hold", "blackstart")
    return Door(
        KubernetesHold(clients, SystemClock()),
        lambda name, pin, claim: denied(client, JOB, restore_job(name, pin, claim=claim), SPACE),
        lambda: client.merge(CONFIG_MAP, "hold", {"data": {f"state.{SPACE}.notes": None}}, "blackstart"),
        lambda: time.sleep(0.05),
        lambda claim: denied(client, JOB, backup_job(claim, claim), SPACE),
        partial(judge_by_a_copy, client),
        partial(judge_by, client, RECORD),
    )


def judge_by_a_copy(client: ApiClient) -> None:
    found = client.get(CONFIG_MAP, RECORD, "blackstart")
    assert found is not None
    before = f"{RECORD}-of-before"
    if client.get(CONFIG_MAP, before, "blackstart") is not None:  # of another test
        client.delete(CONFIG_MAP, before, "blackstart")
    client.create(CONFIG_MAP, {"metadata": {"name": before}, "data": found["data"]}, "blackstart")
    judge_by(client, before)


def judge_by(client: ApiClient, name: str) -> None:
    """What an API server does that follows the record no more, without the loss of its watch for all tests to come."""
    for binding in BINDINGS:
        if "paramRef" in binding["spec"]:
            client.merge(ADMISSION_BINDING, binding["metadata"]["name"], {"spec": {"paramRef": {"name": name}}})


@pytest.fixture
def modelled(tmp_path: Path) -> Door:
    house = Running.bootstrapped(tmp_path)
    kube = house.home.kube
    kube.objects().record = None

    def restore_into(name: str, pin: str, claim: str) -> str:
        destination = Destination(SPACE, name, "s3:https://s3/notes", "once", restore_as_of=pin, mounts=claim)
        return kube.admits_restore(kube.objects(), destination)

    def forget() -> None:
        (kube.objects().record or {}).pop((SPACE, "notes"))

    def backup(claim: str) -> str:
        return kube.admits_backup(kube.objects(), Source(SPACE, claim, claim, "s3:https://s3/notes"))

    def blind() -> None:
        for node in house.house.control_planes:
            kube.goes_blind(node.address)

    hold = house.home.act("run").hold
    return Door(hold, restore_into, forget, lambda: house.clock.sleep(1.0), backup, blind, kube.blind.clear)


@pytest.fixture(params=["modelled", pytest.param("real", marks=pytest.mark.programs)])
def door(request: pytest.FixtureRequest) -> Door:
    found: Door = request.getfixturevalue(request.param)
    return found


def entry(name: str = "notes", **changes: object) -> HeldClaim:
    return replace(HeldClaim(SPACE, name, HoldState.HELD, f"{name}-dst", name, since=1.0), **changes)  # type: ignore[arg-type] # by field's name


def read(door: Door, name: str = "notes") -> HeldClaim:
    found = door.hold.record().claim(SPACE, name)
    assert found is not None
    return found


def test_what_is_written_is_read_again_whole(door: Door) -> None:
    assert not door.hold.record().present
    written = entry(
        repository_id="r1", snapshot_id="s1", pin=PIN, image="image-1", proof="every byte", depth="tree", reason="why",
        replaces="s0", released=2.0, image_uid="u1", volume="v1", uid="u2", filling=True,
    )  # fmt: skip
    door.hold.put(written)
    assert read(door) == written
    assert read(door).seen not in ("", NO_ENTRY)
    door.hold.accept(AcceptedDatabase(SPACE, "db", "no base backup was ever made", 3.0))
    assert door.hold.record().database(SPACE, "db") == AcceptedDatabase(SPACE, "db", "no base backup was ever made", 3.0)
    point = RecoveryPoint("20260102T030000", "7123", 2, 1 << 30, "0" * 24, 3.5)
    pinned = PinnedDatabase(SPACE, "db", "s3:https://s3.invalid/db/pg", point, 1.5, "uid", 4.5, "timeline 2")
    door.hold.put_database(pinned)
    assert (door.hold.record().pinned, door.hold.record().databases) == ((pinned,), ())
    door.hold.accept(AcceptedDatabase(SPACE, "db", "after all", 5.0))
    assert (door.hold.record().pinned, len(door.hold.record().databases)) == ((), 1)
    assert read(door) == written


@pytest.mark.parametrize("change", [{"state": HoldState.RELEASED}, {"pin": PIN}, {"uid": "another"}, {"reason": "by hand"}])
def test_what_was_read_is_not_written_over_what_somebody_else_wrote_since(door: Door, change: dict[str, object]) -> None:
    door.hold.put(entry())
    seen = read(door)
    others = replace(seen, **change)  # type: ignore[arg-type] # by field's name
    door.hold.put(others)
    with pytest.raises(TransientError, match=f"{SPACE}/notes was changed by somebody else"):
        door.hold.put(replace(seen, state=HoldState.ACCEPTED_EMPTY))
    assert read(door) == others
    door.hold.put(replace(read(door), state=HoldState.ACCEPTED_EMPTY))
    assert read(door).state is HoldState.ACCEPTED_EMPTY


def test_what_was_not_there_when_it_was_looked_at_is_not_written_over(door: Door) -> None:
    door.hold.put(entry(seen=NO_ENTRY))
    door.hold.put(entry(seen=NO_ENTRY))  # the very same: nothing to write
    with pytest.raises(TransientError, match="was changed by somebody else"):
        door.hold.put(entry(state=HoldState.RELEASED, seen=NO_ENTRY))
    assert read(door).state is HoldState.HELD


def test_an_entry_that_is_gone_is_not_written_anew_from_what_was_read(door: Door) -> None:
    door.hold.put(entry())
    seen = read(door)
    door.forget()
    with pytest.raises(TransientError, match="it is gone"):
        door.hold.put(replace(seen, state=HoldState.RELEASED))
    assert door.hold.record().claim(SPACE, "notes") is None


def test_no_restore_writes_into_a_held_claim_be_its_pin_right(door: Door) -> None:
    door.hold.put(entry("photos"))
    door.hold.put(entry(pin=PIN))
    door.hold.install(rebuilt=False)
    until(door, lambda: all(refusal.refused for refusal in door.hold.refusals()))
    for claim in ("photos", "notes"):
        told = door.restore_into("notes-dst", PIN, claim)
        assert claim in told
        assert "would write into" in told
        assert "invoke dr.restore" in told
    assert door.restore_into("notes-dst", PIN, "a-copy") == ""
    door.hold.put(replace(read(door, "photos"), state=HoldState.RELEASED))
    door.wait()
    assert door.restore_into("notes-dst", PIN, "photos") == ""
    door.hold.put(replace(read(door), state=HoldState.RELEASED))


def test_a_refusal_by_a_record_of_before_is_no_hold(door: Door) -> None:
    for claim in (entry("photos"), entry(state=HoldState.RELEASED)):
        door.hold.put(claim)
    door.hold.install(rebuilt=False)
    until(door, lambda: hold_probe(door.hold).condition is Condition.SATISFIED)
    door.blind()
    door.hold.put(replace(read(door), state=HoldState.HELD))
    until(door, lambda: not door.backup("notes"))
    assert door.backup("photos"), "the canary of the record of before is refused, too, and another claim is let through"
    answers = door.hold.refusals()
    assert Verdict.ADMITTED not in {answer.verdict for answer in answers}
    seen = judged(answers)
    assert (seen.condition, "restarted" in seen.detail) == (Condition.UNKNOWN, True)
    door.sees()
    until(door, lambda: hold_probe(door.hold).condition is Condition.SATISFIED)
    assert door.backup("notes")
    for name in ("photos", "notes"):
        door.hold.put(replace(read(door, name), state=HoldState.RELEASED))


def test_what_is_let_go_is_admitted_only_where_each_server_admits_it(door: Door) -> None:
    """One that judges by a record of before goes on refusing: the record alone says nothing of that."""
    door.hold.put(entry())
    door.hold.install(rebuilt=False)
    until(door, lambda: hold_probe(door.hold).condition is Condition.SATISFIED)
    (first, *_) = door.hold.backup_tried(SPACE, "notes", "notes")
    assert first.verdict is Verdict.REFUSED
    door.blind()
    door.hold.put(replace(read(door), state=HoldState.RELEASED))
    until(door, lambda: {one.verdict for one in door.hold.backup_tried(SPACE, "notes", "notes")} == {Verdict.STALE})
    seen = admitted_everywhere(door.hold, entry())
    assert (seen.condition, "restart kube-apiserver" in seen.detail) == (Condition.UNKNOWN, True)
    door.sees()
    until(door, lambda: admitted_everywhere(door.hold, entry()).condition is Condition.SATISFIED)


def until(door: Door, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not done():
        assert time.monotonic() < deadline
        door.wait()


@pytest.mark.programs
def test_the_line_that_looks_at_what_mounts_a_repository_is_one_that_kubectl_takes(real_api: ApiServers) -> None:
    needed("kubectl")
    words = POLICIES_BY_HAND.partition("   #")[0].split()
    assert words[0] == "kubectl"
    argv = [str(program("kubectl")), "--kubeconfig", str(real_api.kubeconfig), *words[1:]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
