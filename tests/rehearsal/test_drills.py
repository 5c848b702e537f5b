"""Drills beside a modelled house: what each shows, and that nothing of it stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.drilled import HouseTaken
from adapters.drills.results import FenceWall, Found
from adapters.drills.results import Trouble as Trouble_
from adapters.hold.results import HoldState
from adapters.kubernetes.results import LeaseHolder
from adapters.surface import MutationRefused
from adapters.volsync.results import FileEntry
from lab.world.store import Trouble, a_file
from rehearsal.controls import Kind
from rehearsal.outcome import DrillOutcome, DrillVerdict
from tests.crash.apart import Built
from tests.rehearsal.drilling import Drilling
from tests.rehearsal.planting import locked
from tests.rehearsal.stage import DrilledHouse


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built[DrilledHouse]:
    """A house of three claims that lives: its backups are an hour old, and older ones hold something else."""
    return Built(lambda folder: DrilledHouse(folder, 1), tmp_path_factory.mktemp("drills") / "house")


PARTS = ("free", "fence", "canary", "pin", "restore", "compare", "probe", "control", "conclude", "clear")


def drilled(built: Built[DrilledHouse], rig: Callable[[Drilling], object], control: Kind = Kind.BYTE_FLIPPED) -> DrillOutcome:
    """The outcome of one drill in that house, rigged so. Nothing of it may stay, nor touch the house's own."""

    def play(there: DrilledHouse) -> DrillOutcome:
        rig(there.drilling)
        before = there.told()
        outcome = there.drilling.drill(control)
        assert there.drilling.home.kube.objects().drill is None, "something of the drill is left"
        assert there.told() == before, "the house is not as it was"
        return outcome

    return built.visit(play)


def nothing(there: Drilling) -> None:
    """All is well."""


def repository(there: Drilling, name: str = "notes"):  # type: ignore[no-untyped-def]  # lab.world.store.StoredRepository
    """The repository of one claim."""
    claim = next(c for c in there.house.claims if c.claim == name)
    return there.home.store.repositories[claim.mover_repository]


@pytest.mark.parametrize("control", list(Kind))
def test_a_drill_of_three_claims_passes_with_any_control(built: Built[DrilledHouse], control: Kind) -> None:
    outcome = drilled(built, nothing, control)
    assert outcome.verdict is DrillVerdict.PASS, outcome
    assert (outcome.control.name, outcome.control.caught) == (control.value, True)
    assert outcome.reasons == ()
    assert [claim.name for claim in outcome.claims] == ["apps/notes", "apps/photos", "apps/wiki"]
    for claim in outcome.claims:
        assert claim.files == 2
        assert claim.restored_bytes
        assert claim.rpo_seconds is not None
        assert claim.rto_seconds is not None
        assert 60 < claim.rpo_seconds < 3600
        assert 0 < claim.rto_seconds <= outcome.seconds
    assert outcome.simulated
    assert {stage.name for stage in outcome.stages} >= {"fence", "pin", "restore", "compare", "control", "conclude", "clear"}


@pytest.mark.parametrize("wall", list(FenceWall))
def test_a_wall_that_does_not_hold_lets_nothing_start(built: Built[DrilledHouse], wall: FenceWall) -> None:
    outcome = drilled(built, lambda there: there.home.kube.objects().rigged.open_walls.add(wall))
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert [part.name for part in outcome.fence if not part.proven] == [wall.value]
    assert any(wall.value in reason for reason in outcome.reasons)
    assert all(claim.verdict is DrillVerdict.UNVERIFIED for claim in outcome.claims)
    assert outcome.control.name == ""


CANARIES: dict[str, tuple[Callable[[Drilling], object], DrillVerdict, str]] = {
    "an older word": (lambda t: found(t, Found("0" * 32)), DrillVerdict.FAIL, "stale"),
    "a word with more behind it": (lambda t: found(t, Found("0" * 32 + "?")), DrillVerdict.FAIL, "garbled"),
    "no word at all": (lambda t: found(t, Found("")), DrillVerdict.FAIL, "empty"),
    "no repository": (lambda t: found(t, Found(None, Trouble_.NO_REPOSITORY)), DrillVerdict.FAIL, "no repository is there"),
    "no snapshot": (lambda t: found(t, Found(None, Trouble_.NO_SNAPSHOT)), DrillVerdict.FAIL, "not in the repository"),
    "damaged": (lambda t: found(t, Found(None, Trouble_.DAMAGED)), DrillVerdict.FAIL, "damaged"),
    "a store that is silent": (lambda t: found(t, Found(None, Trouble_.UNREACHABLE)), DrillVerdict.UNVERIFIED, "cannot be seen"),
    "a pod that broke off": (lambda t: found(t, Found(None, None, "broke off")), DrillVerdict.UNVERIFIED, "broke off"),
    "never backed up": (lambda t: setattr(t.home.kube.objects().rigged, "dumb", True), DrillVerdict.UNVERIFIED, "not backed up"),
}


