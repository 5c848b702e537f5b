"""What Flux is told to pull is found wherever a house declares it, and several clusters of one repository are never one."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.loader import Part
from tests.house.reading import load, read_repository, write_settings

URL = "https://git.invalid/anna/home-ops"
SYNC = f"{{kind: GitRepository, url: {URL}, ref: refs/heads/main, path: kubernetes/flux}}"
RELEASE = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: flux-instance}\n"
KS = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
DECLARED = {
    "values of a HelmRelease": (
        "kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml",
        f"{RELEASE}spec: {{values: {{instance: {{distribution: {{artifact: x}}, sync: {SYNC}}}}}}}\n",
    ),
    "a values file that nobody lists": ("apps/flux/instance/helm-values.yaml", f"instance:\n  sync: {SYNC}\n"),
    "a FluxInstance somewhere": (
        "setup/flux/instance.yaml",
        f"apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {{name: flux}}\nspec: {{sync: {SYNC}}}\n",
    ),
    "what flux bootstrap writes": (
        "kubernetes/flux/flux-system/gotk-sync.yaml",
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\n"
        f"spec: {{url: {URL}, ref: {{branch: main}}}}\n---\n{KS}metadata: {{name: flux-system, namespace: flux-system}}\n"
        "spec: {path: ./kubernetes/flux, sourceRef: {kind: GitRepository, name: flux-system}}\n",
    ),
    "the same under names of its own": (
        "kubernetes/flux/config/cluster.yaml",
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: home, namespace: flux-system}\n"
        f"spec: {{url: {URL}, ref: {{branch: main}}}}\n---\n{KS}metadata: {{name: cluster, namespace: flux-system}}\n"
        "spec: {path: ./kubernetes/flux, sourceRef: {kind: GitRepository, name: home}}\n",
    ),
}  # fmt: skip


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def cluster(folder: str, source: str = "flux-system", namespace: str = "flux-system") -> dict[str, str]:
    """One backup, two Kustomizations from the entry `folder`."""
    reference = f"sourceRef: {{kind: GitRepository, name: {source}}}"
    name = folder.replace("/", "-")
    return {
        f"{folder}/apps.yaml": f"{KS}metadata: {{name: apps, namespace: {namespace}}}\n"
        f"spec: {{path: ./apps/{name}, {reference}, targetNamespace: home}}\n",
        f"apps/{name}/source.yaml": "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\n"
        f"metadata: {{name: diary}}\nspec: {{sourcePVC: {name}, restic: {{repository: diary-restic}}}}\n",
    }


def claims(root: Path) -> list[str]:
    return [one.claim for one in read_repository(root).declared.backups]


@pytest.mark.parametrize("form", list(DECLARED))
def test_what_flux_pulls_is_found_wherever_it_is_declared(form: str, tmp_path: Path) -> None:
    name, text = DECLARED[form]
    own = {"the same under names of its own": "home"}.get(form, "flux-system")
    put(tmp_path, cluster("kubernetes/flux", own) | {name: text})
    found = read_repository(tmp_path)
    assert (found.source.url, found.source.branch, found.source.path) == (URL, "main", "kubernetes/flux")
    assert found.source.declared_in.startswith(f"{name}:")
    assert claims(tmp_path) == ["kubernetes-flux"]
    assert found.unread == () and found.rendered.not_followed == ()


def test_a_path_is_seen_from_the_root_however_it_is_written(tmp_path: Path) -> None:
    put(tmp_path, cluster("fleet") | {"flux/values.yaml": f"instance: {{sync: {SYNC.replace('kubernetes/flux', './fleet/')}}}\n"})
    assert read_repository(tmp_path).source.path == "fleet"
    assert claims(tmp_path) == ["fleet"]


def test_a_variable_in_the_path_is_what_is_there(tmp_path: Path) -> None:
    sync = SYNC.replace("kubernetes/flux", '"clusters/${CLUSTER}/boot"')
    text = f"instance: {{sync: {sync}}}\n"
    put(tmp_path, cluster("clusters/willow/boot") | {"flux/values.yaml": text})
    assert read_repository(tmp_path).source.path == "clusters/willow/boot"


def test_a_source_that_is_called_like_its_namespace_is_the_house_s_own(tmp_path: Path) -> None:
    """flux-operator names it so, and nothing in Git declares it."""
    put(tmp_path, cluster("kubernetes/flux", "gitops", "gitops") | {"flux/values.yaml": f"instance: {{sync: {SYNC}}}\n"})
    found = read_repository(tmp_path)
    assert claims(tmp_path) == ["kubernetes-flux"]
    assert (found.source.namespace, found.source.name) == ("gitops", "gitops")
    assert found.rendered.not_followed == ()


def test_what_somebody_else_s_repository_would_apply_is_no_entry(tmp_path: Path) -> None:
    name, text = DECLARED["a FluxInstance somewhere"]
    vendor = (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: vendor, namespace: x}\n"
        f"spec: {{url: https://git.invalid/vendor}}\n---\n{KS}metadata: {{name: vendor, namespace: x}}\n"
        "spec: {path: ./kubernetes, sourceRef: {kind: GitRepository, name: vendor}}\n"
    )
    put(tmp_path, cluster("kubernetes/flux") | {name: text, "apps/vendor/ks.yaml": vendor})
    assert read_repository(tmp_path).source.path == "kubernetes/flux"
    assert read_repository(tmp_path).clusters == ("kubernetes/flux",)


@pytest.mark.parametrize("own", [False, True])
def test_who_applies_the_root_of_a_source_of_another_name_applies_ours_only_where_others_pull_folders_of_it(
    own: bool, tmp_path: Path
) -> None:
    vault = (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: vault, namespace: flux-system}\n"
        "spec: {url: https://git.invalid/anna/vault, ref: {branch: main}}\n---\n"
        f"{KS}metadata: {{name: vault, namespace: flux-system}}\n"
        "spec: {path: ./, sourceRef: {kind: GitRepository, name: vault}}\n"
    )
    put(tmp_path, cluster("clusters/home", "vault" if own else "home") | {"clusters/home/vault.yaml": vault})
    assert read_repository(tmp_path).source.path == ("." if own else "")


def two(root: Path) -> Path:
    files = cluster("kubernetes/main/flux") | cluster("kubernetes/staging/flux")
    for one in ("main", "staging"):
        sync = SYNC.replace("kubernetes/flux", f"kubernetes/{one}/flux")
        files[f"kubernetes/{one}/apps/flux/helmrelease.yaml"] = f"{RELEASE}spec: {{values: {{instance: {{sync: {sync}}}}}}}\n"
    return put(root, files)


def test_one_of_several_clusters_is_chosen_by_its_path(tmp_path: Path) -> None:
    found = read_repository(two(tmp_path), "kubernetes/staging/flux")
    assert found.clusters == ("kubernetes/main/flux", "kubernetes/staging/flux")
    assert [one.claim for one in found.declared.backups] == ["kubernetes-staging-flux"]


def test_settings_that_choose_none_of_several_clusters_are_asked(tmp_path: Path) -> None:
    two(tmp_path)
    file = tmp_path / "blackstart.yaml"
    file.write_text('house: {name: two, id: "5f1d7c2a9e"}\nsops: {age_key: "file:age.key"}\n')
    with pytest.raises(SettingsInvalid) as caught:
        load(file, Part.BACKUPS)
    told = "\n".join(caught.value.evidence)
    assert "git.path: is not said, and the repository holds 2 clusters" in told
    assert "kubernetes/main/flux or kubernetes/staging/flux" in told


def test_a_path_of_the_settings_is_read_by_an_audit(tmp_path: Path) -> None:
    two(tmp_path)
    file = tmp_path / "blackstart.yaml"
    rules = "password: 'env:P', open_as: [{seen: /r/x, open: /m/x}]"
    claim = f"backups: {{claims: {{home/kubernetes-staging-flux: {{repository: /r/x}}}}, {rules}}}\n"
    file.write_text(
        'house: {name: two, id: "5f1d7c2a9e"}\ngit: {path: kubernetes/staging/flux}\nsops: {age_key: "file:age.key"}\n' + claim
    )
    house = load(file, Part.BACKUPS)
    assert [one.key for one in house.claims] == ["home/kubernetes-staging-flux"]
    assert house.flux.path == "kubernetes/staging/flux"


def test_a_path_of_the_settings_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    two(tmp_path)
    file = tmp_path / "blackstart.yaml"
    file.write_text('house: {name: two, id: "5f1d7c2a9e"}\ngit: {path: kubernetes/mian/flux}\nsops: {age_key: "file:age.key"}\n')
    with pytest.raises(SettingsInvalid) as caught:
        load(file, Part.BACKUPS)
    told = "\n".join(caught.value.evidence)
    assert "git.path: kubernetes/mian/flux is no folder of the repository; " in told
    assert "kubernetes/main/flux" in told


@pytest.mark.parametrize("written", [".", "./", "/", "'././'"])
def test_a_path_of_the_settings_may_be_the_root(written: str, tmp_path: Path) -> None:
    put(tmp_path, cluster("flux") | {"kustomization.yaml": "kind: Kustomization\nresources: [flux/apps.yaml]\n"})
    file = tmp_path / "blackstart.yaml"
    rules = "password: 'env:P', open_as: [{seen: /r/x, open: /m/x}]"
    claim = f"backups: {{claims: {{home/flux: {{repository: /r/x}}}}, {rules}}}\n"
    file.write_text(f'house: {{name: two, id: "5f1d7c2a9e"}}\ngit: {{path: {written}}}\nsops: {{age_key: "file:age.key"}}\n{claim}')
    house = load(file, Part.BACKUPS)
    assert [one.key for one in house.claims] == ["home/flux"]
    assert house.flux.path == "."


def test_flux_would_stumble_over_our_own_files_where_it_applies_every_file(tmp_path: Path) -> None:
    put(tmp_path, cluster("flux"))
    own = put(tmp_path, {"blackstart.yaml": "house: {}\n", "blackstart.lock.yaml": "claims: {}\n"})
    found = read_repository(own, ".")
    assert {one.namespace for one in found.declared.backups} == {"home", "flux-system"}
    assert found.unread == ()
    told = [str(note) for note in found.notes if "blackstart" in note.file]
    assert len(told) == 2
    assert told[1] == (
        "blackstart.yaml: lies in a folder of which Flux applies every file, and is no object: Flux refuses the folder; "
        "add a kustomization.yaml to that folder, or name the file in .sourceignore"
    )
    put(tmp_path, {".sourceignore": "/blackstart.*\n"})
    assert not [note for note in read_repository(own, ".").notes if "blackstart" in note.file]


def test_a_first_file_chooses_one_of_several_and_says_so(tmp_path: Path) -> None:
    written = write_settings(two(tmp_path))
    text = written.file.read_text()
    assert "  path: kubernetes/main/flux  # (usual): one of 2 clusters, the other is kubernetes/staging/flux\n" in text
    assert "home/kubernetes-main-flux" in text and "home/kubernetes-staging-flux" not in text
    assert "-main\n" in text
    told = "is for kubernetes/main/flux alone, one of 2 clusters of the repository, by a guess, for nothing says which is meant; "
    again = f"invoke config.init --repo {tmp_path} --git-path kubernetes/staging/flux"
    assert written.notes[0] == f"blackstart.yaml: {told}for the other move it aside, then {again}"


def test_the_cluster_that_a_person_says_is_the_one_of_which_a_first_file_tells(tmp_path: Path) -> None:
    written = write_settings(two(tmp_path), entry="kubernetes/staging/flux")
    text = written.file.read_text()
    assert "  path: kubernetes/staging/flux  # one of 2 clusters, the other is kubernetes/main/flux\n" in text
    assert "home/kubernetes-staging-flux" in text and "home/kubernetes-main-flux" not in text
    assert "-staging\n" in text  # of two houses of one name the lock, the Lease and the pool would be one
    assert "alone, one of 2 clusters of the repository, as you said; " in written.notes[0]


def test_of_a_folder_with_a_long_name_the_clusters_are_still_houses_of_two_names(tmp_path: Path) -> None:
    root = two(tmp_path / ("a" * 60))
    names = set()
    for path in ("kubernetes/main/flux", "kubernetes/staging/flux"):
        written = write_settings(root, entry=path)
        names |= {line for line in written.file.read_text().splitlines() if line.startswith("  name: ")}
        written.file.unlink()
    assert names == {f"  name: {'a' * 35}-main", f"  name: {'a' * 32}-staging"}


def test_clusters_of_one_folder_are_houses_of_names_of_their_own(tmp_path: Path) -> None:
    """Two of three that share a part are not told apart by it."""
    files, names = dict[str, str](), set()
    paths = ("k8s/dev", "k8s/prod/attic", "k8s/prod/cellar")
    for at, path in enumerate(paths):
        sync = SYNC.replace("kubernetes/flux", path)
        files |= cluster(path) | {f"flux/{at}/release.yaml": f"{RELEASE}spec: {{values: {{instance: {{sync: {sync}}}}}}}\n"}
    put(tmp_path / "ops", files)
    for path in paths:
        written = write_settings(tmp_path / "ops", entry=path)
        names |= {line for line in written.file.read_text().splitlines() if line.startswith("  name: ")}
        written.file.unlink()
    assert names == {"  name: ops-dev", "  name: ops-prod-attic", "  name: ops-prod-cellar"}


def test_a_path_that_a_person_says_is_written_where_the_repository_says_none(tmp_path: Path) -> None:
    put(tmp_path, cluster("somewhere/flux"))
    written = write_settings(tmp_path, entry="somewhere/flux")
    assert "  path: somewhere/flux\n" in written.file.read_text()
    assert not any("clusters" in note for note in written.notes)


def test_a_path_that_is_no_folder_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        write_settings(two(tmp_path), entry="kubernetes/stagign/flux")
    assert "--git-path kubernetes/stagign/flux is no folder of the repository" in str(caught.value)
    assert caught.value.hint == "the nearest known one is kubernetes/staging/flux"
    assert not (tmp_path / "blackstart.yaml").exists()


def test_a_house_that_says_nothing_of_what_flux_pulls_is_told_so(tmp_path: Path) -> None:
    put(tmp_path, cluster("kubernetes/flux"))
    (told,) = map(str, read_repository(tmp_path).unread)
    assert told == (
        "blackstart.yaml: git.path: nothing in the repository says what Flux applies; "
        "write the folder that Flux is told to apply, as in `path: kubernetes/flux/cluster`"
    )
    assert claims(tmp_path) == []


PROGRAMS = {
    "infra/main.go": 'x := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment"}\n',
    "infra/index.ts": "new k8s.apps.v1.Deployment('x', { apiVersion: 'apps/v1', kind: 'Deployment' })\n",
    "infra/nodes.tf": 'resource "kubernetes_manifest" "x" { manifest = { apiVersion = "v1" } }\n',
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_one_with_a_program_beside_flux_is_asked_for_the_path_all_the_same(program: str, tmp_path: Path) -> None:
    """A program that makes some objects says nothing of what Flux applies: without the path no backup of it is ever seen."""
    put(tmp_path, cluster("kubernetes/flux") | {program: PROGRAMS[program]})
    told = " | ".join(map(str, read_repository(tmp_path).unread))
    assert "no program is run to see them" in told and "git.path: nothing in the repository says what Flux applies" in told
    (asked,) = [one for one in write_settings(tmp_path).marks if one.path == "git.path"]
    assert asked.line


SHARED = f"{RELEASE}spec: {{values: {{instance: {{sync: {SYNC}}}}}}}\n".replace("kubernetes/flux", '"${PLACE}"')
SAID = {
    "a ConfigMap of each cluster": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {PLACE: ./clusters/NAME}\n",
    "a Kustomization of each cluster": f"{KS}metadata: {{name: flux}}\n"
    "spec: {path: x, postBuild: {substitute: {PLACE: clusters/NAME}}}\n",
}


@pytest.mark.parametrize("form", list(SAID))
def test_a_path_that_is_a_variable_is_what_git_gives_it_and_no_folder_of_the_root(form: str, tmp_path: Path) -> None:
    files = {f"clusters/{name}/settings/said.yaml": SAID[form].replace("NAME", name) for name in ("attic", "home")}
    files |= {"apps/flux/release.yaml": SHARED, "talos/x.yaml": "a: 1\n", "notes/x.md": "x"}
    put(tmp_path, cluster("clusters/home") | files)
    (tmp_path / "clusters/attic/kustomization.yaml").write_text("resources: []\n")
    (tmp_path / "clusters/home/kustomization.yaml").write_text("resources: [apps.yaml]\n")
    assert read_repository(tmp_path).clusters == ("clusters/attic", "clusters/home")
    assert claims(tmp_path) == ["clusters-home"]


def test_a_variable_that_nobody_gives_a_value_is_not_every_folder(tmp_path: Path) -> None:
    put(tmp_path, {"apps/flux/release.yaml": SHARED, "talos/x.yaml": "a: 1\n", "notes/x.md": "x"})
    found = read_repository(tmp_path)
    assert found.clusters == ("${PLACE}",)
    assert any(one.file == "${PLACE}" and one.what == "is not there" for one in found.unread)


SELF = f"{KS}metadata: {{name: root, namespace: flux-system}}\n"
SELF += "spec: {path: ./kubernetes/flux, sourceRef: {kind: GitRepository, name: own}}\n"
OF_IT = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: own, namespace: flux-system}\n"
OF_IT += f"spec: {{url: {URL}, ref: {{branch: main}}}}\n"


@pytest.mark.parametrize("declared", [True, False])
def test_a_kustomization_that_applies_its_own_file_is_the_entry_wherever_its_source_is(declared: bool, tmp_path: Path) -> None:
    files = cluster("kubernetes/flux", "own") | {"kubernetes/flux/sync/root.yaml": SELF}
    found = read_repository(put(tmp_path, files | ({"kubernetes/flux/git/own.yaml": OF_IT} if declared else {})))
    assert (found.source.path, found.source.url, found.source.applies) == ("kubernetes/flux", URL if declared else "", "root")
    assert [one.claim for one in found.declared.backups] == ["kubernetes-flux"] and found.unread == ()


@pytest.mark.parametrize("other", ["kind: OCIRepository, name: own", "kind: Bucket, name: own"])
def test_one_of_an_artifact_or_of_another_folder_is_none(other: str, tmp_path: Path) -> None:
    put(tmp_path, {"a/root.yaml": SELF.replace("kind: GitRepository, name: own", other), "kubernetes/x.yaml": OF_IT})
    assert read_repository(tmp_path).source.path == ""
    put(tmp_path, {"a/root.yaml": SELF})
    assert read_repository(tmp_path).source.path == "", "it applies another folder than its own"


@pytest.mark.parametrize("word", ["@name@", "{{ name }}", "<name>"])
def test_a_word_of_a_template_in_the_path_is_what_is_there(word: str, tmp_path: Path) -> None:
    name, text = DECLARED["a FluxInstance somewhere"]
    put(tmp_path, cluster("clusters/oak/flux") | {name: text.replace("path: kubernetes/flux", f"path: 'clusters/{word}/flux'")})
    found = read_repository(tmp_path)
    assert found.source.path == "clusters/oak/flux" and len(found.declared.backups) == 1
