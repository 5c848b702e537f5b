"""What bootstrap scripts put into the cluster is found in every usual spelling, and written as settings that load."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.scripts import read_scripts
from house.scripts.secrets import Made
from house.settings.values import FILL_IN
from tests.house.first.test_init import fill_in
from tests.house.reading import load, write_settings
from tests.house.small_house import write_repository

GATEWAY = "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.3.0/experimental-install.yaml"
PROMETHEUS = "https://github.com/prometheus-operator/prometheus-operator/releases/download/v0.83.0/stripped-down-crds.yaml"
DNS = "https://raw.githubusercontent.com/kubernetes-sigs/external-dns/refs/tags/v0.17.0/docs/sources/crd/crd-manifest.yaml"

# In the manner of the community's template, in our own words.
LOOP = f"""#!/usr/bin/env bash
set -Eeuo pipefail
function definitions() {{
    local -r crds=(
        # renovate: datasource=github-releases depName=kubernetes-sigs/gateway-api
        {GATEWAY}
        "{PROMETHEUS}"
        # https://git.invalid/old-and-commented-out.yaml
        {DNS}
    )
    for crd in "${{crds[@]}}"; do
        if kubectl diff --filename "${{crd}}" &>/dev/null; then continue; fi
        kubectl apply --server-side --filename "${{crd}}" || log error "no" "crd=${{crd}}"
    done
}}
"""


def found(root: Path, name: str, text: str) -> list[str]:
    """The URLs that one script applies."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return [manifest.url for manifest in read_scripts(root).manifests]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("scripts/up.sh", f"kubectl apply --server-side -f {GATEWAY}\n"),
        ("scripts/up.sh", f"kubectl apply --server-side \\\n  --force-conflicts \\\n  -f \"{GATEWAY}\"\n"),
        ("scripts/up.sh", f"kubectl --context x create -f '{GATEWAY}' || true\n"),
        ("bootstrap/up", f"#!/bin/sh\nVERSION=v1.3.0\nkubectl apply --filename={GATEWAY.replace('v1.3.0', '${VERSION}')}\n"),
        ("scripts/up.sh", f"V=v1.3.0\nkubectl apply -f \"{GATEWAY.replace('v1.3.0', '$V')}\"\n".replace("$V/", "${V}/")),
        ("scripts/up.sh", f"kubectl apply -f {GATEWAY.replace('v1.3.0', '${GATEWAY_VERSION:-v1.3.0}')}\n"),
        ("scripts/up.sh", f"readonly V=\"v1.3.0\"\nurl=\"{GATEWAY.replace('v1.3.0', '${V}')}\"\nkubectl apply -f \"$url\"\n"),
        ("scripts/up.sh", f"curl -sSL {GATEWAY} | kubectl apply --server-side -f -\n"),
        ("scripts/up.sh", f"while read -r u; do kubectl apply -f \"$u\"; done <<EOF\n{GATEWAY}\nEOF\n"),
        ("scripts/up.sh", f"printf '%s\\n' {GATEWAY} | xargs -n1 kubectl apply --server-side -f\n"),
        ("Taskfile.yaml", f"tasks:\n  crds:\n    cmds:\n      - kubectl apply --server-side -f {GATEWAY}\n"),
        (".taskfiles/bootstrap/Taskfile.yaml",
         f"vars:\n  V: v1.3.0\ntasks:\n  crds:\n    cmd: kubectl apply -f {GATEWAY.replace('v1.3.0', '{{.V}}')}\n"),
        (".taskfiles/bootstrap/Taskfile.yaml",
         f"tasks:\n  crds:\n    cmds:\n      - for:\n          - {GATEWAY}\n        cmd: kubectl apply -f {{{{.ITEM}}}}\n"),
        ("justfile", f"v := \"v1.3.0\"\ncrds:\n    kubectl apply --server-side -f {GATEWAY.replace('v1.3.0', '{{ v }}')}\n"),
        ("bootstrap/mod.just", f"crds:\n    kubectl replace -f {GATEWAY}\n"),
        ("Makefile", f"V ?= v1.3.0\ncrds:\n\tkubectl apply -f {GATEWAY.replace('v1.3.0', '$(V)')}\n"),
    ],
)  # fmt: skip
def test_a_url_is_found_in_every_spelling(tmp_path: Path, name: str, text: str) -> None:
    assert found(tmp_path, name, text) == [GATEWAY]


def test_a_loop_over_a_list_gives_each_of_it_and_no_comment(tmp_path: Path) -> None:
    assert found(tmp_path, "scripts/bootstrap-cluster.sh", LOOP) == [GATEWAY, PROMETHEUS, DNS]


def test_a_list_in_a_file_of_its_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "crds.txt").write_text(f"# first\n{GATEWAY}\n{DNS}\n")
    script = "while read -r url; do kubectl apply -f \"$url\"; done < crds.txt\n"
    assert found(tmp_path, "scripts/up.sh", script) == [GATEWAY, DNS]


