"""Where Flux does not say what is applied, values that switch a chart's backups on are named: the file, and which value."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.repository.backups.chart_values import switching_backups_on
from house.repository.tree import Tree
from tests.house.reading import read_repository, write_settings

FILE = "releases/diary/values.yaml"
ON = {
    "backups": ("replicas: 1\nbackups:\n  enabled: true\n  s3: {bucket: x}\n", "backups", 2),
    "backup of a part": ("db:\n  backup: # nightly\n    enabled: true\n", "db.backup", 2),
    "in one line": ("pgBackups: {enabled: true}\n", "pgBackups", 1),
    "by a schedule": ("backup:\n  scheduledBackups:\n  - {schedule: 0 0 3 * * *}\n", "backup.scheduledBackups", 2),
    "velero's": ("schedules:\n  daily:\n    schedule: 0 3 * * *\n    template: {}\n", "schedules", 1),
    "in the second document": ("a: 1\n---\nbackups:\n  enabled: true\n", "backups", 3),
}
OFF = {
    "off": "backups:\n  enabled: false\n  scheduledBackups:\n  - {schedule: x}\n",
    "a part that is off": "db:\n  enabled: false\n  backup:\n    enabled: true\n",
    "nothing said": "backups:\n  s3: {bucket: x}\n",
    "another's schedules": "schedules:\n  lamp:\n    schedule: 0 3 * * *\n",
    "one that velero is told to let be": "schedules:\n  daily: {schedule: 0 3 * * *, template: {}, disabled: true}\n",
    "an object": "apiVersion: v1\nkind: Thing\nbackups:\n  enabled: true\n",
    "a list": "- backups:\n    enabled: true\n",
}


def put(root: Path, text: str) -> Path:
    file = root / FILE
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return root


@pytest.mark.parametrize("form", list(ON))
def test_a_file_that_switches_them_on_is_named(form: str, tmp_path: Path) -> None:
    text, value, line = ON[form]
    (told,) = switching_backups_on(Tree(put(tmp_path, text)))
    assert (told.subject, told.why) == (FILE, f"is a file of values, and switches backups on ({value})")
    assert (told.declared_in, told.makes_backups) == (f"{FILE}:{line}", True)


@pytest.mark.parametrize("form", list(OFF))
def test_one_that_does_not_is_none(form: str, tmp_path: Path) -> None:
    assert switching_backups_on(Tree(put(tmp_path, OFF[form]))) == ()


def test_a_house_of_a_helmfile_alone_is_told_them_and_nothing_of_a_flux_that_it_has_not(tmp_path: Path) -> None:
    put(tmp_path, ON["backups"][0])
    release = "{name: diary, namespace: home, chart: cnpg/cluster, version: 0.3.1, values: [releases/diary/values.yaml]}"
    (tmp_path / "helmfile.yaml").write_text(f"repositories: [{{name: cnpg, url: https://charts.invalid}}]\nreleases: [{release}]\n")
    text = write_settings(tmp_path).file.read_text()
    assert f"# 1 maker of backups not followed ({FILE})." in text
    told = "\n".join(map(str, read_repository(tmp_path).unread))
    assert "nothing in the repository is Flux's, and what helmfile, a script or a person applies is not followed" in told
    assert "write the folder that Flux is told to apply" not in told
