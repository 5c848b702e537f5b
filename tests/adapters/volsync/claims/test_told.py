"""What is told of claims, destinations and sources, and what is done to them besides a pin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.errors import Changed, ObjectAbsent
from adapters.kubernetes.kinds import (
    CLAIM,
    EVENT,
    JOB,
    POD,
    REPLICATION_DESTINATION,
    REPLICATION_SOURCE,
    SNAPSHOT,
    VOLUME,
    Kind,
)
from adapters.kubernetes.objects import Obj
from adapters.volsync.adapter import NUDGE, VolSyncClaims
from adapters.volsync.blocked import blocked_by
from adapters.volsync.results import ClaimPhase
from engine.errors import PermanentError
from tests.adapters.volsync.claims.played import as_flux, condition, destination, say

pytestmark = pytest.mark.programs

LOG = "restoring snapshot 0123abcd of [/data] at x\nRestic completed in 2s"


def test_a_finished_restore_is_told_with_its_log_and_its_image(
    client: ApiClient, claims: VolSyncClaims, ns: str
) -> None:
    as_flux(client, REPLICATION_DESTINATION, destination(), ns)
    status = {
        "lastManualSync": "restore-once",
        "latestMoverStatus": {
            "result": "Successful",
            "logs": LOG,
        },
        "latestImage": {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "img-1"},
        "conditions": [condition("WaitingForManual", "Waiting for manual trigger")],
    }
    say(client, REPLICATION_DESTINATION, "notes-dst", ns, status)
    state = claims.destination(ns, "notes-dst")
    assert (state.result, state.image, state.image_ready, state.running) == ("Successful", "img-1", False, False)
    assert state.log == tuple(LOG.splitlines())
    assert state.condition == "WaitingForManual: Waiting for manual trigger"
    client.create(SNAPSHOT, {"metadata": {"name": "img-1"}, "spec": {"source": {"persistentVolumeClaimName": "x"}}}, ns)
    say(client, SNAPSHOT, "img-1", ns, {"readyToUse": True})
    ready = claims.destination(ns, "notes-dst")
    assert ready.image_ready
    client.delete(SNAPSHOT, "img-1", ns)
    client.create(SNAPSHOT, {"metadata": {"name": "img-1"}, "spec": {"source": {"persistentVolumeClaimName": "x"}}}, ns)
    again = claims.destination(ns, "notes-dst")
    assert again.image == ready.image
    assert again.image_uid not in ("", ready.image_uid)


def test_a_restore_that_goes_on_says_what_it_waits_for(client: ApiClient, claims: VolSyncClaims, ns: str) -> None:
    """VolSync says `in progress` for as long as its limit, whatever keeps it."""
    as_flux(client, REPLICATION_DESTINATION, destination(), ns)
    under_way = {
        "lastSyncStartTime": "2026-01-01T00:00:00Z",
        "conditions": [condition("SyncInProgress", "Synchronization in-progress", "True")],
    }
    say(client, REPLICATION_DESTINATION, "notes-dst", ns, under_way)
    assert claims.destination(ns, "notes-dst").condition == "SyncInProgress: Synchronization in-progress"
    found = client.get(REPLICATION_DESTINATION, "notes-dst", ns)
    assert found is not None
    owner = {
        "apiVersion": REPLICATION_DESTINATION.api_version, "kind": REPLICATION_DESTINATION.name, "name": "notes-dst",
        "uid": found["metadata"]["uid"],
    }  # fmt: skip
    for name, its in (("volsync-notes-dst-dest-1", [owner]), ("of-somebody-else", [])):
        spec = {"source": {"persistentVolumeClaimName": "x"}}
        client.create(SNAPSHOT, {"metadata": {"name": name, "ownerReferences": its}, "spec": spec}, ns)
        say(client, SNAPSHOT, name, ns, {"readyToUse": False, "error": {"message": "cannot find default snapshot class"}})
    told = claims.destination(ns, "notes-dst").condition
    assert told == (
        "SyncInProgress: Synchronization in-progress; VolumeSnapshot volsync-notes-dst-dest-1: cannot find default snapshot class"
    )
    over = {"lastSyncStartTime": None, "conditions": [condition("WaitingForManual", "waits")]}
    say(client, REPLICATION_DESTINATION, "notes-dst", ns, over)
    assert claims.destination(ns, "notes-dst").condition == "WaitingForManual: waits", "of what is over nothing is asked"


class Listed(ApiClient):
    """One that keeps what it has listed."""

    def __init__(self, like: ApiClient) -> None:
        super().__init__(like._config)
        self.lists: list[str] = []

    def list_objects(self, kind: Kind, *where: str, **which: Any) -> list[Obj]:
        self.lists.append(kind.name)
        return super().list_objects(kind, *where, **which)


@pytest.fixture
def listed(client: ApiClient) -> Iterator[Listed]:
    with closing(Listed(client)) as made:
        yield made


def test_what_a_sync_waits_for_is_asked_for_until_its_mover_runs(client: ApiClient, listed: Listed, ns: str) -> None:
    """Each look of a sync that is under way asks this, as often as it is waited for."""
    as_flux(client, REPLICATION_DESTINATION, destination(), ns)
    found = client.get(REPLICATION_DESTINATION, "notes-dst", ns) or {}
    owner = {"apiVersion": REPLICATION_DESTINATION.api_version, "kind": REPLICATION_DESTINATION.name, "name": "notes-dst"}
    owned = {"ownerReferences": [owner | {"uid": found["metadata"]["uid"]}]}
    pod = {"restartPolicy": "Never", "containers": [{"name": "restic", "image": "x"}]}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    made = client.create(CLAIM, {"metadata": {"name": "cache", **owned}, "spec": spec}, ns)
    about = {"kind": CLAIM.name, "name": "cache", "namespace": ns, "uid": made["metadata"]["uid"]}
    said = {"type": "Warning", "reason": "ProvisioningFailed", "message": "no room"}
    client.create(EVENT, {"metadata": {"name": "cache.1"}, "involvedObject": about, **said}, ns)
    assert blocked_by(listed, found) == "claim cache: ProvisioningFailed: no room"

    client.create(JOB, {"metadata": {"name": "volsync-dst-notes-dst", **owned}, "spec": {"template": {"spec": pod}}}, ns)
    meta = {"name": "volsync-dst-notes-dst-x", "labels": {"job-name": "volsync-dst-notes-dst"}}
    client.create(POD, {"metadata": meta, "spec": pod}, ns)
    say(client, POD, meta["name"], ns, {"phase": "Pending", "conditions": [unplaced()]})
    assert "Unschedulable: no node" in blocked_by(client, found)
    say(client, POD, meta["name"], ns, {"phase": "Running", "conditions": []})
    listed.lists.clear()
    assert blocked_by(listed, found) == "", "a claim that waits is not what a mover waits for that runs"
    assert listed.lists == [JOB.name, POD.name]


def unplaced() -> dict[str, str]:
    return {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"}


def test_what_the_hold_keeps_back_is_not_running(client: ApiClient, claims: VolSyncClaims, ns: str) -> None:
    spec = {"sourcePVC": "notes", "trigger": {"schedule": "0 * * * *"}, "restic": {"retain": {"last": "1", "daily": 7}}}
    as_flux(client, REPLICATION_SOURCE, {"metadata": {"name": "notes"}, "spec": spec}, ns)
    started = {"lastSyncStartTime": "2026-01-01T00:00:00Z"}
    say(client, REPLICATION_SOURCE, "notes", ns, started | {"conditions": [condition("Error", "denied by the hold")]})
    source = claims.source(ns, "notes")
    assert (source.present, source.claim, source.running, source.last_sync) == (True, "notes", False, 0.0)
    assert source.condition == "Error: denied by the hold"
    assert source.retain == (("daily", "7"), ("last", "1"))
    say(client, REPLICATION_SOURCE, "notes", ns, started | {"conditions": [condition("SyncInProgress", "", "True")]})
    assert claims.source(ns, "notes").running
    done = {
        "lastSyncStartTime": None,
        "lastSyncTime": "2026-01-01T00:01:00Z",
        "latestMoverStatus": {"result": "Successful"},
    }
    say(client, REPLICATION_SOURCE, "notes", ns, done)
    source = claims.source(ns, "notes")
    assert (source.running, source.last_sync, source.result) == (False, 1767225660.0, "Successful")


def test_a_backup_now_stops_the_schedule_until_it_is_given_back(
    client: ApiClient, claims: VolSyncClaims, ns: str
) -> None:
    spec = {"sourcePVC": "notes", "trigger": {"schedule": "0 * * * *"}, "restic": {}}
    as_flux(client, REPLICATION_SOURCE, {"metadata": {"name": "notes"}, "spec": spec}, ns)
    assert claims.back_up_now(ns, "notes", "backup-1") == "backup-1"
    found = client.get(REPLICATION_SOURCE, "notes", ns) or {}
    assert found["spec"]["trigger"] == {"schedule": "0 * * * *", "manual": "backup-1"}
    assert claims.back_up_now(ns, "notes", "backup-1") == "backup-1", "not run yet: no second run"
    say(client, REPLICATION_SOURCE, "notes", ns, {"lastManualSync": "backup-1"})
    assert claims.back_up_now(ns, "notes", "backup-1") == "backup-1-again-1"
    assert claims.source(ns, "notes").schedule == "0 * * * *"
    assert claims.back_up_now(ns, "notes", "") == ""
    found = client.get(REPLICATION_SOURCE, "notes", ns) or {}
    assert found["spec"]["trigger"] == {"schedule": "0 * * * *"}


def test_a_source_that_has_no_schedule_is_never_left_without_a_trigger(client: ApiClient, claims: VolSyncClaims, ns: str) -> None:
    spec = {"sourcePVC": "notes", "trigger": {"manual": "from-git"}, "restic": {}}
    as_flux(client, REPLICATION_SOURCE, {"metadata": {"name": "notes"}, "spec": spec}, ns)
    claims.back_up_now(ns, "notes", "backup-1")
    assert claims.back_up_now(ns, "notes", "") == "backup-1"
    assert claims.source(ns, "notes").manual == "backup-1", "without one it would back up again and again"


def test_a_claim_tells_where_its_data_came_from(client: ApiClient, claims: VolSyncClaims, ns: str) -> None:
    assert claims.claim(ns, "notes").phase is ClaimPhase.ABSENT
    source = {"apiGroup": "volsync.backube", "kind": "ReplicationDestination", "name": "notes-dst"}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}, "dataSourceRef": source}
    made = client.create(CLAIM, {"metadata": {"name": "notes"}, "spec": spec}, ns)
    event = {
        "metadata": {"name": "notes.1"},
        "involvedObject": {
            "kind": "PersistentVolumeClaim",
            "name": "notes",
            "namespace": ns,
            "uid": made["metadata"]["uid"],
        },
        "type": "Warning",
        "reason": "VolSyncPopulatorPVCCreationError",
        "message": "claim is held",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    client.create(EVENT, event, ns)
    waiting = claims.claim(ns, "notes")
    told = "VolSyncPopulatorPVCCreationError: claim is held"
    assert (waiting.phase, waiting.destination, waiting.detail) == (ClaimPhase.PENDING, "notes-dst", told)

    volume = f"pv-{ns}"
    client.create(
        VOLUME,
        {
            "metadata": {"name": volume, "annotations": {"volsync.backube/populated-from": f"{ns}/img-1"}},
            "spec": {
                "capacity": {"storage": "1Mi"},
                "accessModes": ["ReadWriteOnce"],
                "csi": {"driver": "csi.lab", "volumeHandle": f"vol-{ns}"},
            },
        },
    )
    client.merge(CLAIM, "notes", {"spec": {"volumeName": volume}}, ns)
    say(client, CLAIM, "notes", ns, {"phase": "Bound"})
    bound = claims.claim(ns, "notes")
    assert (bound.phase, bound.populated_from, bound.uid) == (ClaimPhase.BOUND, "img-1", made["metadata"]["uid"])
    assert (waiting.volume, bound.volume) == ("", f"csi.lab vol-{ns}")


def test_a_claim_is_deleted_only_if_it_is_the_one_that_was_seen(
    client: ApiClient, claims: VolSyncClaims, ns: str
) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    uid = client.create(CLAIM, {"metadata": {"name": "notes"}, "spec": spec}, ns)["metadata"]["uid"]
    with pytest.raises(Changed):
        claims.delete_claim(ns, "notes", "11111111-1111-4111-8111-111111111111")
    with pytest.raises(PermanentError):
        claims.delete_claim(ns, "notes", "")
    assert client.get(CLAIM, "notes", ns) is not None
    claims.delete_claim(ns, "notes", uid)
    # The controller that takes the finalizer off is not running: on its way out is as far as it comes here.
    assert claims.claim(ns, "notes").detail == "being deleted"
    claims.delete_claim(ns, "gone", uid)


@pytest.mark.parametrize("kind", [CLAIM, REPLICATION_DESTINATION])
def test_a_nudge_changes_the_object_and_nothing_that_flux_sees(
    client: ApiClient, claims: VolSyncClaims, ns: str, kind: Kind
) -> None:
    if kind is CLAIM:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
        client.create(CLAIM, {"metadata": {"name": "notes-dst"}, "spec": spec}, ns)
    else:
        as_flux(client, kind, destination(), ns)
    before = client.get(kind, "notes-dst", ns) or {}
    claims.nudge(kind.name, ns, "notes-dst")
    after = client.get(kind, "notes-dst", ns) or {}
    assert after["metadata"]["annotations"][NUDGE]
    assert after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    assert after["spec"] == before["spec"]
    with pytest.raises(ObjectAbsent):
        claims.nudge(kind.name, ns, "gone")