@pytest.mark.parametrize(
    "text",
    [
        f"curl -o x.yaml {GATEWAY}\n",
        f"# kubectl apply -f {GATEWAY}\n",
        f"kubectl diff -f {GATEWAY}\n",
        f"kubectl delete -f {GATEWAY}\n",
        "kubectl apply -f https://git.invalid/notes.txt\n",
        f"helm repo add x {GATEWAY}\nkubectl apply -f local.yaml\n",
    ],
)
def test_what_is_not_applied_is_not_taken_for_it(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, "scripts/up.sh", text) == []


def test_a_version_that_the_script_does_not_tell_is_marked(tmp_path: Path) -> None:
    text = f"kubectl apply -f {GATEWAY.replace('v1.3.0', '$(latest)').replace('$(latest)', '${LATEST}')}\n"
    assert found(tmp_path, "scripts/up.sh", text) == [GATEWAY.replace("v1.3.0", FILL_IN)]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("kubectl -n external-secrets create secret generic op --from-literal=token=\"$(op read op://home/connect/token)\"\n",
         ("op", "external-secrets", (("token", "op://home/connect/token"),))),
        ("kubectl create secret generic op --namespace external-secrets --from-literal=token=\"${OP_TOKEN}\" \\\n"
         "  --from-file=a.json=secrets/a.json --from-literal=other=hunter2\n",
         ("op", "external-secrets", (("token", "env:OP_TOKEN"), ("a.json", "file:secrets/a.json"), ("other", FILL_IN)))),
        ("kubectl create secret generic deploy --from-file=./identity -n flux-system --dry-run=client | kubectl apply -f -\n",
         ("deploy", "flux-system", (("identity", "file:./identity"),))),
        ("kubectl apply -n tools -f - <<EOF\napiVersion: v1\nkind: Secret\nmetadata: {name: login}\n"
         "stringData:\n  token: $TOKEN\n  other: hunter2\nEOF\n",
         ("login", "tools", (("token", "env:TOKEN"), ("other", FILL_IN)))),
        ("cat <<'EOF' | op inject | kubectl apply -f -\nkind: Secret\nmetadata: {name: op, namespace: es}\n"
         "stringData:\n  token: op://home/op/token\n  other: \"{{ op://home/op/other }}\"\nEOF\n",
         ("op", "es", (("token", "op://home/op/token"), ("other", "op://home/op/other")))),
    ],
)  # fmt: skip
def test_secrets_are_found_with_references_and_never_with_their_values(
    tmp_path: Path, text: str, made: tuple[str, str, tuple[tuple[str, str], ...]]
) -> None:
    (tmp_path / "up.sh").write_text(text)
    assert [(one.name, one.namespace, one.keys) for one in read_scripts(tmp_path).made] == [made]
    assert "hunter2" not in str(read_scripts(tmp_path))


def test_a_template_for_op_inject_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "bootstrap").mkdir()
    (tmp_path / "bootstrap/resources.yaml.j2").write_text(
        "{% for n in ['a'] %}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n{% endfor %}\n---\nkind: Secret\n"
        "metadata:\n  name: op\n  namespace: external-secrets\nstringData:\n  token: op://home/connect/token\n"
    )
    (tmp_path / "up.sh").write_text(
        'minijinja-cli "${ROOT_DIR}/bootstrap/resources.yaml.j2" | op inject | kubectl apply --server-side --filename -\n'
    )
    (made,) = read_scripts(tmp_path).made
    assert made == Made("op", "external-secrets", (("token", "op://home/connect/token"),), "up.sh:1")


def test_the_age_key_is_put_anyway_and_not_told_twice(tmp_path: Path) -> None:
    typed = "kubectl -n flux-system create secret generic sops-age --from-file=age.agekey=/dev/stdin"
    (tmp_path / "up.sh").write_text(f"cat age.key | {typed}\n")
    assert read_scripts(tmp_path).made == ()


def test_what_no_setting_can_take_over_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "rbac.yaml").write_text("kind: ClusterRole\n")
    (tmp_path / "up.sh").write_text(
        "helm template cilium/cilium --include-crds | yq 'select(.kind == \"CustomResourceDefinition\")' | kubectl apply -f -\n"
        "kubectl apply -k 'https://github.com/rancher/system-upgrade-controller//crd?ref=v0.15.0'\n"
        "kubectl apply -f rbac.yaml\nkubectl apply -k \"$FOLDER\"\n"
    )
    assert [(note.line, note.what) for note in read_scripts(tmp_path).notes] == [
        (1, "applies what `helm template cilium/cilium --include-crds` prints, which no step does"),
        (2, "applies https://github.com/rancher/system-upgrade-controller//crd?ref=v0.15.0, "
            "a kustomization from elsewhere, which no step does"),
        (4, "applies the folder of a variable, which was not found"),
        (3, "applies rbac.yaml, which no step does"),
    ]  # fmt: skip


