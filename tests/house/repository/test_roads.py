"""Houses that make their nodes or apply their manifests by another road get a first file and an audit, and are told what lacks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.loader import Part
from house.repository.backups.left_out import left_out, said_by_setting
from house.settings.values import FILL_IN
from tests.house.flux.test_fluxsource import DECLARED, cluster, put
from tests.house.reading import load, read_repository, write_settings

FLUX = cluster("kubernetes/flux") | dict([DECLARED["a FluxInstance somewhere"]])
MACHINE = "machine:\n  type: controlplane\ncluster:\n  clusterName: willow\n"
TALOS = {
    "topf": ({"talos/topf.yaml": "clusterName: willow\nnodes: []\n"}, "talos/topf.yaml (topf)"),
    "a template": (
        {"talos/machineconfig.yaml.j2": MACHINE.replace("willow", "{{ ENV.NAME }}")}, "talos/machineconfig.yaml.j2 (a template)",
    ),
    "plain": ({"talos/controlplane.yaml": MACHINE}, "talos/controlplane.yaml (a plain machineconfig)"),
    "OpenTofu": ({"tofu/talos.tf": 'data "talos_machine_configuration" "this" {}\n'}, "tofu/talos.tf (OpenTofu)"),
    "Omni": (
        {"omni/willow.yaml": "kind: Cluster\nname: willow\nkubernetes:\n  version: v1.36.3\ntalos:\n  version: v1.13.9\n"},
        "omni/willow.yaml (Omni)",
    ),
    "none at all": ({}, ""),
}  # fmt: skip


@pytest.mark.parametrize("road", list(TALOS))
def test_a_house_without_a_talconfig_gets_a_first_file_that_an_audit_can_use(road: str, tmp_path: Path) -> None:
    files, named = TALOS[road]
    written = write_settings(put(tmp_path, FLUX | files))
    (lacks,) = [one for one in written.problems if one.startswith("talos/talconfig.yaml: ")]
    assert lacks.endswith("a bootstrap needs what talhelper reads, and an audit does not")
    assert (f"what makes the nodes is not read: {named}" in lacks) is bool(named)
    text = written.file.read_text()
    assert "home/kubernetes-flux" in text and "nodes: {}" in text
    written.file.write_text(text.replace(f"repository: {FILL_IN}", "repository: /r/diary").replace(FILL_IN, "env:NOT_SET"))
    text = written.file.read_text().replace("open_as: []", "open_as: [{seen: '/r/{app}', open: '/mnt/{app}'}]")
    written.file.write_text(text)
    house = load(written.file, Part.BACKUPS)
    assert [one.key for one in house.claims] == ["home/kubernetes-flux"]
    assert house.nodes == () and house.cluster.endpoint == ""


def test_a_talconfig_is_found_where_it_is(tmp_path: Path) -> None:
    put(tmp_path, FLUX | {"kubernetes/bootstrap/talos/talconfig.yaml": "clusterName: willow\nnodes: []\n"})
    found = read_repository(tmp_path)
    assert found.talconfig is not None
    assert found.talconfig.file == tmp_path.resolve() / "kubernetes/bootstrap/talos/talconfig.yaml"


def test_of_several_talconfigs_the_one_of_the_cluster_is_read(tmp_path: Path) -> None:
    sync = DECLARED["a FluxInstance somewhere"][1].replace("kubernetes/flux", "kubernetes/oak/flux")
    files = cluster("kubernetes/oak/flux") | {"setup/instance.yaml": sync}
    files |= {f"talos/{name}/talconfig.yaml": f"clusterName: {name}\nnodes: []\n" for name in ("oak", "willow")}
    found = read_repository(put(tmp_path, files))
    assert found.talconfig is not None and found.talconfig.cluster == "oak"


def test_of_several_that_nothing_tells_apart_the_one_that_is_lived_in_is_read_and_said_to_be_guessed(tmp_path: Path) -> None:
    files = {f"talos/{name}/talconfig.yaml": f"clusterName: {name}\nnodes: []\n" for name in ("home", "cloud", "staging")}
    found = read_repository(put(tmp_path, FLUX | files))
    assert found.talconfig is not None and found.talconfig.cluster == "home"
    (told,) = [one for one in found.notes if one.file == "talos/home/talconfig.yaml"]
    assert told.what == "is taken for the house's own of 3 talconfigs, by its folder's name"


def test_variables_that_are_encrypted_are_said_to_be(tmp_path: Path) -> None:
    node = "{hostname: 'cp.${SUFFIX}', ipAddress: 127.0.0.9, installDisk: /dev/sda, controlPlane: true}"
    talconfig = f"clusterName: willow\nnodes:\n  - {node}\n"
    put(tmp_path, FLUX | {"talos/talconfig.yaml": talconfig, "talos/talenv.sops.yaml": "SUFFIX: ENC[x]\nsops: {}\n"})
    told = [one.what for one in read_repository(tmp_path).problems]
    assert "${SUFFIX} is seen nowhere, and talenv.sops.yaml is encrypted" in told
    assert "nodes: {}" in write_settings(tmp_path).file.read_text()


def test_a_variable_without_a_value_is_one_problem_and_makes_no_other(tmp_path: Path) -> None:
    interface = "{interface: eth0, addresses: ['${NET}9/24'], routes: [{network: 0.0.0.0/0, gateway: '${NET}1'}]}"
    nodes = "".join(
        f"  - {{hostname: {name}, ipAddress: '${{NET}}9', installDisk: /dev/sda, controlPlane: true,\n"
        f"     networkInterfaces: [{interface}]}}\n"
        for name in ("cp-1", "cp-2")
    )
    put(tmp_path, FLUX | {"talos/talconfig.yaml": f"clusterName: willow\nendpoint: 'https://${{NET}}1:6443'\nnodes:\n{nodes}"})
    (told,) = [one for one in read_repository(tmp_path).problems if "NET" in str(one)]
    assert str(told) == (
        "talos/talconfig.yaml:4: nodes[0].ipAddress: ${NET} has no value, here and in 6 places more; give it one in talenv.yaml"
    )


APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: apps, namespace: argocd}\nspec: {}\n"
SOURCE = "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {name: diary, namespace: home}\n"
BACKUPS = {
    "restic": f"{SOURCE}spec: {{sourcePVC: diary, restic: {{repository: diary-restic}}}}\n",
    "kopia": f"{SOURCE}spec: {{sourcePVC: diary, kopia: {{repository: diary-kopia}}}}\n",
    "kopiur": "apiVersion: kopiur.home-operations.com/v1alpha1\nkind: SnapshotPolicy\nmetadata: {name: diary, namespace: home}\n"
    "spec: {sources: [{pvc: {name: diary}}]}\n",
    "velero": "apiVersion: velero.io/v1\nkind: Schedule\nmetadata: {name: daily, namespace: velero}\n"
    "spec: {schedule: 0 3 * * *, template: {}}\n",
    "k8up": "apiVersion: k8up.io/v1\nkind: Schedule\nmetadata: {name: daily, namespace: home}\n"
    "spec: {backend: {}, backup: {schedule: '@daily-random'}}\n",
    "longhorn": "apiVersion: longhorn.io/v1beta2\nkind: RecurringJob\nmetadata: {name: nightly, namespace: longhorn-system}\n"
    "spec: {task: backup, cron: 0 3 * * *, retain: 7}\n",
    "pgbackrest": "apiVersion: postgres-operator.crunchydata.com/v1beta1\nkind: PostgresCluster\n"
    "metadata: {name: pg, namespace: home}\nspec: {backups: {pgbackrest: {repos: [{name: repo1}]}}}\n",
    "mariadb-operator": "apiVersion: k8s.mariadb.com/v1alpha1\nkind: Backup\nmetadata: {name: nightly, namespace: home}\n"
    "spec: {schedule: {cron: 0 3 * * *}}\n",
    "percona": "apiVersion: psmdb.percona.com/v1\nkind: PerconaServerMongoDB\nmetadata: {name: mongo, namespace: home}\n"
    "spec: {backup: {enabled: true, tasks: [{name: daily, schedule: 0 3 * * *}]}}\n",
    "zalando": "apiVersion: acid.zalan.do/v1\nkind: postgresql\nmetadata: {name: pg, namespace: home}\n"
    "spec: {enableLogicalBackup: true}\n",
    "kasten": "apiVersion: config.kio.kasten.io/v1alpha1\nkind: Policy\nmetadata: {name: daily, namespace: kasten-io}\n"
    "spec: {actions: [{action: backup}]}\n",
    "stash": "apiVersion: stash.appscode.com/v1beta1\nkind: BackupConfiguration\nmetadata: {name: daily, namespace: home}\n"
    "spec: {schedule: 0 3 * * *}\n",
}
NO_BACKUP = {
    "a database of PGO's without a repository": BACKUPS["pgbackrest"].replace("pgbackrest: {repos: [{name: repo1}]}", "x: {}"),
    "a backup that is made once": BACKUPS["mariadb-operator"].replace("schedule: {cron: 0 3 * * *}", "storage: {}"),
    "one that is suspended": BACKUPS["mariadb-operator"].replace("cron: 0", "suspend: true, cron: 0"),
    "a database without tasks": BACKUPS["percona"].replace("tasks:", "pitr:"),
    "a database whose task is off": BACKUPS["percona"].replace("{name: daily", "{enabled: false, name: daily"),
    "a schedule that is paused": BACKUPS["velero"].replace("schedule:", "paused: true, schedule:"),
    "a database of Zalando's": BACKUPS["zalando"].replace("true", "false"),
    "a policy that only exports": BACKUPS["kasten"].replace("action: backup", "action: export"),
    "one that is paused": BACKUPS["stash"].replace("schedule:", "paused: true, schedule:"),
    "a trim": BACKUPS["longhorn"].replace("task: backup", "task: filesystem-trim"),
    "a snapshot that stays in the volume": BACKUPS["longhorn"].replace("task: backup", "task: snapshot"),
    "a check alone": BACKUPS["k8up"].replace("backup: {schedule", "check: {schedule"),
    "a schedule of something else": BACKUPS["velero"].replace("velero.io", "actions.invalid"),
    "words": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 'kind: Schedule', b: velero.io}\n",
}


@pytest.mark.parametrize(
    "files", [{"argocd/apps.yaml": APPLICATION}, {"plain/diary.yaml": BACKUPS["restic"]}], ids=["ArgoCD", "plain"]
)
def test_a_house_that_flux_does_not_apply_is_not_called_the_wrong_folder(files: dict[str, str], tmp_path: Path) -> None:
    written = write_settings(put(tmp_path, files))
    with pytest.raises(SettingsInvalid) as refused:
        load(written.file)
    told = " ".join(refused.value.evidence)
    assert "leads to no home-ops repository" not in told
    assert "ArgoCD applies what" in told or "nothing in the repository is Flux's, and what helmfile" in told


@pytest.mark.parametrize("engine", list(BACKUPS))
def test_a_house_of_argocd_is_told_what_is_not_followed_and_how_many_backups_it_has(engine: str, tmp_path: Path) -> None:
    put(tmp_path, {"argocd/apps.yaml": APPLICATION, "apps/diary/backup.yaml": BACKUPS[engine]})
    written = write_settings(tmp_path)
    (told,) = [one for one in written.problems if one.startswith("argocd/apps.yaml: ")]
    assert "ArgoCD applies what 1 file name (argocd/apps.yaml), and is not followed" in told
    text = written.file.read_text()
    assert f"  # 1 backup not audited ({engine}, by ArgoCD)." in text
    assert f"  path: {FILL_IN}" not in text, "nobody is asked what Flux applies where it applies nothing"
    written.file.write_text(text.replace(FILL_IN, "env:NOT_SET"))
    house = load(written.file, Part.BACKUPS)
    assert [(one.engine, one.declared_in) for one in house.unsupported] == [(f"{engine}, by ArgoCD", "apps/diary/backup.yaml:1")]
    assert house.unread and house.claims == ()


@pytest.mark.parametrize("engine", ["kopia", "kopiur", "velero", "k8up", "longhorn"])
def test_every_engine_that_flux_applies_is_counted(engine: str, tmp_path: Path) -> None:
    put(tmp_path, FLUX | {"apps/kubernetes-flux/more.yaml": BACKUPS[engine].replace("diary", "letters")})
    found = read_repository(tmp_path).declared
    assert Counter(one.engine for one in found.unsupported) == {engine: 1}
    assert left_out(found.unsupported, found.second, ()) == (f"1 backup not audited ({engine})",)
    assert len(found.backups) == 1


@pytest.mark.parametrize("words", list(NO_BACKUP))
def test_what_makes_no_backups_is_not_counted(words: str, tmp_path: Path) -> None:
    put(tmp_path / "flux", FLUX | {"apps/kubernetes-flux/more.yaml": NO_BACKUP[words]})
    put(tmp_path / "argo", {"argocd/apps.yaml": APPLICATION, "apps/more.yaml": NO_BACKUP[words]})
    assert read_repository(tmp_path / "flux").declared.unsupported == ()
    assert read_repository(tmp_path / "argo").declared.unsupported == ()


def test_what_is_put_away_is_not_in_use(tmp_path: Path) -> None:
    put(tmp_path, {"argocd/apps.yaml": APPLICATION, "_archive/old.yaml": BACKUPS["velero"], ".old/x.yaml": BACKUPS["kopia"]})
    assert read_repository(tmp_path).declared.unsupported == ()


def test_an_artifact_of_this_tree_is_read_in_its_place_and_counted(tmp_path: Path) -> None:
    sync = "{kind: OCIRepository, url: 'oci://registry.invalid/anna/manifests', ref: main, path: ./clusters/oak}"
    files = {f"kubernetes/{name}": text for name, text in cluster("clusters/oak").items()}
    files = {name: text.replace("GitRepository", "OCIRepository") for name, text in files.items()}
    put(tmp_path, files | {"kubernetes/apps/flux/values.yaml": f"instance: {{sync: {sync}}}\n"})
    found = read_repository(tmp_path)
    assert [one.claim for one in found.declared.backups] == ["clusters-oak"]
    (told,) = found.rendered.not_followed
    assert told.subject == "OCIRepository flux-system/flux-system"
    assert told.why == "is an artifact that is made elsewhere, and kubernetes is read in its place"


def test_several_talconfigs_of_which_nothing_says_which_are_told_and_not_that_there_is_none(tmp_path: Path) -> None:
    files = {f"talos/{name}/talconfig.yaml": f"clusterName: {name}\nnodes: []\n" for name in ("oak", "willow")}
    found = read_repository(put(tmp_path, FLUX | files))
    (lacks,) = [one for one in found.problems if one.file == "talos/talconfig.yaml"]
    assert lacks.what == "is not there, and which of 2 is meant nothing says: talos/oak/talconfig.yaml, talos/willow/talconfig.yaml"
    assert "git.path" in lacks.better


def test_applications_of_argocd_beside_flux_are_told_and_fail_an_audit_until_a_person_has_looked(tmp_path: Path) -> None:
    put(tmp_path, FLUX | {"argocd/apps.yaml": APPLICATION, "more/diary/backup.yaml": BACKUPS["velero"]})
    found = read_repository(tmp_path)
    assert [one.claim for one in found.declared.backups] == ["kubernetes-flux"]
    (told,) = found.rendered.not_followed
    assert (told.subject, told.declared_in) == ("ArgoCD", "argocd/apps.yaml")
    assert told.why == "applies what 1 file name (argocd/apps.yaml)"
    assert left_out((), (), found.rendered.not_followed) == ("1 part of the repository not followed (ArgoCD)",)
    assert said_by_setting(told) == '"ArgoCD": REASON'
    assert read_repository(put(tmp_path / "flux", FLUX)).rendered.not_followed == ()


CHART_VALUES = {
    "the chart itself": "applicationsets:\n  root:\n    generators: [{git: {repoURL: https://git.invalid/x, directories: []}}]\n",
    "a chart below": "argocd-apps:\n  applications:\n    root: {source: {repoURL: https://git.invalid/x, path: apps}}\n",
    "lower down": "argo:\n  Applications:\n  - {source: {repoURL: https://git.invalid/x, path: apps}}\n",
}


@pytest.mark.parametrize("form", list(CHART_VALUES))
def test_applications_that_are_values_of_a_chart_are_argocds(form: str, tmp_path: Path) -> None:
    text = CHART_VALUES[form].replace("[{git: {repoURL: ", "[{git: {\n      repoURL: ")
    put(tmp_path, {"system/argocd/values.yaml": text, "apps/diary/backup.yaml": BACKUPS["velero"]})
    found = read_repository(tmp_path)
    assert found.roads.argo == ("system/argocd/values.yaml",)
    assert [one.engine for one in found.declared.unsupported] == ["velero, by ArgoCD"]


MADE = {
    "CUE": ("apps/diary.cue", 'package diary\nsource: {apiVersion: "volsync.backube/v1alpha1", kind: "ReplicationSource"}\n'),
    "Jsonnet": ("apps/diary.jsonnet", "{ apiVersion: 'kopiur.invalid/v1', kind: 'SnapshotPolicy' }\n"),
    "KCL": ("apps/diary.k", 'source = {apiVersion = "volsync.backube/v1alpha1", kind = "ReplicationSource"}\n'),
    "Nix": ("apps/diary.nix", '{ apiVersion = "volsync.backube/v1alpha1"; kind = "ReplicationSource"; }\n'),
    "OpenTofu": ("apps/diary.tf", 'resource "kubernetes_manifest" "x" {\n  manifest = { kind = "ReplicationSource" }\n}\n'),
    "Pulumi": ("apps/diary.ts", "new k8s.apiextensions.CustomResource('x', { apiVersion: 'x/v1', kind: 'ReplicationSource' })\n"),
}


@pytest.mark.parametrize("language", list(MADE))
def test_a_house_that_a_program_makes_gets_a_first_file_and_its_backups_are_not_none(language: str, tmp_path: Path) -> None:
    name, text = MADE[language]
    others = {f"cue.mod/gen/{name}": text, "apps/other" + name[-4:]: "x"}
    written = write_settings(put(tmp_path, {name: text, **others}))
    (told,) = [one for one in written.problems if one.startswith(f"{name}: ")]
    assert language in told and "no program is run to see them" in told
    first = written.file.read_text()
    assert f"1 maker of backups not followed ({name})" in first and "backs up: none" not in first
    written.file.write_text(first.replace(FILL_IN, "env:NOT_SET"))
    house = load(written.file, Part.BACKUPS)
    assert house.unread and [one.subject for one in house.not_followed] == [name]


NAMES_BACKUPS = {
    "velero by CDK8s": ("src/velero.ts", 'import { Chart } from "cdk8s";\nimport { Schedule } from "../imports/velero.io.ts";\n'),
    "k8up by Pulumi": ("src/up.py", "import pulumi_kubernetes as k\nk.CustomResource('x', 'k8up.io/v1', 'Schedule')\n"),
    "longhorn": ("lib/longhorn.jsonnet", "{ apiVersion: 'longhorn.io/v1', kind: 'RecurringJob', spec: { task: 'backup' } }\n"),
    "a database's archive": ("lib/db.jsonnet", "{ apiVersion: 'x', spec: { backup: { barmanObjectStore: {} } } }\n"),
    "a program by the clock": ("lib/jobs.libsonnet", "{ apiVersion: 'x', job: $.cronjob.new(name, v.restic.image) }\n"),
    "Go's types": ("cmd/main.go", 'rs.SetGroupVersionKind(g{Group: "volsync.backube", Kind: "ReplicationSource"})\n'),
}  # fmt: skip
NAMES_NONE = {
    "types that a program made": ("src/velero.io.ts", '// generated by cdk8s\nimport {} from "cdk8s";\n// velero.io Schedule\n'),
    "a module of others": ("node_modules/v/x.ts", 'import { Chart } from "cdk8s";\nimport { Schedule } from "velero.io";\n'),
    "a job that does something else": ("lib/jobs.libsonnet", "{ apiVersion: 'batch/v1', job: $.cronjob.new('borgia') }\n"),
    "a snapshot that stays": ("lib/l.jsonnet", "{ apiVersion: 'x', kind: 'RecurringJob', spec: { task: 'snapshot' } }\n"),
}  # fmt: skip


@pytest.mark.parametrize("argo", [True, False])
@pytest.mark.parametrize("maker", list(NAMES_BACKUPS))
def test_a_program_that_names_what_makes_backups_is_counted_also_where_argocd_applies_it(
    maker: str, argo: bool, tmp_path: Path
) -> None:
    name, text = NAMES_BACKUPS[maker]
    found = read_repository(put(tmp_path, {name: text} | ({"argocd/apps.yaml": APPLICATION} if argo else {})))
    (told,) = found.rendered.not_followed
    assert (told.subject, told.makes_backups) == (name, True)
    assert "and is not followed" in found.unread[0].what or "no program is run" in found.unread[0].what


@pytest.mark.parametrize("words", list(NAMES_NONE))
def test_definitions_and_other_jobs_are_no_makers(words: str, tmp_path: Path) -> None:
    put(tmp_path, dict([NAMES_NONE[words]]) | {"argocd/apps.yaml": APPLICATION})
    assert read_repository(tmp_path).rendered.not_followed == ()


def test_a_folder_of_manifests_that_nothing_applies_gets_a_first_file_and_its_backups_are_counted(tmp_path: Path) -> None:
    written = write_settings(put(tmp_path, {"manifests/diary.yaml": BACKUPS["restic"]}))
    text = written.file.read_text()
    assert f"path: {FILL_IN}" not in text, "nobody is asked what Flux applies where nothing is Flux's"
    assert "  # 1 backup not audited (restic, by nothing that is read here)." in text


def test_a_folder_without_any_is_no_house(tmp_path: Path) -> None:
    put(tmp_path, {"playbook.yaml": "- hosts: all\n", "src/main.py": "print(1)\n"})
    with pytest.raises(SettingsInvalid):
        write_settings(tmp_path)


def test_a_template_that_nobody_rendered_is_told_as_that(tmp_path: Path) -> None:
    files = {f"template/kubernetes/apps/{name}.yaml.j2": "{% if x %}\napiVersion: v1\n{% endif %}\n" for name in ("a", "b", "c")}
    with pytest.raises(SettingsInvalid) as told:
        write_settings(put(tmp_path, files))
    assert told.value.hint.startswith("template/kubernetes/apps/a.yaml.j2 and 2 files more are templates: render them")


LINES = {"longhorn": 3, "restic": 1}
_IN_A_RELEASE = BACKUPS["longhorn"].replace("longhorn-system}", "{{ .Release.Name }}}")
LIBRARY = {
    "longhorn": "{{- if .Values.on }}\n---\n" + _IN_A_RELEASE + "{{- end }}\n",
    "restic": BACKUPS["restic"].replace("diary", '{{ include "app.name" . }}') + "{{- with .x }}\n{{- toYaml . }}\n{{- end }}\n",
}


@pytest.mark.parametrize("engine", list(LIBRARY))
def test_a_template_of_a_chart_that_argocd_applies_is_counted(engine: str, tmp_path: Path) -> None:
    put(tmp_path, {"argocd/apps.yaml": APPLICATION, "charts/x/templates/jobs.yaml": LIBRARY[engine]})
    found = read_repository(tmp_path)
    (told,) = found.declared.unsupported
    assert (told.engine, told.declared_in) == (f"{engine}, by ArgoCD", f"charts/x/templates/jobs.yaml:{LINES[engine]}")
    assert not [one for one in found.notes if one.file.startswith("charts/")], "a template is no YAML, and nobody said so"


WITHOUT = {name: text.replace("volsync.backube", "apps.invalid") for name, text in FLUX.items()}


@pytest.mark.parametrize("engine", list(BACKUPS))
def test_where_flux_declares_no_backup_those_of_other_files_are_not_none(engine: str, tmp_path: Path) -> None:
    put(tmp_path, WITHOUT | {"clusters/other/apps/diary.yaml": BACKUPS[engine]})
    found = read_repository(tmp_path).declared
    assert [one.engine for one in found.unsupported] == [f"{engine}, applied by nothing that is followed"]
    put(tmp_path, FLUX)
    assert read_repository(tmp_path).declared.unsupported == (), "another cluster's are no concern of a house that has its own"


def test_a_job_that_flux_applies_is_not_counted_as_one_that_nothing_applies_besides(tmp_path: Path) -> None:
    job = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: wiki-backup}\n"
    job += "spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: alpine}]}}}}}\n"
    folder = f"{next(iter(WITHOUT)).rpartition('/')[0]}/more"
    kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: wiki\nresources: [job.yaml]\n"
    put(tmp_path, WITHOUT | {f"{folder}/kustomization.yaml": kustomization, f"{folder}/job.yaml": job})
    found = read_repository(tmp_path).declared
    assert [one.subject for one in found.not_followed] == ["CronJob wiki/wiki-backup"]
    assert found.unsupported == ()


def test_a_component_that_nobody_uses_is_no_backup(tmp_path: Path) -> None:
    put(tmp_path, WITHOUT | {"components/volsync/source.yaml": BACKUPS["restic"].replace("diary", "${APP}")})
    assert read_repository(tmp_path).declared.unsupported == ()
