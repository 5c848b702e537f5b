"""A house that backs up by its own means is not told that it has no backups: each program is named until a person says what."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.loader import Part
from house.repository.backups.left_out import left_out
from house.repository.backups.own_backups import WORKLOADS
from house.values.reach import Reach
from tests.house.flux.test_fluxsource import put
from tests.house.reading import load, read_repository
from tests.house.repository.test_roads import APPLICATION
from tests.house.small_house import SETTINGS, write_repository

HERE = "kubernetes/apps/apps/photos/app/more.yaml"
CRON = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly}\nspec: {schedule: 0 3 * * *, jobTemplate: {spec: {template: "
CRON += "{spec: {containers: [{name: x, image: 'IMAGE'}]}}}}}\n"
POLICY = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: nightly}\nspec: {rules: [{generate: {kind: CronJob, "
POLICY += "apiVersion: batch/v1, name: '{{ claim }}', data: {spec: {jobTemplate: {containers: [{name: x, image: 'IMAGE'}]}}}}}]}\n"
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nightly}\n"
DEPLOYMENT += "spec: {template: {spec: {containers: [{name: x, image: 'IMAGE'}]}}}\n"
RELEASE = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: nightly}\n"
RELEASE += "spec:\n  chart: {spec: {chart: CHART}}\n"
BY_VALUES = RELEASE.replace("CHART", "app-template") + "  values: {controllers: {x: VALUES}}\n"
IN_IT = "containers: {app: {image: {repository: 'IMAGE', tag: v1}}}"
KINDS = {
    "CronJob": (
        CRON, ("docker.io/restic/restic:0.18", "rclone/rclone@sha256:00", "ghcr.io/x/kopia:1", "x/postgres-backup-local:17"),
    ),
    "a policy that makes jobs": (POLICY, ("ghcr.io/x/kopia:0.11",)),
    "Deployment": (DEPLOYMENT, ("x/postgres-backup-local:17", "garethgeorge/backrest", "ghcr.io/borgmatic/borgmatic:2")),
    "a cron job of values": (
        BY_VALUES.replace("VALUES", f"{{type: cronjob, cronjob: {{schedule: '@daily'}}, {IN_IT}}}"),
        ("ghcr.io/x/rustic", "borgbackup"),
    ),
    "a controller of values": (BY_VALUES.replace("VALUES", f"{{{IN_IT}}}"), ("offen/docker-volume-backup", "databasus/databasus")),
}  # fmt: skip
IN_COMMAND = CRON.replace("image: 'IMAGE'", "image: postgres:17, command: [/bin/sh, -c], args: ['set -e; COMMAND']")
BY_COMMAND = {
    "a dump": (IN_COMMAND.replace("COMMAND", "pg_dump -U x > /dump/x.sql"), "pg_dump"),
    "by its path": (IN_COMMAND.replace("COMMAND", "/usr/local/bin/restic backup /data"), "restic"),
    "one that clears up afterwards": (IN_COMMAND.replace("COMMAND", "restic backup /data; restic forget --prune"), "restic"),
    "one that checks what a script has made": (IN_COMMAND.replace("COMMAND", "/scripts/nightly.sh && restic check"), "restic"),
    "one that copies elsewhere": (IN_COMMAND.replace("COMMAND", "kopia repository sync-to s3; kopia maintenance run"), "kopia"),
    "all of it": (IN_COMMAND.replace("COMMAND", "PGPASSWORD=$P pg_dumpall | gzip"), "pg_dumpall"),
    "by values": (
        BY_VALUES.replace("VALUES", "{type: cronjob, containers: {a: {image: {repository: alpine}, args: [mariadb-dump, x]}}}"),
        "mariadb-dump",
    ),
    "by its name": (CRON.replace("nightly", "db-backup").replace("IMAGE", "registry.invalid/tools"), "a job called db-backup"),
    "by its name in values": (
        BY_VALUES.replace("x: VALUES", "backup: {cronjob: {schedule: '@daily'}, containers: {a: {image: {repository: alpine}}}}"),
        "a job called backup",
    ),
}  # fmt: skip
NONE = {
    "a server of repositories": DEPLOYMENT.replace("IMAGE", "restic/rest-server"),
    "a mount": DEPLOYMENT.replace("IMAGE", "rclone/rclone"),
    "etcd's own": CRON.replace("IMAGE", "ghcr.io/siderolabs/talos-backup:v1"),
    "etcd's own by its name": CRON.replace("nightly", "etcd-backup").replace("IMAGE", "x/tools"),
    "a job that is named after none": CRON.replace("nightly", "backupper").replace("IMAGE", "x/tools"),
    "a word in a command": IN_COMMAND.replace("COMMAND", "curl https://pg_dump.invalid/restic.txt"),
    "a job that unlocks": BY_VALUES.replace(
        "VALUES", "{type: cronjob, initContainers: {l: {args: [snapshots]}}, containers: {a: {args: [unlock, --remove-all], "
        "image: {repository: restic/restic}}}}",
    ),
    "a job that tends a repository": IN_COMMAND.replace("COMMAND", "kopia repository connect b2; kopia maintenance run --full"),
    "another job": CRON.replace("IMAGE", "registry.invalid/curl"),
    "a program that serves, by values": BY_VALUES.replace("VALUES", f"{{{IN_IT}}}").replace("IMAGE", "ghcr.io/x/kopia"),
}


def with_file(root: Path, text: str) -> Path:
    settings = write_repository(root)
    (root / HERE).write_text(text)
    return settings


@pytest.mark.parametrize("kind, image", [(kind, image) for kind, (_, images) in KINDS.items() for image in images])
def test_a_program_for_backups_is_named(kind: str, image: str, tmp_path: Path) -> None:
    with_file(tmp_path, KINDS[kind][0].replace("IMAGE", image))
    (told,) = read_repository(tmp_path).rendered.not_followed
    assert told.subject.endswith(" media/nightly") and told.declared_in == f"{HERE}:1"
    assert told.why.startswith("runs ") and told.why.endswith(", which may be a backup")


@pytest.mark.parametrize("how", list(BY_COMMAND))
def test_a_job_is_named_by_its_commands_and_by_what_it_is_called(how: str, tmp_path: Path) -> None:
    text, program = BY_COMMAND[how]
    with_file(tmp_path, text)
    (told,) = read_repository(tmp_path).rendered.not_followed
    assert told.why == f"runs {program}, which may be a backup"


@pytest.mark.parametrize("what", list(NONE))
def test_what_is_none_is_not(what: str, tmp_path: Path) -> None:
    with_file(tmp_path, NONE[what])
    assert read_repository(tmp_path).rendered.not_followed == ()


def test_a_person_says_what_it_is(tmp_path: Path) -> None:
    settings = with_file(tmp_path, CRON.replace("IMAGE", "rclone/rclone"))
    said = "  not_followed: {'CronJob media/nightly': copies films}\n"
    settings.write_text(SETTINGS.replace("  defaults:\n", f"{said}  defaults:\n", 1))
    assert load(settings, Part.BACKUPS).not_followed == ()


def test_veleros_schedules_are_backups_wherever_they_stand(tmp_path: Path) -> None:
    schedules = "{daily: {schedule: 0 3 * * *}, weekly: {schedule: 0 4 * * 0}, off: {disabled: true}}"
    with_file(tmp_path, f"{RELEASE.replace('CHART', 'velero')}  values: {{schedules: {schedules}}}\n")
    found = read_repository(tmp_path)
    assert left_out(found.declared.unsupported, (), ())[-1] == "2 backups not audited (velero)"


def test_veleros_schedules_say_of_which_namespaces_they_are(tmp_path: Path) -> None:
    template = "template: {includedNamespaces: [apps]}"
    schedule = f"apiVersion: velero.io/v1\nkind: Schedule\nmetadata: {{name: daily}}\nspec: {{schedule: 0 3 * * *, {template}}}\n"
    chart = f"{RELEASE.replace('CHART', 'velero')}  values: {{schedules: {{nightly: {{{template}}}}}}}\n"
    with_file(tmp_path, f"{chart}---\n{schedule}")
    reaches = [one.reach for one in read_repository(tmp_path).declared.unsupported if one.engine == "velero"]
    assert reaches == [Reach(of=("apps",))] * 2


@pytest.mark.parametrize("text, program", [
    (CRON.replace("IMAGE", "restic/restic:1"), "restic"),
    *((DEPLOYMENT.replace("Deployment", kind).replace("IMAGE", "x/backrest"), "backrest") for kind in WORKLOADS),
])  # fmt: skip
def test_in_a_house_of_argocd_it_is_counted(text: str, program: str, tmp_path: Path) -> None:
    put(tmp_path, {"argocd/apps.yaml": APPLICATION, "apps/backup.yaml": text})
    assert [one.engine for one in read_repository(tmp_path).declared.unsupported] == [f"{program} of its own, by ArgoCD"]
