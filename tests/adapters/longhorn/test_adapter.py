"""Longhorn's objects, read from a real API server: what is written is told, and what is not is never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import CRD, DAEMON_SET, NAMESPACE, Kind
from adapters.longhorn import adapter as longhorn
from adapters.longhorn.adapter import KubernetesLonghorn
from adapters.longhorn.results import Said
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.adapters.hold.objects import standing_crd
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs
SPACE = "longhorn-system"
KINDS = (
    longhorn.NODES, longhorn.VOLUMES, longhorn.ENGINE_IMAGES, longhorn.BACKUP_TARGETS, longhorn.ORPHANS, longhorn.SETTINGS,
)  # fmt: skip
SINCE = "2027-01-15T08:00:00Z"


@pytest.fixture(scope="module")
def clients(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    made = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    made.main().create(NAMESPACE, {"metadata": {"name": SPACE}})
    yield made
    made.close()


def put(client: ApiClient, kind: Kind, name: str, **body: Any) -> None:
    client.create(kind, {"metadata": {"name": name}, **body}, SPACE)


def said(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": SINCE}


def test_a_cluster_that_serves_none_of_its_kinds_has_no_longhorn_and_then_everything_is_told(clients: Clients) -> None:
    client = clients.main()
    assert not KubernetesLonghorn(clients).look().served
    for kind in KINDS:
        client.create(CRD, standing_crd(kind))
    define(client, kinds=KINDS)
    assert KubernetesLonghorn(clients).look().nodes == ()
    fill(client)
    look = KubernetesLonghorn(clients).look()
    assert look.served
    (node, bare) = look.nodes
    assert (node.name, node.ready, node.schedulable.reason) == ("w-1", Said(True, "", "", 1800000000.0), "KubernetesNodeCordoned")
    assert (bare.ready, bare.disks) == (Said(), ())
    (disk, unknown) = node.disks
    assert (disk.path, disk.maximum, disk.available, disk.scheduled, disk.reserved) == ("/var/lib/longhorn/", 500, 400, 60, 50)
    assert disk.ready.good is False
    assert (unknown.ready, unknown.maximum, unknown.wanted) == (Said(), None, False)
    (notes, past) = look.volumes
    assert (notes.claim, notes.robustness, notes.replicas, notes.size) == ("apps/notes", "degraded", 3, 10737418240)
    assert (notes.degraded_since, past.claim) == (1800000000.0, "")
    (image,) = look.images
    assert (image.used, image.missing_on) == (True, ("w-2",))
    (target,) = look.targets
    assert (target.url, target.available, target.why.message) == ("nfs://nas/longhorn", False, "cannot be mounted")
    (orphan,) = look.orphans
    assert (orphan.node, orphan.disk, orphan.folder) == ("w-1", "/var/lib/longhorn/", "pvc-8f-1a2b3c4d")
    running = [(one.name, one.ready, one.wanted) for one in look.running]
    assert running == [("longhorn-manager", 2, 3), ("longhorn-csi-plugin", 0, 0)]
    assert look.setting("storage-minimal-available-percentage") == "10"


def fill(client: ApiClient) -> None:
    """One of each, and one whose status nobody has written."""
    disks = {
        "data": {"path": "/var/lib/longhorn/", "allowScheduling": True, "storageReserved": 50},
        "second": {"path": "/var/mnt/second", "allowScheduling": False},
    }
    told = {
        "conditions": [said("Ready", "False", "DiskFilesystemChanged", "is another"), said("Schedulable", "False")],
        "storageMaximum": 500, "storageAvailable": 400, "storageScheduled": 60,
    }  # fmt: skip
    conditions = [said("Ready", "True"), said("Schedulable", "False", "KubernetesNodeCordoned")]
    put(
        client, longhorn.NODES, "w-1", spec={"allowScheduling": True, "disks": disks},
        status={"conditions": conditions, "diskStatus": {"data": told}},
    )  # fmt: skip
    put(client, longhorn.NODES, "w-2", spec={"allowScheduling": True})
    bound = {"namespace": "apps", "pvcName": "notes", "lastPVCRefAt": ""}
    put(
        client, longhorn.VOLUMES, "pvc-1", spec={"size": "10737418240", "numberOfReplicas": 3},
        status={"state": "attached", "robustness": "degraded", "lastDegradedAt": SINCE, "kubernetesStatus": bound},
    )  # fmt: skip
    old = bound | {"lastPVCRefAt": SINCE}
    put(client, longhorn.VOLUMES, "pvc-2", spec={"size": "x"}, status={"state": "detached", "kubernetesStatus": old})
    put(
        client, longhorn.ENGINE_IMAGES, "ei-1", spec={"image": "longhornio/longhorn-engine:v1.9.0"},
        status={"state": "deploying", "refCount": 4, "nodeDeploymentMap": {"w-1": True, "w-2": False}},
    )  # fmt: skip
    unavailable = said("Unavailable", "True", "Unavailable", "cannot be mounted")
    put(
        client, longhorn.BACKUP_TARGETS, "default", spec={"backupTargetURL": "nfs://nas/longhorn"},
        status={"available": False, "conditions": [unavailable]},
    )  # fmt: skip
    parameters = {"DataName": "pvc-8f-1a2b3c4d", "DiskName": "data", "DiskPath": "/var/lib/longhorn/"}
    put(client, longhorn.ORPHANS, "orphan-1", spec={"nodeID": "w-1", "orphanType": "replica", "parameters": parameters})
    put(client, longhorn.ORPHANS, "orphan-2", spec={"nodeID": "w-1", "orphanType": "engine-instance"})
    put(client, longhorn.SETTINGS, "storage-minimal-available-percentage", value="10")
    labels = {"app": "longhorn-manager"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "manager", "image": "longhorn-manager"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    put(client, DAEMON_SET, "longhorn-manager", spec=spec)
    counts = {"numberReady": 2, "desiredNumberScheduled": 3, "currentNumberScheduled": 3, "numberMisscheduled": 0}
    client.demand(
        "PATCH", DAEMON_SET.path(SPACE, "longhorn-manager", "status"), "write status",
        body={"status": counts}, content_type="application/merge-patch+json",
    )  # fmt: skip
