"""The probe `http` as a drill asks for it and as the lab's kubelet runs it: an application on restored data, with no way out.

The application is nobody's of ours: Python's own web server. There is no cluster: the kubelet's API holds what its pod needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from adapters.drills.answers import SPARE_S, told_of
from adapters.drills.fence import SCRATCH, walls
from adapters.drills.jobs import probe_job
from adapters.drills.probes import told
from adapters.drills.results import Examination, Examined, Health, Order
from adapters.volsync.results import Snapshot
from house.values.rehearsing import PYTHON, ClaimProbe, Preset
from lab.parts.cache import Caches
from lab.parts.journal import WriteJournal
from lab.parts.knobs import Knobs
from lab.parts.kube import ATTACHMENTS, CLAIMS, VOLUMES, Access, Kube, Object
from lab.parts.pods.attached import Attached, attachment_name
from lab.parts.pods.netpolicy import POLICIES
from lab.parts.pods.podwork import Host, PodWork
from lab.parts.settings import Settings, known_images
from lab.parts.supervisor import Supervisor
from lab.wire.https import HttpsServer, Reply
from lab.wire.pki import LabCA
from tests.lab.parts.pods.canned import api

ORDER = Order("scratch", "apps", "notes", Snapshot("a" * 64, "b" * 64), 1 << 20)
AS_WHOM: tuple[Object, Object] = ({}, {"runAsUser": 65534, "runAsGroup": 65534, "capabilities": {"drop": ["ALL"]}})
SERVE = ("python3", "-I", "-m", "http.server", "8000", "--bind", "127.0.0.1", "--directory", "/srv/www")
SHUT_IN = """
import http.server, socket, sys
host, port = sys.argv[1].split(":")
assert socket.socket().connect_ex((host, int(port))), "the world is heard"
http.server.test(http.server.SimpleHTTPRequestHandler, port=8000, bind="127.0.0.1")
"""
LATE_S = 60.0
"""How much later than its limit a probe may end on a machine that is busy."""
APP = partial(ClaimProbe, Preset.HTTP, PYTHON, port=8000, at="/srv/www")


@dataclass(frozen=True)
class Node:
    """A kubelet's host, its API, and a server outside that answers everybody."""

    kube: Kube
    host: Host
    attached: Attached
    outside: str

    def examined(self, probe: ClaimProbe) -> Examined:
        """What a drill reads of this probe's pod once that has ended."""
        job = probe_job(Examination(ORDER, probe), "lab/mover:1", AS_WHOM)
        template = job["spec"]["template"]
        meta = template["metadata"] | {"name": "probe", "namespace": SCRATCH, "uid": str(time.monotonic_ns())}
        pod: Object = {"metadata": meta, "spec": template["spec"]}
        work = PodWork(self.kube, self.host, self.attached, pod, "127.0.0.1")
        latest = time.monotonic() + probe.limit_s + LATE_S
        while pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            assert time.monotonic() < latest, pod
            if (status := work.advance(pod)) is not None:
                pod["status"] = status
            time.sleep(work.again_s)
        found = told_of(told(work.log(job["spec"]["template"]["spec"]["containers"][0]["name"]).read_text()), pod)
        work.forget()
        return found


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    authority = LabCA(tmp_path / "ca")
    (tmp_path / "volumes" / "restored").mkdir(parents=True)
    (tmp_path / "volumes" / "restored" / "notes.txt").write_text("what was backed up")
    there = attachment_name("restored", "lab", "node")
    objects = {
        (CLAIMS, SCRATCH, "scratch"): {"metadata": {"name": "scratch", "namespace": SCRATCH}, "spec": {"volumeName": "pv-1"}},
        (VOLUMES, "", "pv-1"): {"metadata": {"name": "pv-1"}, "spec": {"csi": {"volumeHandle": "restored", "driver": "lab"}}},
        (ATTACHMENTS, "", there): {"metadata": {"name": there}, "status": {"attached": True}},
        **{(POLICIES, SCRATCH, one["metadata"]["name"]): one for _, one in walls() if "podSelector" in one.get("spec", {})},
    }
    outside = HttpsServer("127.0.0.1", 0, authority.server("out", "127.0.0.1").context(), lambda _: Reply()).start()
    with api(authority, objects) as url, Kube(Access(url, authority.ca_file)) as kube:
        supervisor = Supervisor(tmp_path / "lab")
        journal = WriteJournal(tmp_path / "journal")
        images = known_images(Settings(tmp_path, "127.9.9"))
        folders = tmp_path / "pods", tmp_path / "volumes"
        host = Host(supervisor, images, Knobs(), journal, *folders, url, authority.ca_file, "127.9.9")
        caches = Caches(kube)
        yield Node(kube, host, Attached(caches, "node"), f"{outside.address}:{outside.port}")
        caches.stop()
        supervisor.down()
        journal.close()
    outside.close()


SCENES: dict[str, tuple[Callable[[Node], ClaimProbe], Health, str]] = {
    "a restored file": (lambda _: APP(command=SERVE, page="/notes.txt"), Health.SOUND, "it answers 200 to /notes.txt"),
    "what is not there": (
        lambda _: APP(command=SERVE, page="/gone"), Health.ILL, "it answers 404 to /gone"
    ),
    "nobody outside is heard": (
        lambda node: APP(command=("python3", "-I", "-c", SHUT_IN, node.outside)), Health.SOUND, "it answers 200 to /"
    ),
    "it ends": (
        lambda _: APP(command=("sh", "-c", "exit 7")), Health.UNSEEN, "with exit code 7"
    ),
}  # fmt: skip


@pytest.mark.parametrize("scene", SCENES)
def test_only_what_an_application_answers_from_its_restored_data_is_said_of_them(node: Node, scene: str) -> None:
    asked, health, words = SCENES[scene]
    for patience in (2.0, 10.0, 60.0):  # one that has not begun yet on a busy machine has answered nothing, and is asked once more
        found = node.examined(replace(asked(node), limit_s=SPARE_S + patience))
        if not found.detail.startswith("nothing has answered") or "has ended" in found.detail:
            break
    assert found.health is health and words in found.detail, found
    assert node.host.errors == []
