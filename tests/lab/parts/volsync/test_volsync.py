"""Real VolSync, real restic, simulated storage: what a backup and a restore do, the lies included."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lab.parts.knobs import Knobs, LogEndpoint
from lab.parts.kube import CLAIMS, DESTINATIONS, PODS, SECRETS
from tests.lab.parts import objects
from tests.lab.parts.bench import Bench, listing
from tests.lab.parts.conftest import Backup

pytestmark = pytest.mark.programs


@pytest.fixture
def knobs(bench: Bench) -> Iterator[Knobs]:
    """The cluster's knobs, turned back afterwards."""
    before = dict(vars(bench.cluster.knobs))
    yield bench.cluster.knobs
    vars(bench.cluster.knobs).update(before)


def _restore_of(bench: Bench, space: str, folder: str, *, uid: int | None = None, **restic: object) -> None:
    kube = bench.kube
    kube.apply(SECRETS, objects.repository(space, "repository", folder))
    kube.apply(DESTINATIONS, objects.destination(space, "app", "repository", "once", uid=uid, **restic))
    kube.apply(CLAIMS, objects.claim(space, "data", populated_by="app"))
    kube.apply(PODS, objects.pod(space, "app", "data"))


def test_a_backup_says_which_snapshot_it_saved(backup: Backup) -> None:
    assert backup.status["latestMoverStatus"]["result"] == "Successful"
    assert "saved" in backup.status["latestMoverStatus"]["logs"]


def test_a_claim_is_restored_with_owners_and_modes(bench: Bench, backup: Backup) -> None:
    space = bench.namespace(privileged=True)
    _restore_of(bench, space, backup.folder)
    status = bench.wait_restored(space, "app", "once")
    restored = listing(bench.wait_bound(space, "data"))
    if os.geteuid() != 0:
        restored = {k: (*backup.content[k][:2], *v[2:]) for k, v in restored.items()}
    assert restored == backup.content
    assert "restoring snapshot" in status["latestMoverStatus"]["logs"]
    assert "of [/data] at" in status["latestMoverStatus"]["logs"]
    bench.wait_ready(space, "app")


def test_a_missing_repository_is_a_success_that_restores_nothing_and_an_ordinary_user_owns_what_he_restores(
    bench: Bench, backup: Backup
) -> None:
    misspelt, ordinary = bench.namespace(), bench.namespace()
    _restore_of(bench, misspelt, "godo")
    _restore_of(bench, ordinary, backup.folder, uid=3000)

    status = bench.wait_restored(misspelt, "app", "once")
    assert status["latestMoverStatus"]["result"] == "Successful"
    assert status["latestImage"]["kind"] == "VolumeSnapshot"
    assert "No data will be restored" in status["latestMoverStatus"]["logs"]
    assert listing(bench.wait_bound(misspelt, "data")) == {}
    assert (bench.nas / "godo" / "config").exists()

    assert bench.wait_restored(ordinary, "app", "once")["latestMoverStatus"]["result"] == "Successful"
    restored = listing(bench.wait_bound(ordinary, "data"))
    assert {k: v[3] for k, v in restored.items()} == {k: v[3] for k, v in backup.content.items()}
    if os.geteuid() == 0:
        assert {v[0] for v in restored.values()} == {3000}


def test_a_restore_without_logs_succeeds_and_proves_nothing(bench: Bench, backup: Backup, knobs: Knobs) -> None:
    knobs.log_endpoint = LogEndpoint.ERROR
    space = bench.namespace(privileged=True)
    _restore_of(bench, space, backup.folder, restoreAsOf="2020-01-01T00:00:00Z")
    status = bench.wait_restored(space, "app", "once")
    assert status["latestMoverStatus"]["result"] == "Successful"
    assert not status["latestMoverStatus"].get("logs")


@pytest.mark.long
def test_a_mover_that_always_fails_is_told_after_all_its_tries(bench: Bench, knobs: Knobs) -> None:
    knobs.mover_exit, knobs.backdate_failures_s = 3, 4 * 3600
    space = bench.namespace()
    _restore_of(bench, space, "unused")
    bench.until(
        lambda: "result" in bench.status(DESTINATIONS, space, "app").get("latestMoverStatus", {}), "the failure"
    )
    assert bench.status(DESTINATIONS, space, "app")["latestMoverStatus"]["result"] == "Failed"
    assert bench.phase(CLAIMS, space, "data") == "Pending"
    assert bench.phase(PODS, space, "app") == "Pending"
    bench.kube.delete(DESTINATIONS, objects.destination(space, "app", "repository", "once"))