def test_first_settings_name_all_of_it_and_load_when_they_are_filled_in(tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/bootstrap-cluster.sh").write_text(
        LOOP
        + "kubectl apply -k ${ROOT_DIR}/bootstrap/crds\nkubectl create -k ./bootstrap/first\nkubectl apply -f bootstrap/toys.yaml\n"
        + 'for s in "${ROOT_DIR}/bootstrap/key.sops.yaml" "${ROOT_DIR}/bootstrap/gone.sops.yaml"; do\n'
        + '  sops exec-file "$s" "kubectl --namespace flux-system apply --server-side --filename {}"\ndone\n'
        + 'kubectl -n external-secrets create secret generic op --from-literal=token="$(op read op://home/connect/token)"\n'
    )
    encrypted = "kind: Secret\nmetadata: {name: NAME}\nstringData: {token: 'ENC[x]'}\nsops: {age: []}\n"
    crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: toys.example.net}\n"
    for name, text in {
        "bootstrap/crds/kustomization.yaml": "resources: [toys.yaml]\n",
        "bootstrap/crds/toys.yaml": crd,
        "bootstrap/toys.yaml": crd,
        "bootstrap/first/kustomization.yaml": "namespace: tools\nresources: [a.sops.yaml]\n",
        "bootstrap/first/a.sops.yaml": encrypted.replace("NAME", "a"),
        "bootstrap/key.sops.yaml": encrypted.replace("NAME", "github-deploy-key"),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    written = write_settings(tmp_path, lambda: "5f1d7c2a9e")
    text = written.file.read_text()
    assert "    # - file: bootstrap/gone.sops.yaml  # is not here, or cannot be read" in text
    assert [mark.path for mark in written.marks if mark.path.startswith("bootstrap")] == [
        f"bootstrap.crds[{n}].sha256" for n in range(3)
    ]
    fill_in(written.file)
    house = load(written.file)
    assert [(source.key, source.version) for source in house.crd_sources] == [
        ("gateway-api/experimental-install", "v1.3.0"),
        ("prometheus-operator/stripped-down-crds", "v0.83.0"),
        ("external-dns/crd-manifest", "v0.17.0"),
        ("toys", ""),
        ("crds", ""),
    ]
    assert [secret.key for secret in house.secrets] == [
        "flux-system/sops-age", "external-secrets/op", "flux-system/github-deploy-key", "tools/a",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "folder",
    ["{{ source_directory() }}/defs", "{{justfile_dir()}}/bootstrap/defs", "{{ justfile_directory() }}/bootstrap/defs",
     "{{ here }}/defs"],
)  # fmt: skip
def test_a_folder_in_justs_own_words_is_found(tmp_path: Path, folder: str) -> None:
    made = tmp_path / "bootstrap/defs"
    made.mkdir(parents=True)
    (made / "kustomization.yaml").write_text("resources: [crd.yaml]\n")
    (made / "crd.yaml").write_text("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n")
    script = f'here := "bootstrap"\nbase:\n    if ! kustomize build {folder} | kubectl apply --server-side -f -; then exit 1; fi\n'
    (tmp_path / "bootstrap/mod.just").write_text(script)
    read = read_scripts(tmp_path)
    assert [path for path, _ in read.folders] == ["bootstrap/defs"]
    assert not any("was not found" in str(one) for one in read.notes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('echo "${GREEN}kubectl apply -k gone/folder${NC}"\n', False),
        ("printf 'now: kubectl apply -k gone/folder\\n'\n", False),
        ("\t@echo kubectl apply -k gone/folder\n", False),
        ("      - echo 'kubectl apply -k gone/folder | tee x'\n", False),
        ("cat <<EOF\nThen type:\n   ${GREEN}kubectl apply -k gone/folder${NC}\nEOF\n", False),
        ("cat <<EOF\necho then type\nkubectl apply -k gone/folder\nEOF\n", False),
        ("cat <<EOF\necho then type\nEOF\nkubectl apply -k gone/folder\n", True),
        ("cat <<EOF\nThen type\nEOF\nkubectl apply -k gone/folder\n", True),
        ("echo applying; kubectl apply -k gone/folder\n", True),
        ("echo applying && kubectl apply -k gone/folder\n", True),
        ("ssh host <<EOF\nkubectl apply -k gone/folder\nEOF\n", True),
        ("cat <<EOF | sh\nkubectl apply -k gone/folder\nEOF\n", True),
        ("echo 'kubectl apply -k gone/folder' | sh\n", True),
    ],
)
def test_a_command_that_a_script_shows_is_not_run_by_it(text: str, told: bool, tmp_path: Path) -> None:
    (tmp_path / "up.sh").write_text(f"GREEN='\\033[0;32m'\nNC='\\033[0m'\n{text}")
    assert any("gone/folder" in str(note) for note in read_scripts(tmp_path).notes) is told
