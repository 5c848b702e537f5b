"""A repository that a house's own admission policies mount into movers: used as they are, missing, or of a version not served."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from engine.errors import EXIT_OK
from house.declared.kinds import Kind
from house.files.yamlfile import load
from house.flux.rendered import Rendered, RenderedObject
from house.repository.backups.mover_policies import BINDING, KIND, MoverPolicy, mover_policies
from tests.builders import a_claim, a_house
from tests.scenario.running import Running

HOUSES = Path(__file__).resolve().parents[4] / "shared" / "real-houses" / "qnimbus-home-ops"
FILE = HOUSES / "kubernetes/apps/volsync-system/volsync/app/mutatingadmissionpolicy.yaml"
ALPHA = "admissionregistration.k8s.io/v1alpha1"
V1 = "admissionregistration.k8s.io/v1"
OURS = MoverPolicy("movers-nfs", V1, "/repository", (V1,), "kubernetes/apps/volsync/policy.yaml:3")


def of_the_mission() -> tuple[MoverPolicy, ...]:
    """The policies of the house that this project is made for, unchanged."""
    if not FILE.is_file():
        pytest.skip("the mission's house is not here")
    objects = [
        RenderedObject(
            str(one.value["apiVersion"]), str(one.value["kind"]), "", str(one.value["metadata"]["name"]), one.value,
            "volsync-system/volsync", FILE.name, 1,
        )
        for one in load(FILE, FILE.name)
    ]  # fmt: skip
    return mover_policies(Rendered(tuple(objects)))


def with_policies(folder: Path, policies: tuple[MoverPolicy, ...]) -> Running:
    """A built house whose one repository is a path inside its mover."""
    claim = a_claim("notes", mover_repository="/repository/notes", open_as="/repository/notes")
    return Running.bootstrapped(folder, a_house(claims=(claim,), mover_policies=policies))


def stopped(house: Running) -> tuple[str, str]:
    """The one problem of a restore that let no mover loose: its row, and what it says."""
    report = house.apply(house.restore)
    (problem,) = report.root_causes
    assert house.home.look().hold.record().claims[0].state is HoldState.HELD
    found = house.home.kube.objects().destinations[("apps", "notes-bootstrap")]
    assert (found.restore_as_of, found.image) == ("", None), "its mover did not run"
    return problem.id, f"{problem.detail} {problem.error}"


def test_the_mission_s_two_policies_are_read_as_they_are_and_one_of_them_mounts() -> None:
    (found,) = of_the_mission()
    assert (found.name, found.api, found.mount, found.bindings) == ("volsync-mover-nfs", ALPHA, "/repository", (ALPHA,))
    assert found.gives("/repository/notes") and not found.gives("/repository2/notes")


def test_used_unchanged_where_the_api_serves_them_the_claim_comes_back(tmp_path: Path) -> None:
    house = with_policies(tmp_path / "state", of_the_mission())
    house.home.kube.serves |= {Kind(ALPHA, KIND), Kind(ALPHA, BINDING)}
    report = house.apply(house.restore)
    assert report.exit_code == EXIT_OK, report.root_causes
    assert report["preflight.mount/apps/notes"].detail == f"/repository by {KIND} volsync-mover-nfs"


def test_of_a_version_that_is_not_served_they_are_named_before_a_mover_runs(tmp_path: Path) -> None:
    row, told = stopped(with_policies(tmp_path / "state", of_the_mission()))
    assert row == "preflight.mount/apps/notes"
    assert f"{KIND} volsync-mover-nfs is of {ALPHA}, which this Kubernetes does not serve (served is {V1})" in told


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (replace(OURS, bindings=()), f"{KIND} movers-nfs is bound by nothing: no {BINDING} names it"),
        (replace(OURS, bindings=(ALPHA,)), f"{BINDING} of movers-nfs is of {ALPHA}, which this Kubernetes does not serve"),
    ],
)
def test_one_that_is_not_bound_is_named(tmp_path: Path, policy: MoverPolicy, told: str) -> None:
    row, said = stopped(with_policies(tmp_path / "state", (policy,)))
    assert row == "preflight.mount/apps/notes" and told in said


@pytest.mark.parametrize("policies", [(), (replace(OURS, mount="/other"),)])
def test_where_it_is_missing_the_mover_s_own_look_says_so_and_it_is_not_let_loose(
    tmp_path: Path, policies: tuple[MoverPolicy, ...]
) -> None:
    house = with_policies(tmp_path / "state", policies)
    house.home.kube.secrets_say["apps", "notes-volsync-secret"] = "/an empty folder of the pod"
    row, told = stopped(house)
    assert row == "recovery.restore/apps/notes"
    assert f"no {KIND} that Git shows mounts anything at /repository/notes into movers" in told


def test_one_that_is_there_and_did_not_mount_is_asked_after_by_name(tmp_path: Path) -> None:
    house = with_policies(tmp_path / "state", (OURS,))
    house.home.kube.secrets_say["apps", "notes-volsync-secret"] = "/an empty folder of the pod"
    row, told = stopped(house)
    assert row == "recovery.restore/apps/notes"
    assert f"is /repository/notes mounted, by {KIND} movers-nfs?" in told


def test_what_something_else_mounts_is_restored_without_a_policy(tmp_path: Path) -> None:
    house = with_policies(tmp_path / "state", ())
    assert house.apply(house.restore).exit_code == EXIT_OK
