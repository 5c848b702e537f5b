"""helm as charts are rendered with it: looked for when the first one is, and once for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.helm.charts import HelmCharts
from house.flux.charts import NotRendered


@pytest.fixture
def helm(tmp_path: Path) -> Path:
    program = tmp_path / "helm"
    program.write_text('#!/bin/sh\n[ "$2" != broken ] || { echo "Error: no such value" >&2; exit 1; }\necho "kind: $2"\n')
    program.chmod(0o755)
    return program


def test_helm_is_looked_for_once_however_many_charts_there_are(helm: Path, tmp_path: Path) -> None:
    """What tells its version is a program that is started: one for each of a house's fifty charts would be seconds of each verb."""
    looked = list[Path]()

    def find() -> Path:
        looked.append(helm)
        return helm

    charts = HelmCharts(find)
    assert looked == [], "a house without charts needs none"
    assert [charts.render(tmp_path, name, "apps", {}) for name in ("notes", "wiki")] == ["kind: notes\n", "kind: wiki\n"]
    with pytest.raises(NotRendered) as refused:
        charts.render(tmp_path, "broken", "apps", {})
    assert refused.value.evidence == ("no such value",)
    assert looked == [helm]
