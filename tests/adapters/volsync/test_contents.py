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
from adapters.kubernetes.kinds import CLAIM, JOB, NAMESPACE, NODE, POD, REPLICATION_DESTINATION, SNAPSHOT
from adapters.volsync import contents, reader
from adapters.volsync.contents import Reader, job_name
from engine.errors import PermanentError, TransientError, WaitedTooLong
from engine.waiting import SystemClock
from lab.parts.pki import authority, issue
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs

NS = "contents"


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
        wanted = template["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
        claim = self.client.get(CLAIM, wanted, NS)
        if claim is None or not self.starts:
            return
        self.claims.append(claim)
        self.jobs.append(job)
        container = template["spec"]["containers"][0]
        env = {e["name"]: e.get("value", "") for e in container["env"]}
        script = (
            container["command"][2]
            .replace("cd /data", f"cd '{self.volume}'")
            .replace("t=/tmp/", f"t={self.volume.parent}/")
        )
        done = subprocess.run(
            [*container["command"][:2], script],
            env={"PATH": os.environ["PATH"], **env},
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
    yield Reader(clients, SystemClock(), limit_s=20.0)
    clients.close()


def test_an_image_is_read_whole_through_a_copy_and_nothing_stays(
    kubelet: Kubelet, images: Reader, client: ApiClient
) -> None:
    listing = images.read(NS, "img", None)
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


def test_only_named_files_are_hashed(kubelet: Kubelet, images: Reader) -> None:
    listing = images.read(NS, "img", ["odd\nname"])
    assert {e.path: bool(e.sha256) for e in listing.entries} == {"a": False, "with space": False, "odd\nname": True}


def test_a_long_list_is_read_in_several_jobs(kubelet: Kubelet, real_api: ApiServers, tmp_path: Path) -> None:
    for n in range(10):
        (kubelet.volume / f"f{n}").write_text(str(n))
    clients = Clients(house_on(real_api, tmp_path))
    listing = Reader(clients, SystemClock(), limit_s=20.0, take=5).read(NS, "img", None)
    clients.close()
    assert len(kubelet.jobs) == 3
    assert listing.complete
    assert len(listing.entries) == 13
    assert all(e.sha256 for e in listing.entries)


def test_a_log_that_broke_off_is_not_complete(kubelet: Kubelet, images: Reader) -> None:
    kubelet.cut = 30
    listing = images.read(NS, "img", None)
    assert not listing.complete
    assert "broke off" in listing.detail


def test_a_claim_is_read_as_it_is_without_a_copy(kubelet: Kubelet, images: Reader, client: ApiClient) -> None:
    assert images.read(NS, "volsync-dst-dest", ()).complete
    found = client.get(CLAIM, "volsync-dst-dest", NS) or {}
    assert not found["metadata"].get("deletionTimestamp")
    (job,) = kubelet.jobs
    mount = job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0]
    assert mount["readOnly"] is True


def test_a_job_that_a_dead_run_left_is_taken_over(kubelet: Kubelet, images: Reader, client: ApiClient) -> None:
    (request,) = reader.first_requests(None)
    volume = contents.Volume("volsync-dst-dest", None, {})
    left = contents.job_object(job_name("volsync-dst-dest", request), volume, request, reader.IMAGE)
    uid = client.create(JOB, left, NS)["metadata"]["uid"]
    images.read(NS, "volsync-dst-dest", None)
    assert [job["metadata"]["uid"] for job in kubelet.jobs] == [uid]


def test_what_is_not_there_or_not_ready_is_said_so(kubelet: Kubelet, images: Reader, client: ApiClient) -> None:
    with pytest.raises(PermanentError, match="neither a VolumeSnapshot nor a claim"):
        images.read(NS, "gone", None)
    client.create(SNAPSHOT, {"metadata": {"name": "raw"}, "spec": {"source": {"persistentVolumeClaimName": "x"}}}, NS)
    with pytest.raises(TransientError, match="not ready"):
        images.read(NS, "raw", None)


def test_a_pod_that_never_ends_is_waited_for_no_longer_than_the_limit(
    kubelet: Kubelet, real_api: ApiServers, tmp_path: Path, client: ApiClient
) -> None:
    kubelet.starts = False
    clients = Clients(house_on(real_api, tmp_path))
    with pytest.raises(WaitedTooLong):
        Reader(clients, SystemClock(), limit_s=0.3).read(NS, "img", None)
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
    images.read(NS, "img", ())
    spec = kubelet.jobs[0]["spec"]["template"]["spec"]
    context = spec["containers"][0]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["runAsNonRoot"]) == (1234, 99, True)
    assert "fsGroup" not in spec.get("securityContext", {}), "it would change the owners that are compared"
    with pytest.raises(ObjectAbsent):
        client.demand("GET", POD.path(NS, "none"), "x")
    client.merge(NAMESPACE, NS, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}})
