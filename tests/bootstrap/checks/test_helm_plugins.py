"""preflight.helm-plugins: a helmfile whose plugins helm does not find is one line before the first VM, not one a release."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.checks.repository.helm_plugins import checks
from engine.probe import Condition
from tests.hands import is_a_command, see
from tests.scenario.running import Running

ROW = "preflight.helm-plugins"
NEEDED = (("secrets", "bootstrap/helmfile.yaml: `secrets`"),)


@pytest.mark.parametrize(
    ("environment", "where"), [((), "names no folder of them"), ((("HELM_PLUGINS", "/house/plugins"),), "find in /house/plugins")]
)
def test_what_is_not_found_is_told_with_the_folder_and_nothing_is_made(
    bare: Running, environment: tuple[tuple[str, str], ...], where: str
) -> None:
    bare.house = replace(bare.house, helm_plugins=NEEDED, helmfile_environment=environment)
    seen = see(bare, bare.bootstrap, ROW)
    assert (seen.condition, seen.evidence) == (Condition.MISSING, ("secrets, by bootstrap/helmfile.yaml: `secrets`",))
    assert "needs secrets, which helm does not find" in seen.detail and where in seen.detail and "HELM_PLUGINS" in seen.hint
    report = bare.apply(bare.bootstrap)
    assert [step.id for step in report.root_causes] == [ROW], "charts are not told besides"
    assert bare.home.proxmox.vms == {}


def test_a_helmfile_that_needs_none_has_no_row(bare: Running) -> None:
    assert [*checks(bare.house)] == []
    (plain,) = checks(replace(bare.house, helm_plugins=NEEDED))
    (named,) = checks(replace(bare.house, helm_plugins=NEEDED, helmfile_environment=(("HELM_PLUGINS", "/a b"),)))
    assert is_a_command(plain.by_hand())
    assert named.by_hand() == f"HELM_PLUGINS='/a b' {plain.by_hand()}"
