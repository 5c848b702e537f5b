"""A chart that lies in the repository itself makes backups by its values: its releases are makers, and no word about none."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.repository.backups.left_out import left_out
from tests.house.reading import read_repository
from tests.house.small_house import write_repository

HERE = "kubernetes/apps/apps/photos/app/more.yaml"
RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: letters}
spec:
  chart: {spec: {chart: ./charts/bundle, sourceRef: {kind: GitRepository, name: SOURCE, namespace: flux-system}}}
  values: VALUES
"""
KINDS = {
    "kopiur": "apiVersion: kopiur.invalid/v1\nkind: SnapshotPolicy\n", "restic": "kind: ReplicationSource\n",
    "velero": "  apiVersion: velero.io/v1\n  kind: Schedule\n",
}  # fmt: skip


def house(
    root: Path, kind: str, values: str, source: str = "flux-system", defaults: str = "backup: {}\n",
    asks: str = "with .Values.backup",
) -> Path:  # fmt: skip
    write_repository(root)
    chart = root / "charts/bundle"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: bundle\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text(defaults)
    (chart / "templates/backup.yaml").write_text(f"{{{{- {asks} }}}}\n{KINDS[kind]}{{{{- end }}}}\n")
    (chart / "templates/route.yaml").write_text("{{- with .Values.route }}\nkind: HTTPRoute\n{{- end }}\n")
    (root / HERE).write_text(RELEASE.replace("SOURCE", source).replace("VALUES", values))
    return root


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_release_that_sets_the_value_is_a_maker(kind: str, tmp_path: Path) -> None:
    (told,) = read_repository(house(tmp_path, kind, "{backup: {every: 1h}}")).rendered.not_followed
    assert told.makes_backups and told.subject == "HelmRelease media/letters"
    assert told.why == "is of the chart charts/bundle, which makes backups by its value backup"
    assert left_out((), (), (told,)) == ("1 maker of backups not followed (HelmRelease media/letters)",)


def test_so_is_one_that_names_it_alone(tmp_path: Path) -> None:
    assert read_repository(house(tmp_path, "kopiur", "{backup: {}}", asks='if hasKey .Values "backup"')).rendered.not_followed


def test_so_is_one_whose_chart_does_it_unasked(tmp_path: Path) -> None:
    assert read_repository(house(tmp_path, "restic", "{}", defaults="backup: {enabled: true}\n")).rendered.not_followed


def test_so_is_one_whose_chart_does_it_whatever_its_values_are(tmp_path: Path) -> None:
    (told,) = read_repository(house(tmp_path, "restic", "{}", asks="if true")).rendered.not_followed
    assert told.why == "is of the chart charts/bundle, which makes backups whatever its values are"


@pytest.mark.parametrize("place", ["templates/_backup.tpl", "charts/inner/templates/backup.yaml", "../inner/templates/backup.yaml"])
def test_so_is_one_that_does_it_in_a_template_of_a_name_or_in_a_chart_that_it_depends_on(place: str, tmp_path: Path) -> None:
    chart = house(tmp_path, "restic", "{backup: {}}") / "charts/bundle"
    more = chart / place
    more.parent.mkdir(parents=True, exist_ok=True)
    (chart / "templates/backup.yaml").rename(more)
    if "inner" in place:
        (more.parents[1] / "Chart.yaml").write_text("apiVersion: v2\nname: inner\nversion: 0.1.0\n")
        inner = "dependencies: [{name: inner, version: 0.1.0, repository: file://../inner}, {name: far, repository: https://x.invalid}]\n"
        (chart / "Chart.yaml").write_text((chart / "Chart.yaml").read_text() + inner)
    (told,) = read_repository(tmp_path).rendered.not_followed
    assert told.makes_backups and told.subject == "HelmRelease media/letters"


def test_charts_that_depend_on_each_other_are_read_once(tmp_path: Path) -> None:
    chart = house(tmp_path, "restic", "{}", asks="with .Values.other") / "charts/bundle"
    around = "[{name: bundle, repository: 'file://.'}, {name: up, repository: 'file://../../..'}]"
    (chart / "Chart.yaml").write_text(f"name: bundle\ndependencies: {around}\n")
    (chart / "charts").mkdir()
    (chart / "charts/loop").symlink_to("..")
    assert read_repository(tmp_path).rendered.not_followed == ()


def test_so_is_one_whose_values_are_in_files_that_nobody_reads(tmp_path: Path) -> None:
    root = house(tmp_path, "restic", "{}")
    (root / HERE).write_text((root / HERE).read_text().replace("charts/bundle,", "charts/bundle, valuesFiles: [more.yaml],"))
    (told,) = read_repository(root).rendered.not_followed
    assert told.why == "is of the chart charts/bundle, which makes backups by values that are not seen"


@pytest.mark.parametrize("values", ["{route: {host: x}}", "{backup: {enabled: false}}", "{}"])
def test_one_that_does_not_is_none(values: str, tmp_path: Path) -> None:
    assert read_repository(house(tmp_path, "kopiur", values)).rendered.not_followed == ()


def test_a_chart_of_another_repository_is_not_looked_for_here(tmp_path: Path) -> None:
    assert read_repository(house(tmp_path, "kopiur", "{backup: {x: y}}", source="vendor")).rendered.not_followed == ()


def test_a_chart_without_values_of_its_own_is_nothing_that_could_not_be_read(tmp_path: Path) -> None:
    (house(tmp_path, "restic", "{backup: {}}") / "charts/bundle/values.yaml").unlink()
    found = read_repository(tmp_path)
    assert found.rendered.not_followed and not [note for note in found.notes if note.file == "charts/bundle/values.yaml"]
