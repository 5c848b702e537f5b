"""What a chart makes of a release's values is seen where helm can render it without a network, and counted as a maker where not."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.helm.charts import HelmCharts
from house.data.releases import Releases, everything, is_release
from house.repository.backups.left_out import left_out
from house.repository.whole import Repository, read_repository
from tests.house.reading import BUILDER
from tests.house.small_house import write_repository
from tools.locate import need

HERE = "kubernetes/apps/apps/photos/app/more.yaml"
SOURCE = """{{- range $name, $backup := .Values.backups }}
---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: {{ $.Release.Name }}-{{ $name }}}
spec: {sourcePVC: {{ $name }}, trigger: {schedule: "0 3 * * *"}, restic: {repository: {{ $.Release.Name }}-{{ $name }}-restic}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ $.Release.Name }}-{{ $name }}-restic}
stringData: {RESTIC_REPOSITORY: {{ printf "s3:https://store.invalid/%s" $name | quote }}}
---
apiVersion: v1
kind: Service
metadata: {name: {{ $name }}}
{{- end }}
"""
OWN = "chart: {spec: {chart: ./charts/bundle, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}"
FETCHED = "chartRef: {kind: OCIRepository, name: bundle}"
RELEASE = """---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: letters}
spec: {CHART, values: {backups: {ink: {}, paper: {}}, more: {sourced: "apiVersion: volsync.backube/v1alpha1, spec:"}}MORE}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: bundle}
spec: {url: oci://registry.invalid/charts/bundle, ref: {tag: TAG}}
"""


def a_chart(folder: Path) -> Path:
    chart = folder / "bundle"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: bundle\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text("backups: {}\n")
    (chart / "templates/backup.yaml").write_text(SOURCE)
    return chart


def read(root: Path, chart: str, *, more: str = "", tag: str = "0.1.0") -> Repository:
    write_repository(root)
    (root / HERE).write_text(RELEASE.replace("CHART", chart).replace("MORE", more).replace("TAG", tag))
    return read_repository(root, replace(BUILDER, charts=HelmCharts(lambda: need("helm"))))


def claims_of(found: Repository) -> dict[str, str]:
    return {one.claim: one.mover_repository for one in found.declared.backups if one.namespace == "media"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """helm's cache with the archive of the chart in it."""
    folder = tmp_path / "cache"
    folder.mkdir()
    chart = a_chart(tmp_path / "made")
    subprocess.run([need("helm"), "package", chart, "-d", folder], check=True, capture_output=True, timeout=60)
    monkeypatch.setenv("HELM_REPOSITORY_CACHE", str(folder))
    return folder


def test_claims_that_a_chart_of_the_repository_makes_are_claims(tmp_path: Path) -> None:
    a_chart(tmp_path / "charts")
    found = read(tmp_path, OWN)
    seen = claims_of(found)
    assert seen["ink"] == "s3:https://store.invalid/ink" and seen["paper"] == "s3:https://store.invalid/paper"
    assert left_out((), (), found.rendered.not_followed) == ()
    assert any("letters is rendered of charts/bundle" in note.what for note in found.notes)
    assert "Service" not in {one.kind for one in everything(found.rendered).objects if one.file == HERE}


def test_an_optional_map_that_nothing_in_git_makes_is_none_and_a_line_says_so(tmp_path: Path) -> None:
    """A house that is rebuilt has none either; a Secret may come from a vault, and stays what nobody sees."""
    a_chart(tmp_path / "charts")
    found = read(tmp_path, OWN, more=", valuesFrom: [{kind: ConfigMap, name: own, optional: true}]")
    assert {"ink", "paper"} <= claims_of(found).keys()
    assert any("bundle, without ConfigMap own, optional and made by nothing in Git, for" in note.what for note in found.notes)
    for reference in ("{kind: Secret, name: own, optional: true}", "{kind: ConfigMap, name: own}"):
        text = RELEASE.replace("CHART", OWN).replace("MORE", f", valuesFrom: [{reference}]").replace("TAG", "1.0.0")
        (tmp_path / HERE).write_text(text)
        again = read_repository(tmp_path, replace(BUILDER, charts=HelmCharts(lambda: need("helm"))))
        assert not {"ink", "paper"} & claims_of(again).keys()


def test_so_are_those_of_a_chart_that_helm_has_fetched(cache: Path, tmp_path: Path) -> None:
    found = read(tmp_path / "house", FETCHED)
    assert {"ink", "paper"} <= claims_of(found).keys()
    assert left_out((), (), found.rendered.not_followed) == ()


@pytest.mark.parametrize(
    ("more", "tag", "why"),
    [
        ("", "0.2.0", "its chart oci://registry.invalid/charts/bundle 0.2.0 is not on this machine"),
        ("", ">=0.1.0", "its chart oci://registry.invalid/charts/bundle >=0.1.0 is not on this machine"),
        (", valuesFrom: [{kind: Secret, name: hidden}]", "0.1.0", "its values are in Secret hidden, which Git does not show"),
        (", postRenderers: [{kustomize: {}}]", "0.1.0", "it has postRenderers, which are not followed"),
    ],
)
def test_what_cannot_be_rendered_is_a_maker_and_a_line_says_why(more: str, tag: str, why: str, cache: Path, tmp_path: Path) -> None:
    found = read(tmp_path / "house", FETCHED, more=more, tag=f'"{tag}"')
    assert not {"ink", "paper"} & claims_of(found).keys()
    assert left_out((), (), found.rendered.not_followed) == ("1 maker of backups not followed (HelmRelease media/letters)",)
    assert any(why in note.what for note in found.notes)


def test_a_chart_that_helm_refuses_is_told_in_its_own_words(tmp_path: Path) -> None:
    chart = a_chart(tmp_path / "charts")
    (chart / "templates/odd.yaml").write_text('{{ fail "say which ink" }}\n')
    found = read(tmp_path, OWN)
    assert [one.subject for one in found.rendered.not_followed] == ["HelmRelease media/letters"]
    assert any("say which ink" in note.what for note in found.notes)


def test_an_archive_of_the_same_name_is_not_taken_for_a_chart_of_nobody_knows_where(cache: Path, tmp_path: Path) -> None:
    chart = "chart: {spec: {chart: bundle, version: 0.1.0, sourceRef: {kind: HelmRepository, name: elsewhere}}}"
    found = read(tmp_path / "house", chart)
    assert not {"ink", "paper"} & claims_of(found).keys()
    assert any("Git does not show where its chart bundle comes from" in note.what for note in found.notes)


def test_values_of_files_that_a_release_names_are_not_followed_and_it_is_a_maker(tmp_path: Path) -> None:
    (a_chart(tmp_path / "charts").parent / "more.yaml").write_text("backups: {ink: {}}\n")
    found = read(tmp_path, OWN.replace("charts/bundle,", "charts/bundle, valuesFiles: [charts/more.yaml],"))
    assert not {"ink", "paper"} & claims_of(found).keys()
    assert left_out((), (), found.rendered.not_followed) == ("1 maker of backups not followed (HelmRelease media/letters)",)
    assert any("it has valuesFiles, which are not followed" in note.what for note in found.notes)


@pytest.mark.parametrize(("reference", "version"), [("semver: 0.3.0, tag: 0.1.0", "0.3.0"), ("tag: 0.1.0", "0.1.0")])
def test_the_version_is_the_one_that_flux_takes(reference: str, version: str, tmp_path: Path) -> None:
    write_repository(tmp_path)
    (tmp_path / HERE).write_text(RELEASE.replace("CHART", FETCHED).replace("MORE", "").replace("tag: TAG", reference))
    found = read_repository(tmp_path, BUILDER).rendered
    (release,) = [one for one in found.objects if is_release(one) and one.name == "letters"]
    assert Releases(found).version(release) == version


def test_of_which_helm_makes_no_backup_here_stays_a_maker_for_a_cluster_may_serve_more(tmp_path: Path) -> None:
    template = a_chart(tmp_path / "charts") / "templates/backup.yaml"
    template.write_text('{{- if .Capabilities.APIVersions.Has "far.invalid/v1" }}\n' + SOURCE + "{{- end }}\n")
    found = read(tmp_path, OWN)
    assert left_out((), (), found.rendered.not_followed) == ("1 maker of backups not followed (HelmRelease media/letters)",)
    assert any("helm makes no backup of it here" in note.what for note in found.notes)


BESIDE = {
    "a policy that makes backups": "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: maker}\n"
    "spec: {rules: [{generate: {kind: ReplicationSource, apiVersion: volsync.backube/v1alpha1, name: x, "
    "data: {spec: {sourcePVC: x, restic: {}}}}}]}\n",
    "a job that makes them": "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: maker}\n"
    "spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: x, image: 'ghcr.io/x/restic:1'}]}}}}}\n",
}


@pytest.mark.parametrize("what", list(BESIDE))
def test_what_a_chart_makes_beside_claims_of_backups_is_not_lost(what: str, tmp_path: Path) -> None:
    (a_chart(tmp_path / "charts") / "templates/beside.yaml").write_text(BESIDE[what])
    found = read(tmp_path, OWN)
    assert {"ink", "paper"} <= claims_of(found).keys()
    assert any(one.subject.endswith("maker") for one in found.rendered.not_followed)
