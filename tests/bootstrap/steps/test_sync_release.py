"""helm.sync-release: each release deployed as the helmfile says; what a dead run left pending is fenced, then repaired."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.helm.results import ReleaseStatus
from engine.probe import Condition
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "helm.sync-release/kube-system/coredns"
KEY = ("kube-system", "coredns")


def becomes(house: Running, status: ReleaseStatus, **changes: object) -> None:
    """Let helm's record say this."""
    releases = house.home.kube.objects().releases
    releases[KEY] = replace(releases[KEY], status=status, **changes)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("status", "condition"),
    [
        (ReleaseStatus.DEPLOYED, Condition.SATISFIED),
        (ReleaseStatus.FAILED, Condition.DRIFTED),
        (ReleaseStatus.PENDING_INSTALL, Condition.DRIFTED),
        (ReleaseStatus.PENDING_UPGRADE, Condition.DRIFTED),
        (ReleaseStatus.UNINSTALLING, Condition.CHANGING),
        (ReleaseStatus.OTHER, Condition.DRIFTED),
    ],
)
def test_what_helm_says_and_what_it_means(built: Running, status: ReleaseStatus, condition: Condition) -> None:
    becomes(built, status, run="dead-run")
    assert see(built, built.bootstrap, STEP).condition is condition


def test_one_that_is_not_installed_is_installed(built: Running) -> None:
    del built.home.kube.objects().releases[KEY]
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING
    do(built, built.bootstrap, STEP)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_other_values_than_were_noted_are_drift_until_flux_keeps_the_release(built: Running) -> None:
    built.home.kube.objects().digests[KEY] = "older"
    assert see(built, built.bootstrap, STEP).evidence == ("values",)
    becomes(built, ReleaseStatus.DEPLOYED, managed_by_flux=True)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_a_pending_release_is_repaired_only_after_every_other_run_is_fenced(built: Running) -> None:
    becomes(built, ReleaseStatus.PENDING_UPGRADE, revision=2, run="dead-run")
    built.home.kube.objects().runs |= {"dead-run", "another-dead-run"}
    do(built, built.bootstrap, STEP)
    assert built.home.kube.objects().runs == set()
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_a_run_that_was_cut_off_after_its_helm_was_through_is_fenced_too(built: Running) -> None:
    built.home.kube.objects().digests[KEY] = ""
    built.home.kube.objects().runs.add("dead-run")
    do(built, built.bootstrap, STEP)
    assert built.home.kube.objects().runs == set()


def test_where_flux_keeps_the_release_since_only_the_token_of_the_run_that_made_it_is_taken_away(built: Running) -> None:
    becomes(built, ReleaseStatus.DEPLOYED, run="dead-run", managed_by_flux=True)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED
    built.home.kube.objects().runs.add("dead-run")
    assert see(built, built.bootstrap, STEP).evidence == ("token",)
    before = built.home.kube.objects().releases[KEY]
    do(built, built.bootstrap, STEP)
    assert built.home.kube.objects().runs == set()
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED
    assert built.home.kube.objects().releases[KEY] == before


def test_what_flux_keeps_and_is_at_is_waited_for(built: Running) -> None:
    becomes(built, ReleaseStatus.PENDING_UPGRADE, revision=2, run="dead-run", managed_by_flux=True)
    assert see(built, built.bootstrap, STEP).condition is Condition.CHANGING


def test_what_no_run_of_ours_left_pending_is_somebody_elses_and_is_never_repaired(built: Running) -> None:
    becomes(built, ReleaseStatus.PENDING_UPGRADE, revision=2)
    seen = see(built, built.bootstrap, STEP)
    assert seen.condition is Condition.CHANGING
    assert "delete secret sh.helm.release.v1.coredns.v2" in seen.hint
    # A token that is about may belong to the helm that left it.
    built.home.kube.objects().runs.add("dead-run")
    assert see(built, built.bootstrap, STEP).condition is Condition.DRIFTED


def test_without_an_api_server_nothing_is_known(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.UNKNOWN
