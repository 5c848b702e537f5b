"""Reading an image through a Job, on real API servers; a kubelet of twenty lines runs the reader's own script on a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import ObjectAbsent
from adapters.kubernetes.kinds import (
    CLAIM,
    JOB,
    NAMESPACE,
    POD,
    REPLICATION_DESTINATION,
    SNAPSHOT,
)
from adapters.volsync.contents import Limits, Reader
from adapters.volsync.reader import Request
from adapters.volsync.readerjob import Asked, Volume
from engine.errors import PermanentError, TransientError, WaitedTooLong
from engine.waiting import SystemClock
from tests.adapters.cluster_house import house_on
from tests.adapters.volsync.kubelet import MOVER, NS, Kubelet, status
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs


def test_an_image_is_read_whole_through_a_copy_and_nothing_stays(
    kubelet: Kubelet, images: Reader, client: ApiClient
) -> None:
    listing = images.read(NS, "img", hashed=True)
    assert listing.complete
    assert listing.ownership_known
    assert {e.path: e.sha256 for e in listing.entries} == {
        name: hashlib.sha256(name.encode()).hexdigest() for name in ("a", "with space", "odd\nname")
    }
    (copy,) = kubelet.claims
    assert copy["spec"]["dataSourceRef"] == {
        "apiGroup": "snapshot.storage.k8s.io",
        "kind": "VolumeSnapshot",
        "name": "img",
    }
    assert copy["spec"]["storageClassName"] == "fast"
    assert copy["spec"]["resources"]["requests"]["storage"] == "3Mi"
    (job,) = kubelet.jobs
    assert copy["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"], (
        "a dead run's copy goes with its Job"
    )
    assert "app.kubernetes.io/created-by" not in job["metadata"]["labels"]
    assert client.list_objects(JOB, NS) == []
    left = [c["metadata"]["name"] for c in client.list_objects(CLAIM, NS) if not c["metadata"].get("deletionTimestamp")]
    assert left == ["volsync-dst-dest"]


def test_nothing_is_hashed_that_was_not_asked_for(kubelet: Kubelet, images: Reader) -> None:
    assert {e.sha256 for e in images.read(NS, "img", hashed=False).entries} == {""}


def test_a_long_list_is_read_in_several_jobs(kubelet: Kubelet, real_api: ApiServers, tmp_path: Path) -> None:
    for n in range(10):
        (kubelet.volume / f"f{n}").write_text(str(n))
    clients = Clients(house_on(real_api, tmp_path))
    listing = Reader(clients, SystemClock(), limits=Limits(20.0), take=5).read(NS, "img", hashed=True)
    clients.close()
    assert len(kubelet.jobs) == 3
    assert listing.complete
    assert len(listing.entries) == 13
    assert all(e.sha256 for e in listing.entries)


def test_a_log_that_broke_off_is_not_complete(kubelet: Kubelet, images: Reader) -> None:
    kubelet.cut = 30
    listing = images.read(NS, "img", hashed=True)
    assert not listing.complete
    assert "not whole" in listing.detail


def test_a_claim_is_read_as_it_is_without_a_copy(kubelet: Kubelet, images: Reader, client: ApiClient) -> None:
    assert images.read(NS, "volsync-dst-dest", hashed=False).complete
    found = client.get(CLAIM, "volsync-dst-dest", NS) or {}
    assert not found["metadata"].get("deletionTimestamp")
    (job,) = kubelet.jobs
    mount = job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0]
    assert mount["readOnly"] is True


def test_a_job_that_a_dead_run_left_is_taken_over(kubelet: Kubelet, images: Reader, client: ApiClient) -> None:
    root = {"runAsUser": 0, "runAsGroup": 0, "capabilities": {"drop": ["ALL"], "add": ["DAC_OVERRIDE"]}}
    left = Asked("img", Volume("", {}), Request(), MOVER, ({}, root))
    uid = client.create(JOB, left.job(), NS)["metadata"]["uid"]
    images.read(NS, "img", hashed=False)
    assert [job["metadata"]["uid"] for job in kubelet.jobs] == [uid]


def test_what_a_dead_run_has_read_of_a_claim_is_no_answer_any_more(kubelet: Kubelet, images: Reader, client: ApiClient) -> None:
    root = {"runAsUser": 0, "runAsGroup": 0, "capabilities": {"drop": ["ALL"], "add": ["DAC_OVERRIDE"]}}
    left = Asked("volsync-dst-dest", Volume("volsync-dst-dest", None, "", "an hour ago"), Request(), MOVER, ({}, root))
    uid = client.create(JOB, left.job(), NS)["metadata"]["uid"]
    assert images.read(NS, "volsync-dst-dest", hashed=False).complete
    assert kubelet.jobs[-1]["metadata"]["uid"] != uid
    client.delete(JOB, left.name, NS, cascade="Background")


def test_a_claim_in_use_is_read_on_the_node_that_has_it(kubelet: Kubelet, images: Reader, client: ApiClient) -> None:
    mount = {"name": "v", "persistentVolumeClaim": {"claimName": "volsync-dst-dest"}}
    spec = {"nodeName": "reader-node", "containers": [{"name": "app", "image": "app"}], "volumes": [mount]}
    client.create(POD, {"metadata": {"name": "app"}, "spec": spec}, NS)
    assert images.read(NS, "volsync-dst-dest", hashed=False).complete
    pod = kubelet.jobs[-1]["spec"]["template"]["spec"]
    assert (pod["nodeName"], pod["tolerations"]) == ("reader-node", [{"operator": "Exists"}])
    assert images.read(NS, "img", hashed=False).complete
    assert "nodeName" not in kubelet.jobs[-1]["spec"]["template"]["spec"], "a copy is wherever the scheduler puts it"


def test_what_is_not_there_or_not_ready_is_said_so(kubelet: Kubelet, images: Reader, client: ApiClient) -> None:
    with pytest.raises(PermanentError, match="neither a VolumeSnapshot nor a claim"):
        images.read(NS, "gone", hashed=False)
    client.create(SNAPSHOT, {"metadata": {"name": "raw"}, "spec": {"source": {"persistentVolumeClaimName": "x"}}}, NS)
    with pytest.raises(TransientError, match="not ready"):
        images.read(NS, "raw", hashed=False)


def test_a_pod_that_never_ends_is_waited_for_no_longer_than_the_limit(
    kubelet: Kubelet, real_api: ApiServers, tmp_path: Path, client: ApiClient
) -> None:
    kubelet.starts = False
    clients = Clients(house_on(real_api, tmp_path))
    with pytest.raises(WaitedTooLong):
        Reader(clients, SystemClock(), limits=Limits(0.3)).read(NS, "img", hashed=False)
    clients.close()
    assert client.list_objects(JOB, NS) == [], "nothing stays behind"


def test_a_namespace_that_forbids_root_gets_the_movers_user(
    kubelet: Kubelet, images: Reader, client: ApiClient
) -> None:
    client.merge(NAMESPACE, NS, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    restic = {"repository": "s", "moverSecurityContext": {"runAsUser": 1234, "runAsGroup": 99, "fsGroup": 99}}
    client.create(REPLICATION_DESTINATION, {"metadata": {"name": "dst"}, "spec": {"restic": restic}}, NS)
    latest = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "img"}
    status(client, REPLICATION_DESTINATION.path(NS, "dst", "status"), {"latestImage": latest})
    images.read(NS, "img", hashed=False)
    spec = kubelet.jobs[0]["spec"]["template"]["spec"]
    context = spec["containers"][0]["securityContext"]
    assert spec["securityContext"] == {"runAsUser": 1234, "runAsGroup": 99}, "an fsGroup would change the owners that are compared"
    assert context["runAsNonRoot"] is True and "runAsUser" not in context
    with pytest.raises(ObjectAbsent):
        client.demand("GET", POD.path(NS, "none"), "x")
    client.merge(NAMESPACE, NS, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}})


def test_the_image_is_the_one_that_the_house_gives_its_movers(kubelet: Kubelet, images: Reader) -> None:
    images.read(NS, "img", hashed=False)
    assert kubelet.jobs[0]["spec"]["template"]["spec"]["containers"][0]["image"] == MOVER


def test_a_pod_that_cannot_pull_its_image_names_the_reason_soon(kubelet: Kubelet, images: Reader, client: ApiClient) -> None:
    kubelet.pulls = False
    with pytest.raises(PermanentError, match="has not started") as error:
        images.read(NS, "img", hashed=False)
    assert error.value.evidence == ("ImagePullBackOff: Back-off pulling image", f"image {MOVER}")
    assert client.list_objects(JOB, NS) == []


@pytest.mark.parametrize("reason", ["FailedMount", "FailedAttachVolume"])
def test_what_keeps_the_volume_from_its_pod_is_told(kubelet: Kubelet, images: Reader, client: ApiClient, reason: str) -> None:
    kubelet.pulls, kubelet.warns = False, reason
    with pytest.raises(PermanentError) as error:
        images.read(NS, "img", hashed=False)
    assert error.value.evidence[0] == f"{reason}: the volume is elsewhere"
