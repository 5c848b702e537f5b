"""The lab's house comes back from its kit: an empty folder, one recipient's key, and the real programs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.errors import EXIT_OK
from tests.console.kit.carried import carry_every_secret
from tests.contract.apiserver import needed
from tests.crash.wire.bench import Bench
from tests.crash.wire.outside import kubectl

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long]


def test_the_kit_in_an_empty_folder_with_one_key_brings_the_house_back(tmp_path: Path) -> None:
    needed("age", "age-keygen", "talosctl", "talhelper", "kubectl", "helm", "helmfile", "sops", "restic", "etcd", "kube-apiserver",
           "volsync", "volsync-mover", "helm-controller")  # fmt: skip
    with Bench.of("one-node", tmp_path / "lab", scenario="hosts-lost") as bench:
        key = carry_every_secret(bench.folder)
        assert bench.run("dr.kit", "--file", str(tmp_path / "home.kit.age")).code == EXIT_OK
        # What the house knew of itself is gone; its certificate authority stays, for the doors of the lab are its own.
        shutil.rmtree(bench.folder.clone)
        shutil.rmtree(bench.folder.secrets)
        bench.folder.settings.unlink()
        opened = bench.run(
            "dr.kit", "--open", str(tmp_path / "home.kit.age"), "--into", str(tmp_path / "empty"), "--identity", str(key)
        )
        assert opened.code == EXIT_OK, opened.result
        settings = opened.result["settings"]
        bench.converge("cluster.bootstrap", "--settings", settings)
        restored = bench.run("dr.restore", "--settings", settings)
        assert restored.code == EXIT_OK, restored.result
        assert bench.run("dr.hold", "--settings", settings).code == EXIT_OK
        bench.state.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "empty" / "house" / "state" / "kubeconfig", bench.state / "kubeconfig")
        claim = json.loads(kubectl(bench, "get", "pvc", "notes", "-n", "selfhosted", "-o", "json"))
        assert claim["status"]["phase"] == "Bound"
