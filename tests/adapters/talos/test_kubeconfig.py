"""Whether the kubeconfig in the state folder is this cluster's: its CA, and the place that it leads to."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.process.results import NO_ENVIRONMENT, Finished
from adapters.talos.machineconfigs import TalhelperMachineconfigs
from engine.secrets import Secret
from lab.parts.plane.pki import authority
from lab.wire.talos.certificates import kubeconfig
from lab.world.machines.machineconfig import parse
from tests.builders import a_house

CA = authority("kubernetes")
HERE = "https://127.10.0.10:6443"


class NoPrograms:
    """A runner that nothing may be asked of: files tell enough."""

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str | Secret] = NO_ENVIRONMENT, cwd: Path | None = None,
        stdin: bytes | Secret | None = None, timeout_s: float, ok: Collection[int] = (0,), shielded: bool = False,
    ) -> Finished:  # fmt: skip
        """Fails."""
        raise AssertionError(argv)


def machineconfig(endpoint: str) -> str:
    """What a control plane runs, as far as a kubeconfig is made from it."""
    pair = {"crt": base64.b64encode(CA.certificate).decode(), "key": base64.b64encode(CA.key).decode()}
    return json.dumps({
        "version": "v1alpha1",
        "machine": {"type": "controlplane", "ca": pair, "network": {"hostname": "cp-1"}, "install": {"disk": "/dev/sda"}},
        "cluster": {"clusterName": "house", "controlPlane": {"endpoint": endpoint}, "ca": pair, "etcd": {"ca": pair}},
    })  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [(HERE, True), (f"{HERE}/", True), ("https://127.10.0.99:6443", False), ("https://127.10.0.10:7443", False)],
)
def test_one_that_leads_to_another_place_is_none(tmp_path: Path, wanted: str, fits: bool) -> None:
    house = a_house()
    (tmp_path / "machineconfigs").mkdir()
    (tmp_path / "machineconfigs" / "cp-1.yaml").write_text(machineconfig(wanted))
    given = parse(machineconfig(HERE))
    assert given is not None
    (tmp_path / "kubeconfig").write_bytes(kubeconfig(given))
    found = TalhelperMachineconfigs(house.cluster, ["cp-1"], tmp_path, NoPrograms(), lambda: Secret("unused"))
    assert found.kubeconfig_ok() is fits


def _other_key(told: Any) -> None:
    told["users"][0]["user"]["client-key-data"] = base64.b64encode(authority("other").key).decode()


def _another_first(told: Any) -> None:
    """A person's own cluster beside it, which is the current one."""
    here = told["clusters"][0]["cluster"]
    told["clusters"].append({"name": "other", "cluster": {**here, "server": "https://127.20.0.10:6443"}})
    told["contexts"].append({"name": "other", "context": {"cluster": "other", "user": told["users"][0]["name"]}})
    told["current-context"] = "other"


SPOILED: list[Callable[[Any], object]] = [
    _other_key, _another_first, lambda told: told.pop("current-context"), lambda told: told.update({"current-context": "gone"}),
    lambda told: told["users"][0]["user"].pop("client-key-data"), lambda told: told["contexts"][0]["context"].pop("user"),
    lambda told: told["users"][0].update(name="renamed"), lambda told: told["clusters"][0]["cluster"].update(server=7),
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILED)
def test_one_that_nobody_can_ask_with_is_fetched_again(tmp_path: Path, spoil: Callable[[Any], object]) -> None:
    """What the cluster is asked with says that a bootstrap fetches a new one: so it must."""
    (tmp_path / "machineconfigs").mkdir()
    (tmp_path / "machineconfigs" / "cp-1.yaml").write_text(machineconfig(HERE))
    given = parse(machineconfig(HERE))
    assert given is not None
    told = json.loads(kubeconfig(given))
    spoil(told)
    (tmp_path / "kubeconfig").write_text(json.dumps(told))
    found = TalhelperMachineconfigs(a_house().cluster, ["cp-1"], tmp_path, NoPrograms(), lambda: Secret("unused"))
    assert found.kubeconfig_ok() is False
