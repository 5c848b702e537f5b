"""A whole drill with no more rights than the manifests of the CronJob give, on the wire: they are enough."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from console.opened.building import builder
from console.schedule.cronjob import CronJob, manifests
from console.schedule.rights import ACCOUNT
from console.schedule.units import OWN, Every
from engine.errors import EXIT_OK
from house.loader import load
from house.model import SecretRef
from tests.crash.wire.bench import Bench
from tests.crash.wire.outside import kubectl
from tests.lab.lived_in.test_drilled import CLAIM
from tools.locate import need

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long]


def test_a_drill_passes_with_the_rights_of_its_manifests_alone(restored: Bench, tmp_path: Path) -> None:
    found = load(restored.folder.settings, builder())
    given = SecretRef(("env:GIVEN",))
    claims = tuple(replace(claim, password=given, environment=()) for claim in found.claims)
    house = replace(found, settings_file=found.root / "blackstart.yaml", age_key=given, claims=claims)
    (tmp_path / "cronjob.yaml").write_text(manifests(CronJob(house, Every.WEEKLY, "registry.invalid/blackstart:1", tmp_path)))
    kubectl(restored, "apply", "-f", str(tmp_path / "cronjob.yaml"))
    state = restored.folder.root / "inside"
    state.mkdir()
    admin = YAML(typ="safe").load((restored.state / "kubeconfig").read_text())
    token = kubectl(restored, "create", "token", ACCOUNT, "-n", OWN, "--duration=2h").strip()
    admin["users"][0]["user"] = {"token": token}
    (state / "kubeconfig").write_text(json.dumps(admin))
    (state / "kubeconfig").chmod(0o600)
    settings = restored.folder.root / "inside.yaml"
    settings.write_text(restored.folder.settings.read_text().replace("state: state", "state: inside"))
    try:
        ended = restored.run("dr.rehearse", "--settings", str(settings), "--claims", CLAIM)
        assert ended.code == EXIT_OK, (ended.failures, ended.result.get("drill", {}).get("reasons"))
        assert ended.result["drill"]["verdict"] == "PASS"
        refused = subprocess.run(
            [str(need("kubectl")), f"--kubeconfig={state / 'kubeconfig'}", "get", "secrets", "-A"], check=False, capture_output=True
        )
        assert refused.returncode != 0
    finally:
        kubectl(restored, "delete", "-f", str(tmp_path / "cronjob.yaml"), "--wait=false")
