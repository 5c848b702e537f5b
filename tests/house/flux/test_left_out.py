"""What nobody looks at is counted, and never told as nothing; the commonest form of a repository needs one value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from house.files.yamlfile import parse
from house.first.writing import Written
from house.loader import Part
from house.model import House
from house.repository.backups.left_out import left_out
from house.settings.values import FILL_IN
from tests.house.reading import load, read_repository, write_settings
from tests.house.small_house import SETTINGS, write_repository

PHOTOS = "kubernetes/apps/apps/photos/app"
SOURCE = """apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {{name: {0}}}
spec: {{sourcePVC: {0}, {1}: {{}}}}
"""
MAKERS = {
    "resource-set": "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {name: maker}\n"
    "spec: {resources: [{apiVersion: volsync.backube/v1alpha1, kind: ReplicationSource, metadata: {name: x}, spec: {}}]}\n",
    "template": "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {name: maker}\n"
    "spec:\n  resourcesTemplate: |\n    apiVersion: volsync.backube/v1alpha1\n    kind: ReplicationSource\n    spec: {}\n",
    "raw": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: maker}\n"
    "spec: {values: {rawResources: {b: {apiVersion: volsync.backube/v1alpha1, kind: ReplicationSource, spec: {}}}}}\n",
    "chart": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: maker}\n"
    "spec: {values: {persistence: {config: {volsync: [{name: b2, type: restic, credentials: b2, src: {enabled: true}}]}}}}\n",
    "policy": "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: maker}\n"
    "spec: {rules: [{generate: {kind: ReplicationSource, apiVersion: volsync.backube/v1alpha1, name: '{{ claim }}', "
    "data: {spec: {sourcePVC: '{{ claim }}', restic: {}}}}}]}\n",
    "values": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: maker}\n"
    "data: {values.yaml: 'x: [{apiVersion: kopiur.home-operations.com/v1alpha1, kind: SnapshotPolicy, spec: {}}]'}\n",
}


def with_file(root: Path, text: str) -> Path:
    settings = write_repository(root)
    (root / PHOTOS / "more.yaml").write_text(text)
    return settings


def counted(house: House) -> tuple[str, ...]:
    return left_out(house.unsupported, house.second_backups, house.not_followed)


def test_backups_of_another_engine_are_counted_once_each(tmp_path: Path) -> None:
    text = "---\n".join(SOURCE.format(name, "kopia") for name in ("a", "b", "c"))
    text += "---\napiVersion: volsync.backube/v1alpha1\nkind: KopiaMaintenance\nmetadata: {name: daily}\nspec: {}\n"
    text += "---\napiVersion: volsync.backube/v1alpha1\nkind: ReplicationDestination\nmetadata: {name: a}\nspec: {kopia: {}}\n"
    head = "apiVersion: kopiur.home-operations.com/v1alpha1\n"
    for kind in ("SnapshotPolicy", "SnapshotSchedule", "Restore", "ClusterRepository"):
        text += f"---\n{head}kind: {kind}\nmetadata: {{name: d}}\nspec: {{sources: [{{pvc: {{name: d}}}}]}}\n"
    assert counted(load(with_file(tmp_path, text))) == ("4 backups not audited (kopia)", "2 backups not audited (kopiur)")


@pytest.mark.parametrize("maker", list(MAKERS))
def test_what_makes_backups_in_the_cluster_is_counted_as_that(maker: str, tmp_path: Path) -> None:
    house = load(with_file(tmp_path, MAKERS[maker]))
    (found,) = house.not_followed
    assert found.makes_backups
    assert counted(house)[-1] == f"1 maker of backups not followed ({found.subject})"


@pytest.mark.parametrize("group", ["volsync.backube", "kopiur.home-operations.com"])
def test_a_mere_mention_is_noted_by_the_group_s_whole_name(group: str, tmp_path: Path) -> None:
    text = f"apiVersion: example.org/v1\nkind: Upgrade\nmetadata: {{name: talos}}\nspec: {{watches: [{group}/SnapshotPolicy]}}\n"
    house = load(with_file(tmp_path, text))
    assert house.not_followed == ()
    assert any(f"Upgrade talos names {group}, and" in note for note in house.notes)


@pytest.mark.parametrize(
    "text",
    ["apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: talos}\n"
     "spec: {groups: [{expr: 'up{group=\"volsync.backube\"}'}]}\n",
     "apiVersion: v1\nkind: Namespace\nmetadata: {name: talos, annotations: {volsync.backube/privileged-movers: 'true'}}\n"],
)  # fmt: skip
def test_what_can_make_none_is_no_word(text: str, tmp_path: Path) -> None:
    assert not any(" talos names" in note for note in load(with_file(tmp_path, text)).notes)


@pytest.mark.parametrize(
    "spec",
    ["{healthChecks: [{apiVersion: volsync.backube/v1alpha1, kind: ReplicationSource, expr: x}]}",
     "{values: {persistence: {data: {dataSourceRef: {apiGroup: kopiur.home-operations.com, kind: Restore, name: a}}}}}",
     "{values: {persistence: {data: {dataSource: {apiGroup: volsync.backube, kind: ReplicationDestination, name: a}}}}}"],
)  # fmt: skip
def test_a_reference_to_what_is_declared_elsewhere_is_no_word(spec: str, tmp_path: Path) -> None:
    house = load(with_file(tmp_path, f"apiVersion: example.org/v1\nkind: Upgrade\nmetadata: {{name: talos}}\nspec: {spec}\n"))
    assert house.not_followed == ()
    assert not any("Upgrade talos" in note for note in house.notes)


def test_a_remote_base_is_named_and_the_rest_is_read_until_a_person_says_that_it_holds_none(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    file = tmp_path / "kubernetes/apps/apps/notes/app/kustomization.yaml"
    url = "https://example.org/crds.yaml"
    file.write_text(f"resources: [./deployment.yaml, {url}, 'github.com/org/repo//deploy?ref=v1']\n")
    house = load(settings)
    assert [claim.key for claim in house.claims][:1] == ["apps/notes-data"]
    assert counted(house)[-1] == f"2 parts of the repository not followed ({url}, github.com/org/repo//deploy?ref=v1)"
    said = f"  not_followed: {{'{url}': CRDs, 'github.com/org/repo//deploy?ref=v1': no backups}}\n"
    settings.write_text(SETTINGS.replace("  defaults:\n", f"{said}  defaults:\n", 1))
    assert load(settings).not_followed == ()


def test_a_first_settings_file_shows_how_a_person_says_that_a_part_holds_none(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    settings.unlink()
    file = tmp_path / "kubernetes/apps/apps/notes/app/kustomization.yaml"
    file.write_text("resources: [./deployment.yaml, 'https://example.org/v1.1/crd.yaml']\n")
    write_settings(tmp_path)
    lines = settings.read_text().splitlines()
    at = lines.index("  # not_followed:")
    assert lines[at + 1].startswith('  #   "https://example.org/v1.1/crd.yaml": REASON  # lies elsewhere, kubernetes/apps/')


def test_a_variable_without_a_value_in_a_claim_stops_with_its_name(tmp_path: Path) -> None:
    repository = read_repository(with_file(tmp_path, SOURCE.format('"${WHO}-data"', "restic")).parent)
    (problem,) = repository.unread
    assert (problem.file, "needs WHO" in problem.what) == (f"{PHOTOS}/more.yaml", True)


def test_a_bucket_out_of_a_template_is_asked_for_and_then_loads(tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    secret = tmp_path / "kubernetes/components/volsync/secret.yaml"
    secret.write_text(secret.read_text().replace('"/repository/${APP}"', '"s3:https://{{ .HOST }}/backups/${APP}"'))
    file = write_settings(tmp_path).file
    text = file.read_text()
    rule = text.partition("{{ .HOST }}")[2].partition("- seen")[0]
    assert "      open: FILL_IN  # " in rule and "        AWS_ACCESS_KEY_ID: FILL_IN" in rule
    filled = re.sub(r"(?m)^(      open: )FILL_IN", r"\1s3:https://s3.invalid/backups/{app}", text)
    file.write_text(re.sub(r"(?m)^(      repository: )FILL_IN", r"\1/r/x", filled).replace("FILL_IN", "env:NOT_SET"))
    opened = {claim.open_as for claim in load(file, Part.BACKUPS).claims}
    assert any(place.startswith("s3:https://s3.invalid/backups/") for place in opened), opened


def test_a_repository_out_of_a_template_needs_one_rule(tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    secret = tmp_path / "kubernetes/components/volsync/secret.yaml"
    secret.write_text(secret.read_text().replace("/repository/${APP}", "{{ .REPOSITORY_TEMPLATE }}/${APP}"))
    written: Written = write_settings(tmp_path)
    backups = parse(written.file.read_text())[0].value["backups"]
    assert {"seen": "{{ .REPOSITORY_TEMPLATE }}/{app}", "open": FILL_IN} in backups["open_as"]
    rule = '    - seen: "{{ .REPOSITORY_TEMPLATE }}/{app}"\n      open: "sftp:backup@127.10.0.40:/tank/{app}"\n'
    settings = tmp_path / "blackstart.yaml"
    settings.write_text(SETTINGS.replace("  open_as:\n", f"  open_as:\n{rule}", 1))
    assert load(settings).claims[0].open_as == "sftp:backup@127.10.0.40:/tank/notes"
