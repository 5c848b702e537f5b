"""The helmfile of which only the CRDs are installed: where it is, what of it is read, and what beside it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository
from tests.house.test_bad_settings import refused

PLACE = "bootstrap/helmfile.d/00-crds.yaml"
CRDS = """---
helmDefaults:
  args: [--include-crds, --no-hooks]
  postRenderer: bash
  postRendererArgs: [-c, yq ea -e 'select(.kind == "CustomResourceDefinition")']
releases:
  - name: keda
    namespace: observability
    chart: oci://127.10.0.20:5000/charts/keda
    version: 2.18.1
  - name: cilium
    namespace: kube-system
    chart: oci://127.10.0.20:5000/charts/cilium
    version: 1.11.0
"""


def repository(tmp_path: Path, text: str, place: str = PLACE) -> Path:
    settings = write_repository(tmp_path, SETTINGS)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text(text)
    return settings


def test_a_house_without_one_has_no_such_charts(tmp_path: Path) -> None:
    house = load(write_repository(tmp_path, SETTINGS))
    assert (house.crd_helmfile, house.crd_charts) == (None, ())


@pytest.mark.parametrize("place", [PLACE, "bootstrap/helmfile.d/crds.yaml", "bootstrap/crds/helmfile.yaml"])
def test_its_charts_are_read_beside_the_releases_also_under_the_same_names(tmp_path: Path, place: str) -> None:
    house = load(repository(tmp_path, CRDS, place))
    assert house.crd_helmfile == tmp_path / place
    assert [(chart.key, chart.version) for chart in house.crd_charts] == [
        ("observability/keda", "2.18.1"), ("kube-system/cilium", "1.11.0"),
    ]  # fmt: skip
    assert [release.key for release in house.releases][:1] == ["kube-system/cilium"]
    assert "observability" not in house.namespaces, "its charts are not installed: only what lives in no namespace is"
    assert not [note for note in house.notes if "helmfile" in note]


def test_it_is_refused_as_the_other_one_is(tmp_path: Path) -> None:
    text = CRDS.replace("2.18.1", "'{{ .Values.keda }}'")
    better = "is a template, which is not read; write the value out"
    assert refused(repository(tmp_path, text)) == (f"{PLACE}:10: releases[0].version: {better}",)


def test_what_would_change_a_chart_besides_its_values_is_not_passed_over(tmp_path: Path) -> None:
    text = CRDS.replace("    version: 2.18.1\n", "    version: 2.18.1\n    set: [{name: crds.install, value: true}]\n")
    assert refused(repository(tmp_path, text)) == (f"{PLACE}:11: releases[0].set: is not read; write it under `values`",)


def test_one_that_is_a_template_is_named_and_not_passed_over(tmp_path: Path) -> None:
    better = "is a template, which is not read; keep the releases in plain YAML, in 00-crds.yaml"
    assert refused(repository(tmp_path, CRDS, f"{PLACE}.gotmpl")) == (f"{PLACE}.gotmpl: {better}",)


def test_a_third_helmfile_in_the_folder_is_told(tmp_path: Path) -> None:
    settings = repository(tmp_path, CRDS)
    (tmp_path / "bootstrap/helmfile.d/02-extras.yaml").write_text("releases: []\n")
    better = "is not read; list its releases in the one for applications, or let Flux install them"
    assert f"bootstrap/helmfile.d/02-extras.yaml: {better}" in load(settings).notes
