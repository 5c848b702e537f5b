"""Every named fault of a healthy, bootstrapped house turns exactly its own rows of `verify` red, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import EXIT_HELD, EXIT_STEP_FAILED, ApprovalMissing, PreflightRefused
from engine.report import Outcome
from tests.scenario.faults.named_faults import FAULTS, NamedFault
from tests.scenario.running import Running


@pytest.mark.parametrize("named", FAULTS, ids=[named.name for named in FAULTS])
def test_a_named_fault_turns_exactly_its_own_rows_red(named: NamedFault, tmp_path: Path) -> None:
    house = Running.bootstrapped(tmp_path / "state")
    named.strike(house)
    report = house.verify(house.bootstrap)
    failed = {step.id: step.detail for step in report.steps if step.outcome is Outcome.FAILED}
    assert sorted(failed) == sorted(named.red), failed
    # A warning alone is no drift of the house.
    assert report.exit_code in ((3, 30) if report.root_causes else (EXIT_HELD,))
    for step in report.steps:
        if step.outcome is Outcome.BLOCKED:
            assert set(step.blocked_by) <= set(named.red), step


def test_at_least_twelve_faults_have_a_name_and_each_name_is_one_fault() -> None:
    assert len(FAULTS) >= 12
    assert len({named.name for named in FAULTS}) == len(FAULTS)


MENDED = {
    "factory-down", "image-withdrawn", "image-file-deleted",
    "vm-gone", "vm-stopped", "every-control-plane-stopped", "kubeconfig-of-another-cluster",
    "namespace-gone", "age-secret-gone", "age-secret-replaced", "policy-deleted", "record-deleted", "release-failed",
    "release-pending", "release-of-the-cni-gone", "definition-deleted", "pushed-and-not-fetched",
}  # fmt: skip
WARNED_OF = {"repository-expired"}
NEEDS_CONSENT = {"repository-edited", "node-configured-by-hand"}
FOR_A_PERSON = {
    "repository-damaged", "repository-refused", "repository-unreachable", "repository-foreign", "repository-missing",
    "repository-empty", "store-down",  # their claim stays as it is, and so does the rest
    "vm-differs", "vm-locked", "etcd-member-gone", "second-etcd", "kustomization-broken", "release-pending-by-another-hand",
    "kustomization-of-a-held-application-broken", "record-not-followed",
}  # fmt: skip


def exit_of_the_next_run(name: str) -> int:
    """What the next bootstrap ends with; all that is not named here is refused before anything is changed."""
    if name in MENDED | WARNED_OF:
        return EXIT_HELD
    if name in NEEDS_CONSENT:
        return ApprovalMissing.exit_code
    return EXIT_STEP_FAILED if name in FOR_A_PERSON else PreflightRefused.exit_code


@pytest.mark.parametrize("named", FAULTS, ids=[named.name for named in FAULTS])
def test_the_next_run_mends_it_or_says_what_a_person_must_do(named: NamedFault, tmp_path: Path) -> None:
    house = Running.bootstrapped(tmp_path / "state")
    named.strike(house)
    house.home.world.faults.forget()
    report = house.apply(house.bootstrap)
    assert report.exit_code == exit_of_the_next_run(named.name), [(step.id, step.detail) for step in report.root_causes]
    if named.name in MENDED:
        assert house.verify(house.bootstrap).converged
    else:
        assert all(step.error is not None and step.error.what for step in report.root_causes)
    if report.exit_code == PreflightRefused.exit_code:
        assert [step for step in report.steps if step.outcome is Outcome.CHANGED] == []