def found(there: Drilling, what: Found) -> None:
    """What the canary's repository holds."""
    there.home.kube.objects().rigged.canary = what


@pytest.mark.parametrize("what", list(CANARIES))
def test_a_canary_that_does_not_come_back_is_never_a_pass(built: Built[DrilledHouse], what: str) -> None:
    rig, verdict, told = CANARIES[what]
    outcome = drilled(built, rig)
    assert (outcome.verdict, outcome.canary.verdict) == (verdict, verdict)
    assert any(told in reason for reason in outcome.reasons), outcome.reasons
    assert [claim.verdict for claim in outcome.claims] == [DrillVerdict.PASS] * 3


def test_a_canary_that_comes_back_is_timed(built: Built[DrilledHouse]) -> None:
    canary = drilled(built, nothing).canary
    assert (canary.verdict, canary.detail) == (DrillVerdict.PASS, "exactly what was written came back")
    assert canary.seconds is not None and 5 < canary.seconds < 60


SPOILS: dict[str, tuple[Callable[[tuple[FileEntry, ...]], tuple[FileEntry, ...]], str]] = {
    "a byte": (lambda e: (replace(e[0], sha256="1" * 64), *e[1:]), "content: notes/one.md"),
    "a file gone": (lambda e: e[1:], "missing: notes/one.md"),
    "a file more": (lambda e: (*e, a_file("more", "x")), "not in the snapshot: more"),
    "nothing": (lambda e: (), "missing: notes/one.md"),
    "owners": (lambda e: tuple(replace(x, uid=n) for n, x in enumerate(e)), "owner ("),
    "a mode": (lambda e: (replace(e[0], mode=0o600), *e[1:]), "mode ("),
    "a size": (lambda e: (replace(e[0], size=1), *e[1:]), "size ("),
}


@pytest.mark.parametrize("what", list(SPOILS))
def test_what_comes_back_wrong_fails_by_its_name(built: Built[DrilledHouse], what: str) -> None:
    spoil, told = SPOILS[what]

    def rig(there: Drilling) -> None:
        there.home.kube.objects().rigged.spoil = lambda into, entries: spoil(entries) if into.startswith("notes-back") else entries

    outcome = drilled(built, rig)
    assert outcome.verdict is DrillVerdict.FAIL
    assert told in outcome.claims[0].reason
    assert [claim.verdict for claim in outcome.claims] == [DrillVerdict.FAIL, DrillVerdict.PASS, DrillVerdict.PASS]
    assert outcome.control.caught


STORES: dict[str, tuple[Callable[[Drilling], object], DrillVerdict, str]] = {
    "gone": (lambda t: t.home.store.repositories.pop(t.house.claims[0].mover_repository), DrillVerdict.FAIL, "missing"),
    "empty": (lambda t: repository(t).snapshots.clear(), DrillVerdict.FAIL, "empty"),
    "damaged": (lambda t: setattr(repository(t), "trouble", Trouble.DAMAGED), DrillVerdict.FAIL, "unreadable"),
    "another password": (lambda t: setattr(repository(t), "trouble", Trouble.REFUSED), DrillVerdict.FAIL, "refused"),
    "kopia's": (lambda t: setattr(repository(t), "trouble", Trouble.FOREIGN), DrillVerdict.FAIL, "foreign"),
    "silent": (lambda t: setattr(repository(t), "trouble", Trouble.UNREACHABLE), DrillVerdict.UNVERIFIED, "cannot be seen"),
    "a pack lost": (lambda t: setattr(repository(t), "sound", "listed"), DrillVerdict.FAIL, "unreadable"),
    "locked": (lambda t: locked(t.home, t.house.claims[0].mover_repository), DrillVerdict.UNVERIFIED, "cannot be seen"),
}


@pytest.mark.parametrize("what", list(STORES))
def test_a_repository_that_no_restore_could_use(built: Built[DrilledHouse], what: str) -> None:
    rig, verdict, told = STORES[what]
    outcome = drilled(built, rig)
    assert outcome.verdict is verdict, outcome
    assert outcome.claims[0].verdict is verdict
    assert told in outcome.claims[0].reason
    assert [claim.verdict for claim in outcome.claims[1:]] == [DrillVerdict.PASS, DrillVerdict.PASS]


def test_a_store_that_does_not_answer_is_no_failure_of_the_backups(built: Built[DrilledHouse]) -> None:
    outcome = drilled(built, lambda there: setattr(there.home.store, "down", True))
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert [part.name for part in outcome.fence if not part.proven] == ["store"]


def test_no_room_for_the_pods_is_no_failure_of_the_backups(built: Built[DrilledHouse]) -> None:
    outcome = drilled(built, lambda there: setattr(there.home.kube.objects().rigged, "room", False))
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert "did not start" in outcome.claims[0].reason


