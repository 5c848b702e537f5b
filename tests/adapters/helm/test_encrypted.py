"""A helmfile that opens what SOPS has encrypted: the real helmfile is given the house's age key, and nothing else can open it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.helm.helmfile import Helmfile
from adapters.process.keeper import Keeper
from engine.errors import PermanentError
from engine.secrets import Secret
from engine.waiting import SystemClock
from tests.adapters.helm.test_crds import BIN
from tests.builders import a_house, a_release
from tests.contract.apiserver import needed


@pytest.mark.programs
def test_its_values_are_read_with_the_age_key_alone(tmp_path: Path) -> None:
    needed("helmfile", "sops", "age-keygen")
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: agent\nversion: 0.1.0\n")
    (tmp_path / "secret.sops.yaml").write_text("password: sesame\n")
    reference = f"ref+sops://{tmp_path}/secret.sops.yaml#/password"
    file = tmp_path / "helmfile.yaml"
    release = "name: agent, namespace: apps, chart: ./chart"
    file.write_text(f'releases:\n  - {{{release}, values: [{{password: "{reference}"}}]}}\n')
    (tmp_path / "state").mkdir()
    house = replace(
        a_house(releases=(a_release("apps", "agent", chart="./chart"),)),
        root=tmp_path, state_dir=tmp_path / "state", helmfile=file, helmfile_opens_sops=True,
    )  # fmt: skip
    with Keeper(tmp_path / "programs", search=(BIN,)) as keeper:
        key = Secret(keeper.run(["age-keygen"], timeout_s=20).stdout.decode())
        recipient = keeper.run(["age-keygen", "-y"], stdin=key, timeout_s=20).stdout.decode().strip()
        keeper.run(["sops", "encrypt", "--age", recipient, "--in-place", str(tmp_path / "secret.sops.yaml")], timeout_s=20)
        digest = Helmfile(keeper, house, SystemClock(), lambda: key).digest("apps", "agent")
        file.write_text(f"releases:\n  - {{{release}, values: [{{password: sesame}}]}}\n")
        plain = Helmfile(keeper, house, SystemClock(), lambda: key)
        assert digest != plain.digest("apps", "agent"), "the entry as it is written counts too"
        file.write_text(f'releases:\n  - {{{release}, values: [{{password: "{reference}"}}]}}\n')
        with pytest.raises(PermanentError):
            Helmfile(keeper, house, SystemClock()).digest("apps", "agent")
