"""`cluster.verify --gate upgrade`: one exit code by its own rows, at their word; what else is wrong does not answer it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.backups.proofs import Kind
from console.gate import GATES, ProofYoung, gate_named, proof_checks
from console.report.proven import Standing, State
from engine.errors import EXIT_DRIFT, EXIT_HELD, EXIT_OK, EXIT_STEP_FAILED, CouldNotLook, NotReady, SettingsInvalid
from engine.probe import Condition
from engine.report import Outcome, Report, StepReport
from engine.step import StepId
from lab.modelled.house import ModelledHome
from lab.world.clock import VirtualClock
from tests.builders import a_house

UPGRADE = GATES["upgrade"]
HOUR = 3600.0


def row(
    name: str, outcome: Outcome = Outcome.OK, *, advisory: bool = False, unknown: bool = False, by: tuple[str, ...] = ()
) -> StepReport:  # fmt: skip
    error = None if outcome is not Outcome.FAILED else (CouldNotLook if unknown else NotReady)("wrong")
    condition = Condition.UNKNOWN if unknown else Condition.DRIFTED if error else Condition.SATISFIED
    blocked = tuple(map(StepId, by))
    return StepReport(StepId(name), name, outcome, error=error, condition=condition, advisory=advisory, blocked_by=blocked)


def answered(*rows: StepReport) -> tuple[int, bool, list[str]]:
    found = UPGRADE.of(Report("verify", "", rows, 1.0))
    words = UPGRADE.words(found)
    assert words.done == ("Upgrade now: yes" if found.exit_code == EXIT_OK else words.done)
    return found.exit_code, bool(words.fields["may"]), [one.id for one in found.steps]


WELL = row("kubernetes.nodes")


@pytest.mark.parametrize(("rows", "code"), [
    ((WELL, row("storage.longhorn/disks")), EXIT_OK),
    ((WELL, row("storage.longhorn/disks", Outcome.FAILED)), EXIT_DRIFT),
    ((WELL, row("guard.etcd-healthy", Outcome.FAILED)), EXIT_DRIFT),
    ((WELL, row("preflight.backup/apps/notes", Outcome.FAILED, unknown=True)), EXIT_STEP_FAILED),
    ((WELL, row("storage.snapshots/lab", Outcome.FAILED, advisory=True)), EXIT_DRIFT),   # a warning is a no here
    ((WELL, row("proof.claim/apps/notes", Outcome.FAILED)), EXIT_DRIFT),
    ((WELL, row("hold.claims", Outcome.HELD)), EXIT_HELD),
    ((WELL, row("component.cert-manager.certificates", Outcome.FAILED)), EXIT_OK),       # of no matter to this
    ((WELL, row("preflight.clone", Outcome.FAILED)), EXIT_OK),
])  # fmt: skip
def test_the_code_is_that_of_the_gates_own_rows(rows: tuple[StepReport, ...], code: int) -> None:
    found, may, names = answered(*rows)
    assert (found, may) == (code, code == EXIT_OK)
    assert "component.cert-manager.certificates" not in names


def test_what_a_row_waits_for_is_told_with_it() -> None:
    cause, waits = row("preflight.clone", Outcome.FAILED), row("kubernetes.nodes", Outcome.BLOCKED, by=("preflight.clone",))
    assert answered(cause, waits, row("flux.reconcile")) == (EXIT_DRIFT, False, ["preflight.clone", "kubernetes.nodes"])


def test_a_gate_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    assert gate_named("upgrade") is UPGRADE
    with pytest.raises(SettingsInvalid, match="no gate downgrade") as refused:
        gate_named("downgrade")
    assert "upgrade" in refused.value.hint


@pytest.mark.parametrize(("state", "at", "condition", "told"), [
    (State.PROVEN, -5 * HOUR, Condition.SATISFIED, "proven 5.0 h ago"),
    (State.DUE, -50 * HOUR, Condition.DRIFTED, "proven 2.1 days ago, and the limit is 2.0 days"),
    (State.NEVER, None, Condition.MISSING, "never proven"),
    (State.PROVEN, HOUR, Condition.UNKNOWN, "in the future"),
    (State.PROVEN, 60.0, Condition.SATISFIED, "proven 0 s ago"),                          # two clocks, not quite the same
])  # fmt: skip
def test_a_proof_is_young_enough(state: State, at: float | None, condition: Condition, told: str) -> None:
    standing = Standing(Kind.CLAIM, "apps/notes", state, at=at)
    seen = ProofYoung(standing, 0.0, 48 * HOUR).probe(ModelledHome(a_house(), VirtualClock()).look())
    assert seen.condition is condition
    assert told in seen.detail


def test_each_claim_has_a_row_though_nothing_is_remembered(tmp_path: Path) -> None:
    house = a_house(state_dir=tmp_path)
    assert [check.id for check in proof_checks(house, {}, 0.0)] == ["proof.claim/apps/notes"]
