"""Reading an image through a Job, on real API servers; a kubelet of twenty lines runs the reader's own script on a folder."""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import ObjectAbsent
from adapters.kubernetes.kinds import (
    CLAIM,
    DEPLOYMENT,
    EVENT,
    JOB,
    NAMESPACE,
    NODE,
    POD,
    REPLICATION_DESTINATION,
    SECRET,
    SNAPSHOT,
)
from adapters.volsync.contents import Limits, Reader
from adapters.volsync.reader import Request
from adapters.volsync.readerjob import Asked, Volume
from adapters.volsync.results import Checked, Sight, Snapshot
from engine.errors import PermanentError, TransientError, WaitedTooLong
from engine.waiting import SystemClock
from lab.parts.pki import authority, issue
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs

NS = "contents"
MOVER = "registry.example/volsync/mover:1.2@sha256:0123"


class Logs(ThreadingHTTPServer):
    """The log door of a kubelet: /containerLogs/NAMESPACE/POD/CONTAINER."""

    daemon_threads = True

    def __init__(self, address: str, folder: Path) -> None:
        super().__init__((address, 0), _LogHandler)
        self.logs: dict[str, bytes] = {}
        certificate, key = issue(authority("kubelet"), "kubelet", addresses=[address]).write(folder, "kubelet")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)


class _LogHandler(BaseHTTPRequestHandler):
    server: Logs

    def do_GET(self) -> None:
        parts = self.path.split("?")[0].split("/")
        log = self.server.logs.get(parts[3]) if parts[1] == "containerLogs" and parts[4] == "reader" else None
        self.send_response(404 if log is None else 200)
        self.send_header("Content-Length", str(len(log or b"")))
        self.end_headers()
        self.wfile.write(log or b"")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@dataclass
