"""The pod of the CronJob that drills inside, as the lab's kubelet starts it: this checkout in its sandbox, a clone, a token.

The API that it is told of lets nobody in: who asked it, and what is said then, is read where it comes to lie.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from console.schedule.cronjob import CronJob, manifests
from console.schedule.units import Every
from engine.errors import EXIT_BUG
from lab.parts.knobs import Knobs
from lab.parts.kube import CLAIMS, CONFIG_MAPS, SECRETS, VOLUMES, Object, Resource
from lab.parts.pods.images import Place, ourselves
from lab.parts.pods.podspec import PodSpec
from lab.parts.settings import Settings, known_images
from lab.wire.git import GitDoor
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import LabCA
from tests.contract.apiserver import needed
from tests.house.reading import load
from tests.house.small_house import write_repository

pytestmark = pytest.mark.programs
IMAGE = "registry.example/home/blackstart:1"
TOKEN = "the-token-of-its-account"


@dataclass(frozen=True)
class Ran:
    """How the pod ended: its code, its log, what lies on its claim then, and as whom it has asked the API."""

    asked_as: frozenset[str]
    code: int
    log: str
    state: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    needed("kubectl")
    root = tmp_path_factory.mktemp("drill-pod")
    authority = LabCA(root / "ca")
    origin = root / "git" / "home-ops"
    settings = write_repository(origin)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(origin)]
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run([*git, *words], check=True, capture_output=True)
    door = GitDoor(root / "git", "127.0.0.1", 0, authority.server("git", "127.0.0.1")).start()
    asked: list[str] = []

    def refused(request: Request) -> Reply:
        asked.append(request.headers.get("authorization", ""))
        told = b'{"kind": "Status", "reason": "Unauthorized", "code": 401}'
        return Reply(401, "Unauthorized", {"Content-Type": "application/json"}, told)

    gate = HttpsServer("127.0.0.1", 0, authority.server("api", "127.0.0.1").context(), refused).start()
    try:
        found = load(settings)
        house = replace(
            found, flux=replace(found.flux, url=f"{door.url}/home-ops/.git", branch="main"),
            cluster=replace(found.cluster, endpoint=gate.url),
        )  # fmt: skip
        code, log, state = run(root, CronJob(house, Every.WEEKLY, IMAGE, Path("/checkout")), authority)
        yield Ran(frozenset(asked), code, log, state)
    finally:
        door.close()
        gate.close()


def run(root: Path, of: CronJob, authority: LabCA) -> tuple[int, str, Path]:
    """The pod that the CronJob's controller would make of it, begun by hand; its code, its log, and the folder of its claim."""
    documents: dict[str, Any] = {one["kind"]: one for one in YAML(typ="safe").load_all(manifests(of))}
    template = documents["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]
    meta = {"name": f"{of.name}-now-x7k2p", "namespace": "blackstart-drills", "uid": "00000001"}
    pod: Object = {"metadata": meta, "spec": template["spec"]}
    ((key, _),) = of.kept_files()
    secret = {"GIT_SSL_CAINFO": "/secrets/git-ca", "git-ca": authority.ca_file.read_text(), key: "the age key\n"}
    secret |= dict.fromkeys(of.variables()[1:], "word")
    objects: dict[Resource, dict[str, Object]] = {
        CONFIG_MAPS: {of.name: documents["ConfigMap"], "kube-root-ca.crt": {"data": {"ca.crt": authority.ca_file.read_text()}}},
        SECRETS: {of.name: {"data": {name: base64.b64encode(value.encode()).decode() for name, value in secret.items()}}},
        CLAIMS: {f"{of.name}-state": {"spec": {"volumeName": "pv-1"}}},
        VOLUMES: {"pv-1": {"spec": {"csi": {"volumeHandle": "volume-1"}}}},
    }
    (root / "volumes" / "volume-1").mkdir(parents=True)
    (root / "pod").mkdir(mode=0o711)
    matched = known_images(Settings(root, "127.9.9")).match(pod)
    assert matched is not None and matched[1] == ourselves()
    spec = PodSpec(lambda resource, name, _: objects[resource].get(name), pod, root / "pod", root / "volumes", {}, lambda _: TOKEN)
    place = Place(pod, matched[0], root / "pod", "127.0.0.1", spec, Knobs(), Path)
    done = subprocess.run(matched[1].program(place).argv, capture_output=True, text=True, timeout=300)
    return int(place.exit_file.read_text()), done.stdout + done.stderr, root / "volumes" / "volume-1"


def test_it_clones_the_house_and_drills_as_its_own_account(ran: Ran) -> None:
    kubeconfig = YAML(typ="safe").load((ran.state / "kubeconfig").read_text())
    assert kubeconfig["users"][0]["user"] == {"token": TOKEN}
    assert (ran.state / "kubeconfig").stat().st_mode & 0o077 == 0
    assert ran.asked_as == {f"Bearer {TOKEN}"}, ran


def test_what_it_could_not_reach_is_no_pass_and_no_crash_and_its_log_says_it(ran: Ran) -> None:
    assert ran.code not in (0, EXIT_BUG, 125, 126, 127), ran.log
    assert "Traceback" not in ran.log and TOKEN not in ran.log, ran.log
    assert "401" in ran.log or "nauthorized" in ran.log, ran.log
