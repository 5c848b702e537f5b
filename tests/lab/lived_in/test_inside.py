"""The CronJob's drill in a house that lives: its pod clones, drills with the rights of its manifests alone, and leaves evidence."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.opened.building import builder
from console.schedule.cronjob import CronJob, manifests
from console.schedule.rights import ACCOUNT
from console.schedule.units import OWN, Every
from house.loader import load
from lab.houses.nouns import CHECKOUT
from tests.crash.wire.bench import Bench
from tests.crash.wire.outside import kubectl

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long]
IMAGE, BRANCH, LIMIT_S = "registry.example/home/blackstart:1", "drilled-inside", 600.0


@pytest.fixture
def inside(restored: Bench, tmp_path: Path) -> Iterator[CronJob]:
    """The CronJob, installed as `dr.schedule` says: from a house whose settings are in its repository, on a branch of their own."""
    clone, bare = tmp_path / "home-ops", restored.folder.root / "git" / "home-ops.git"
    git(tmp_path, "clone", "-q", str(bare), str(clone))
    origin = git(restored.folder.root / "home-ops", "remote", "get-url", "origin")
    git(clone, "remote", "set-url", "origin", origin)
    for name in ("secrets", "pki"):
        (clone / name).mkdir()
    for source in restored.folder.secrets.iterdir():
        (clone / "secrets" / source.name).write_bytes(source.read_bytes())
    (clone / "pki" / "ca.crt").write_bytes((restored.folder.root / "pki" / "ca.crt").read_bytes())
    told = restored.folder.settings.read_text().replace("repository: home-ops", "repository: .")
    told = told.replace("data: may-be-empty", "data: required")  # what may be empty no drill takes by itself
    (clone / "blackstart.yaml").write_text(told)
    git(clone, "add", "-f", "blackstart.yaml", "pki/ca.crt")
    git(clone, "commit", "-qm", "Settings for a drill inside")
    git(clone, "push", "-q", str(bare), f"HEAD:refs/heads/{BRANCH}")
    found = load(clone / "blackstart.yaml", builder())
    of = CronJob(replace(found, flux=replace(found.flux, branch=BRANCH)), Every.WEEKLY, IMAGE, CHECKOUT)
    file = tmp_path / "cronjob.yaml"
    file.write_text(manifests(of))
    kubectl(restored, "create", "namespace", OWN)
    files = {key: clone / place.relative_to("/house") for key, place in of.kept_files()} | {"git-ca": clone / "pki" / "ca.crt"}
    given = [f"--from-file={key}={path}" for key, path in files.items()]
    kubectl(restored, "create", "secret", "generic", of.name, "-n", OWN, *given, "--from-literal=GIT_SSL_CAINFO=/secrets/git-ca")
    kubectl(restored, "apply", "-f", str(file))
    yield of
    kubectl(restored, "delete", "-f", str(file), "--wait=false")


def git(folder: Path, *words: str) -> str:
    argv = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder), *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def test_the_pod_of_the_cronjob_drills_with_the_rights_of_its_manifests_alone(restored: Bench, inside: CronJob) -> None:
    kubectl(restored, "create", "job", f"--from=cronjob/{inside.name}", f"{inside.name}-now", "-n", OWN)
    ended = waited_for(restored, f"{inside.name}-now")
    log = kubectl(restored, "logs", f"job/{inside.name}-now", "-n", OWN)
    assert ended == "Complete" and "PASS" in log, log
    name = kubectl(restored, "get", "pvc", f"{inside.name}-state", "-n", OWN, "-o", "jsonpath={.spec.volumeName}")
    kept = restored.folder.parts / "disks" / "volumes" / name
    (evidence,) = (kept / "evidence").iterdir()
    told = json.loads((evidence / "evidence.json").read_text())
    assert told["drill"]["verdict"] == "PASS" and (evidence / "report.html").exists(), told
    with pytest.raises(subprocess.CalledProcessError) as refused:
        kubectl(restored, "auth", "can-i", "get", "secrets", "-A", f"--as=system:serviceaccount:{OWN}:{ACCOUNT}")
    assert refused.value.stdout.strip() == "no"


def waited_for(bench: Bench, job: str) -> str:
    """How the Job ended: Complete or Failed."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        status = json.loads(kubectl(bench, "get", "job", job, "-n", OWN, "-o", "json"))["status"]
        for one in status.get("conditions", []):
            if one["status"] == "True" and one["type"] in ("Complete", "Failed"):
                return str(one["type"])
        time.sleep(2.0)
    pods = kubectl(bench, "get", "pods", "-n", OWN, "-o", "json")
    raise AssertionError(f"the Job does not end: {pods[-3000:]}")