class Kubelet:
    """Runs each reader's Job once: what its script prints on `volume` becomes the log, cut after `cut` bytes."""

    client: ApiClient
    logs: Logs
    volume: Path
    cut: int | None = None
    starts: bool = True
    pulls: bool = True
    warns: str = ""
    restic: str = "exit 1"
    unreadable: int = 0
    jobs: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def loop(self) -> None:
        while not self._stop.wait(0.02):
            for job in self.client.list_objects(JOB, NS):
                if job["metadata"]["uid"] not in [j["metadata"]["uid"] for j in self.jobs]:
                    self.run(job)
            for claim in self.client.list_objects(CLAIM, NS, labels="app.kubernetes.io/component=reader"):
                if claim["metadata"].get("deletionTimestamp"):
                    # What the controller that protects claims in use does, once nobody uses it.
                    self.client.merge(CLAIM, claim["metadata"]["name"], {"metadata": {"finalizers": None}}, NS)

    def run(self, job: dict[str, Any]) -> None:
        name, template = job["metadata"]["name"], job["spec"]["template"]
        data = template["spec"]["volumes"][0]
        if "emptyDir" not in data:
            claim = self.client.get(CLAIM, data["persistentVolumeClaim"]["claimName"], NS)
            if claim is None or not self.starts:
                return
            self.claims.append(claim)
        self.jobs.append(job)
        container = template["spec"]["containers"][0]
        if not self.pulls:
            self.wait(name, template["spec"])
            return
        env = {e["name"]: e.get("value", "") for e in container["env"]}
        script = (
            container["command"][2]
            .replace("cd /data", f"cd '{self.volume}'")
            .replace("t=/tmp/", f"t={self.volume.parent}/")
        )
        tools = self.volume.parent / "bin"
        tools.mkdir(exist_ok=True)
        (tools / "restic").write_text(f"#!/bin/sh\n{self.restic}\n")
        (tools / "restic").chmod(0o755)
        if self.unreadable:
            self.unreadable -= 1
            script = script.replace("total=$(wc", "echo 'find: ./a: Permission denied' >> \"$t/errors\"; total=$(wc", 1)
        done = subprocess.run(
            [*container["command"][:2], script],
            env={"PATH": f"{tools}:{os.environ['PATH']}", **env},
            capture_output=True,
            timeout=30,
        )
        pod = f"{name}-x"
        self.logs.logs[pod] = done.stdout[: self.cut]
        labels = {"batch.kubernetes.io/job-name": name}
        spec = template["spec"] | {"nodeName": "reader-node"}
        self.client.create(POD, {"metadata": {"name": pod, "labels": labels}, "spec": spec}, NS)
        phase = "Succeeded" if done.returncode == 0 else "Failed"
        status(self.client, POD.path(NS, pod, "status"), {"phase": phase})

    def wait(self, job: str, spec: dict[str, Any]) -> None:
        """A pod of this Job that does not start: its image is not pulled, or a warning says what is wrong with its volume."""
        pod = f"{job}-x"
        labels = {"batch.kubernetes.io/job-name": job}
        metadata = {"name": pod, "labels": labels}
        made = self.client.create(POD, {"metadata": metadata, "spec": spec | {"nodeName": "reader-node"}}, NS)
        reason, message = ("ContainerCreating", "") if self.warns else ("ImagePullBackOff", "Back-off pulling image")
        waiting = {"reason": reason} | ({"message": message} if message else {})
        container = {"name": "reader", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
        told = container | {"state": {"waiting": waiting}}
        status(self.client, POD.path(NS, pod, "status"), {"phase": "Pending", "containerStatuses": [told]})
        if self.warns:
            about = {"kind": "Pod", "name": pod, "namespace": NS, "uid": made["metadata"]["uid"]}
            event = {"type": "Warning", "reason": self.warns, "message": "the volume is elsewhere", "involvedObject": about}
            self.client.create(EVENT, {"metadata": {"generateName": "w-"}, **event}, NS)

    def stop(self) -> None:
        self._stop.set()


def status(client: ApiClient, path: str, value: dict[str, Any]) -> None:
    client.demand("PATCH", path, "status", body={"status": value}, content_type="application/merge-patch+json")


@pytest.fixture(scope="module")
def client(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    clients = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    made = clients.main()
    define(made, "volsync", "snapshots", kinds=(REPLICATION_DESTINATION, SNAPSHOT))
    made.create(NAMESPACE, {"metadata": {"name": NS}})
    container = {"name": "manager", "image": "registry.example/volsync:9", "args": [f"--restic-container-image={MOVER}"]}
    labels = {"app.kubernetes.io/name": "volsync"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {"selector": {"matchLabels": labels}, "template": template}
    made.create(DEPLOYMENT, {"metadata": {"name": "volsync", "labels": labels}, "spec": deployment}, NS)
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Mi"}}}
    made.create(CLAIM, {"metadata": {"name": "volsync-dst-dest"}, "spec": spec | {"storageClassName": "fast"}}, NS)
    made.create(
        SNAPSHOT,
        {"metadata": {"name": "img"}, "spec": {"source": {"persistentVolumeClaimName": "volsync-dst-dest"}}},
        NS,
    )
    status(made, SNAPSHOT.path(NS, "img", "status"), {"readyToUse": True, "restoreSize": "3Mi"})
    yield made
    clients.close()


@pytest.fixture
def kubelet(client: ApiClient, real_api: ApiServers, tmp_path: Path) -> Iterator[Kubelet]:
    logs = Logs(real_api.addresses[0], tmp_path)
    serving = threading.Thread(target=logs.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    client.create(NODE, {"metadata": {"name": "reader-node"}})
    addresses = [{"type": "InternalIP", "address": real_api.addresses[0]}]
    endpoint = {"kubeletEndpoint": {"Port": logs.server_port}}
    status(client, NODE.path("", "reader-node", "status"), {"addresses": addresses, "daemonEndpoints": endpoint})
    volume = tmp_path / "volume"
    volume.mkdir()
    for name in ("a", "with space", "odd\nname"):
        (volume / name).write_text(name)
    made = Kubelet(client, logs, volume)
    running = threading.Thread(target=made.loop)
    running.start()
    yield made
    made.stop()
    running.join()
    logs.shutdown()
    logs.server_close()
    serving.join()
    client.delete(NODE, "reader-node")
    for pod in client.list_objects(POD, NS):
        client.demand("DELETE", POD.path(NS, pod["metadata"]["name"]), "clean", body={"gracePeriodSeconds": 0})


@pytest.fixture
def images(real_api: ApiServers, tmp_path: Path) -> Iterator[Reader]:
    clients = Clients(house_on(real_api, tmp_path))
    yield Reader(clients, SystemClock(), limits=Limits(20.0, 0.2))
    clients.close()


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


@pytest.fixture
def destination(client: ApiClient) -> Iterator[str]:
    """A destination with all that a mover can be given."""
    client.create(SECRET, {"metadata": {"name": "repo"}, "stringData": {"RESTIC_REPOSITORY": "/r", "RESTIC_PASSWORD": "p"}}, NS)
    restic = {
        "repository": "repo",
        "customCA": {"secretName": "store-ca", "key": "root.pem"},
        "moverSecurityContext": {"runAsUser": 568, "runAsGroup": 568, "fsGroup": 568},
        "moverVolumes": [{"mountPath": "nas", "volumeSource": {"secret": {"secretName": "x"}}}],
        "moverResources": {"limits": {"memory": "1Gi"}},
        "moverPodLabels": {"net": "store"},
    }
    client.create(REPLICATION_DESTINATION, {"metadata": {"name": "notes-dst"}, "spec": {"restic": restic}}, NS)
    yield "notes-dst"
    client.delete(REPLICATION_DESTINATION, "notes-dst", NS)
    client.delete(SECRET, "repo", NS)


AGAINST = Snapshot("c0ffee", "5" * 64)


def test_which_repository_a_mover_opens_is_told_by_a_pod_that_mounts_no_volume(
    kubelet: Kubelet, images: Reader, client: ApiClient, destination: str
) -> None:
    client.create(SECRET, {"metadata": {"name": "nas"}, "stringData": {"RESTIC_REPOSITORY": "/n", "RESTIC_PASSWORD": "p"}}, NS)
    kubelet.restic = "echo '{\"id\": \"beef\"}'"
    assert images.identify(NS, destination, "nas") == Sight("beef")
    (job,) = kubelet.jobs
    spec = job["spec"]["template"]["spec"]
    assert spec["containers"][0]["envFrom"] == [{"secretRef": {"name": "nas"}}]
    assert not any("persistentVolumeClaim" in volume for volume in spec["volumes"])
    assert job["metadata"]["name"].startswith("volsync-blackstart-"), "what a house adds to movers is added to it"
    assert spec["securityContext"] == {"runAsUser": 568, "runAsGroup": 568}
    assert client.list_objects(JOB, NS) == []
    client.delete(SECRET, "nas", NS)


def test_a_mover_that_opens_none_says_why_and_makes_none(kubelet: Kubelet, images: Reader, destination: str) -> None:
    kubelet.restic = "case \"$*\" in *init*) touch made;; esac; echo 'Fatal: repository does not exist' >&2; exit 10"
    assert images.identify(NS, destination, "repo") == Sight("", "Fatal: repository does not exist")
    assert len(kubelet.jobs) == 2, "as the mover, then as root"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (None, "Secret contents/other is not in the cluster"),
        ({"RESTIC_REPOSITORY": "/r"}, "Secret contents/other has no RESTIC_PASSWORD"),
        ({"x": "y"}, "Secret contents/other has no RESTIC_REPOSITORY and no RESTIC_PASSWORD"),
    ],
)
def test_what_no_mover_would_start_with_is_told_without_a_pod(
    kubelet: Kubelet, images: Reader, client: ApiClient, destination: str, keys: dict[str, str] | None, told: str
) -> None:
    if keys is not None:
        client.create(SECRET, {"metadata": {"name": "other"}, "stringData": keys}, NS)
    assert images.identify(NS, destination, "other") == Sight("", told)
    assert kubelet.jobs == []
    client.delete(SECRET, "other", NS)


def test_the_comparing_pod_has_the_movers_way_to_the_repository(
    kubelet: Kubelet, images: Reader, destination: str
) -> None:
    compared = images.compare(NS, "img", destination, AGAINST)
    job = kubelet.jobs[0]
    name, spec = job["metadata"]["name"], job["spec"]["template"]["spec"]
    # A policy of a house goes by these two: what it adds to movers is added here too, and what delays backups is not.
    assert job["metadata"]["labels"]["app.kubernetes.io/created-by"] == "volsync"
    assert name.startswith("volsync-") and not name.startswith(("volsync-src-", "volsync-dst-"))
    assert job["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "blackstart"
    assert "ownerReferences" not in job["metadata"]
    claims = [v["persistentVolumeClaim"]["claimName"] for v in spec["volumes"] if "persistentVolumeClaim" in v]
    assert claims == [name], "it mounts nothing but a copy that is named like itself"
    container = spec["containers"][0]
    assert container["envFrom"] == [{"secretRef": {"name": "repo"}}]
    env = {e["name"]: e.get("value") for e in container["env"]}
    assert (env["CUSTOM_CA"], env["SNAPSHOT"], env["REPOSITORY_ID"]) == ("/customCA/ca.crt", "5" * 64, "c0ffee")
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    assert (mounts["custom-ca"], mounts["mover-0"]) == ("/customCA", "/mnt/nas")
    assert container["volumeMounts"][0]["readOnly"] is True
    assert spec["securityContext"] == {"runAsUser": 568, "runAsGroup": 568}
    assert container["resources"]["limits"] == {"memory": "1Gi"}
    assert job["spec"]["template"]["metadata"]["labels"]["net"] == "store"
    assert not compared.owners_kept
    assert "repo" not in str(env.values())


def test_where_restic_cannot_be_asked_every_file_is_hashed_and_why_is_told(
    kubelet: Kubelet, images: Reader, destination: str
) -> None:
    kubelet.restic = "echo 'Fatal: no route to the store' >&2; exit 1"
    compared = images.compare(NS, "img", destination, AGAINST)
    assert compared.checked is None and "no route to the store" in compared.problem
    assert compared.listing.complete and all(e.sha256 for e in compared.listing.entries)


def test_another_repository_than_the_snapshots_is_refused_and_never_compared(
    kubelet: Kubelet, images: Reader, destination: str
) -> None:
    kubelet.restic = "echo '{\"id\": \"beef\"}'"
    with pytest.raises(PermanentError, match="another repository") as error:
        images.compare(NS, "img", destination, AGAINST)
    assert error.value.evidence == ("it opens beef", "the restore point is of c0ffee")


def test_what_restic_says_is_read_and_no_file_is_hashed(kubelet: Kubelet, images: Reader, destination: str) -> None:
    kubelet.restic = PLAYED
    compared = images.compare(NS, "img", destination, AGAINST)
    assert compared.checked == Checked(2, 1, changed=("with space",), surplus=())
    assert {e.sha256 for e in compared.listing.entries} == {""}


PLAYED = """
case "$*" in
  *'cat config'*) echo '{"version": 2,'; echo ' "id": "c0ffee"}' ;;
  *) echo '{"message_type":"verbose_status","action":"unchanged","item":"/a","size":1}'
     echo '{"message_type":"status","percent_done":0}'
     echo '{"message_type":"verbose_status","action":"updated","item":"/with space","size":1}'
     echo '{"message_type":"verbose_status","action":"unchanged","item":"/odd\\nname","size":1}'
     echo '{"message_type":"verbose_status","action":"restored","item":"/folder","size":0}'
     echo '{"message_type":"verbose_status","action":"deleted","item":"'"$PWD"'/lost+found","size":0}'
     echo '{"message_type":"summary","total_files":3}' ;;
esac
"""


def test_a_volume_that_the_mover_cannot_read_is_read_as_root_where_that_is_allowed(
    kubelet: Kubelet, images: Reader, destination: str
) -> None:
    kubelet.restic, kubelet.unreadable = PLAYED, 1
    compared = images.compare(NS, "img", destination, AGAINST)
    assert compared.listing.complete
    users = [job["spec"]["template"]["spec"]["containers"][0]["securityContext"].get("runAsUser") for job in kubelet.jobs]
    assert users == [None, 0]