@pytest.mark.parametrize("control", [Kind.BYTE_FLIPPED, Kind.FILE_GONE, Kind.OLDER_SNAPSHOT])
def test_a_drill_that_is_blind_has_shown_nothing(built: Built[DrilledHouse], control: Kind) -> None:
    outcome = drilled(built, lambda there: setattr(there.home.kube.objects().rigged, "blind", True), control)
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert not outcome.control.caught
    assert "NOT caught" in outcome.reasons[0]


def test_a_blind_drill_is_void_even_where_a_claim_fails(built: Built[DrilledHouse]) -> None:
    def rig(there: Drilling) -> None:
        there.home.kube.objects().rigged.blind = True
        repository(there).snapshots.clear()

    assert drilled(built, rig).verdict is DrillVerdict.UNVERIFIED


def test_nothing_begins_while_a_claim_is_held(built: Built[DrilledHouse]) -> None:
    def rig(there: Drilling) -> None:
        record = there.home.kube.objects().record
        assert record is not None
        record[("apps", "wiki")] = replace(record[("apps", "wiki")], state=HoldState.HELD)

    outcome = drilled(built, rig)
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert any("1 held: a recovery is going on" in reason for reason in outcome.reasons)


def test_nothing_begins_while_a_run_is_in_flight(built: Built[DrilledHouse]) -> None:
    def play(there: DrilledHouse) -> tuple[DrillOutcome, bool]:
        reached = len(there.world.faults.reached)
        outcome = there.drilling.drill(house_in_flight=("recovery.restore/apps/notes",))
        return outcome, len(there.world.faults.reached) == reached

    outcome, untouched = built.visit(play)
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert untouched


def test_a_run_that_begins_meanwhile_wins_within_seconds(built: Built[DrilledHouse]) -> None:
    def play(there: DrilledHouse) -> tuple[DrillOutcome, float, bool]:
        drilling, objects = there.drilling, there.drilling.home.kube.objects()
        objects.rigged.slow_s = 3000.0
        began = there.clock.monotonic()
        there.world.after(30, "a recovery begins", lambda: setattr(objects, "lease", LeaseHolder("another machine", "1")))
        outcome = drilling.drill()
        return outcome, there.clock.monotonic() - began, objects.drill is None

    outcome, seconds, gone = built.visit(play)
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert any("gives way" in reason for reason in outcome.reasons)
    assert gone
    assert seconds < 30 + 15


@pytest.mark.parametrize("alive", [True, False])
def test_a_lease_that_is_there_at_first_is_watched(built: Built[DrilledHouse], alive: bool) -> None:
    def play(there: DrilledHouse) -> DrillOutcome:
        objects = there.drilling.home.kube.objects()

        def renew(count: int) -> None:
            objects.lease = LeaseHolder("another machine", str(count))
            if alive and count < 30:
                there.world.after(30, "renewed", lambda: renew(count + 1))

        renew(1)
        return there.drilling.drill()

    outcome = built.visit(play)
    assert outcome.verdict is (DrillVerdict.UNVERIFIED if alive else DrillVerdict.PASS), outcome


def test_a_drill_can_change_nothing_but_its_own(built: Built[DrilledHouse]) -> None:
    from adapters.drilled import drilled as drilled_context

    def play(there: DrilledHouse) -> list[str]:
        act, _ = drilled_context(there.drilling.home.act("x"), "me", there.clock.workers())
        refused = []
        for port, call in (
            ("claims", lambda: act.claims.delete_claim("apps", "notes", "x")), ("hold", lambda: act.hold.install(rebuilt=False)),
            ("proxmox", lambda: act.proxmox.start_vm("pve-1", 1)), ("cluster", lambda: act.cluster.create_namespace("x")),
        ):  # fmt: skip
            with pytest.raises(MutationRefused):
                call()
            refused.append(port)
        return refused

    assert built.visit(play) == ["claims", "hold", "proxmox", "cluster"]


def test_what_is_left_is_told_when_it_does_not_go(built: Built[DrilledHouse]) -> None:
    def play(there: DrilledHouse) -> DrillOutcome:
        there.drilling.home.kube.objects().rigged.stuck = True
        return there.drilling.drill()

    outcome = built.visit(play)
    assert outcome.verdict is DrillVerdict.PASS
    assert any(re.search(r"\d things? left", warning) for warning in outcome.warnings), outcome


def test_the_error_of_who_gives_way_is_permanent() -> None:
    assert HouseTaken("x").exit_code == 30


def test_steps_of_a_drill_are_told(tmp_path: Path) -> None:
    """Each by its id: rehearsal.fence, rehearsal.canary, rehearsal.pin, rehearsal.restore, rehearsal.compare, rehearsal.probe,
    rehearsal.control, rehearsal.conclude, rehearsal.clear."""
    there = DrilledHouse(tmp_path / "house", 1)
    ids = {line.id.partition("/")[0] for line in there.plan().lines}
    assert ids == {f"rehearsal.{one}" for one in PARTS}
