"""The settings' `bootstrap` section: definitions and Secrets that go into the cluster first, and the names that Git decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.declared.bootstrapping import crds_name, version_in
from house.model import CrdForm, CrdSource, House, SecretRef
from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository

GATEWAY = "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.3.0/experimental-install.yaml"
DNS = "https://raw.githubusercontent.com/kubernetes-sigs/external-dns/refs/tags/v0.17.0/docs/sources/crd/crd-manifest.yaml"
SUM = "ab" * 32


def loaded(root: Path, bootstrap: str, **files: str) -> House:
    """The small house with this section, and with files written beside its settings (`__` in a name is a slash)."""
    settings = write_repository(root, f"{SETTINGS}bootstrap:\n{bootstrap}")
    for name, text in files.items():
        file = root / name.replace("__", "/").replace("_yaml", ".yaml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return load(settings)


def test_definitions_are_known_by_url_file_and_folder(tmp_path: Path) -> None:
    text = f"""  crds:
    - {{url: "{GATEWAY}", sha256: {SUM.upper()}}}
    - {{url: "{DNS}", sha256: {SUM}, version: seventeen, name: dns}}
    - {{file: crds/Gateway.yaml}}
    - {{folder: crds}}
"""
    files = {"crds__Gateway_yaml": "kind: X\n", "crds__kustomization_yaml": "resources: [./Gateway.yaml]\n"}
    assert loaded(tmp_path, text, **files).crd_sources == (
        CrdSource("gateway-api/experimental-install", CrdForm.URL, GATEWAY, "v1.3.0", SUM),
        CrdSource("dns", CrdForm.URL, DNS, "seventeen", SUM),
        CrdSource("gateway", CrdForm.FILE, str(tmp_path / "crds/Gateway.yaml")),
        CrdSource("crds", CrdForm.FOLDER, str(tmp_path / "crds")),
    )


def test_two_entries_of_one_name_are_told_apart_by_a_person(tmp_path: Path) -> None:
    text = f"  crds:\n    - {{url: '{DNS}', sha256: {SUM}}}\n    - {{url: '{DNS}', sha256: {SUM}}}\n"
    with pytest.raises(SettingsInvalid) as told:
        loaded(tmp_path, text)
    assert "is called external-dns/crd-manifest like another; give it a name of its own" in told.value.evidence[0]


@pytest.mark.parametrize(
    ("url", "name", "version"),
    [
        (GATEWAY, "gateway-api/experimental-install", "v1.3.0"),
        (DNS, "external-dns/crd-manifest", "v0.17.0"),
        ("https://mirror.invalid/crds/1.2/all.yaml", "mirror.invalid/all", "1.2"),
        ("https://mirror.invalid", "mirror.invalid/crds", ""),
    ],
)
def test_a_url_says_its_name_and_version(url: str, name: str, version: str) -> None:
    assert (crds_name(url), version_in(url)) == (name, version)


def test_a_secret_of_references_makes_its_namespace(tmp_path: Path) -> None:
    house = loaded(tmp_path, "  secrets: [{name: op, namespace: external-secrets, keys: {token: 'file:op', a.json: env:A}}]\n")
    secret = house.secrets[-1]
    assert (secret.key, secret.type) == ("external-secrets/op", "Opaque")
    assert secret.keys == (("token", SecretRef((f"file:{tmp_path / 'op'}",))), ("a.json", SecretRef(("env:A",))))
    assert "external-secrets" in house.namespaces


SOPS = """apiVersion: v1
kind: Secret
metadata: {{name: {name}{namespace}}}
type: kubernetes.io/basic-auth
stringData: {{username: "ENC[AES256_GCM,data:x,type:str]", tls.key: "ENC[AES256_GCM,data:x,type:str]"}}
sops: {{age: []}}
"""


def test_an_encrypted_manifest_gives_a_reference_for_each_of_its_keys(tmp_path: Path) -> None:
    text = "  secrets: [{file: login.sops.yaml, namespace: tools}]\n"
    secret = loaded(tmp_path, text, **{"login.sops_yaml": SOPS.format(name="login", namespace="")}).secrets[-1]
    file = tmp_path / "login.sops.yaml"
    assert (secret.key, secret.type) == ("tools/login", "kubernetes.io/basic-auth")
    assert [ref.sources for _, ref in secret.keys] == [
        (f"sops:{file}#stringData.username",), (f"sops:{file}#stringData.tls.key",),
    ]  # fmt: skip


def test_a_folder_gives_the_secrets_that_its_kustomization_lists(tmp_path: Path) -> None:
    kustomization = "kind: Kustomization\nnamespace: tools\nresources: [./a.sops.yaml, ./note.yaml, ./more]\n"
    house = loaded(
        tmp_path,
        "  secrets: [{folder: first}]\n",
        first__kustomization_yaml=kustomization,
        first__note_yaml="kind: ConfigMap\n",
        **{
            "first__a.sops_yaml": SOPS.format(name="a", namespace=""),
            "first__more__kustomization_yaml": "resources: [b.sops.yaml]\n",
            "first__more__b.sops_yaml": SOPS.format(name="b", namespace=", namespace: own"),
        },
    )
    assert [secret.key for secret in house.secrets] == ["flux-system/sops-age", "tools/a", "own/b"]


def test_a_template_for_op_inject_names_its_items(tmp_path: Path) -> None:
    template = """kind: Secret
metadata: {name: op, namespace: external-secrets}
stringData: {token: "op://home/connect/token", other: "{{ op://home/connect/other }}"}
"""
    secret = loaded(tmp_path, "  secrets: [{file: op.yaml}]\n", op_yaml=template).secrets[-1]
    assert [ref.sources for _, ref in secret.keys] == [("op://home/connect/token",), ("op://home/connect/other",)]


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("kind: Secret\nmetadata: {name: a, namespace: b}\nstringData: {token: hunter2}\n",
         "s.yaml is not encrypted, and stringData.token is no reference (its text is not shown); "
         "encrypt it with sops, or write the Secret with `keys:`"),
        ("kind: Secret\nmetadata: {name: 'ENC[x]', namespace: b}\nsops: {}\n",
         "s.yaml does not show the Secret's name, namespace and type; encrypt values only: encrypted_regex ^(data|stringData)$"),
        ("kind: Secret\nmetadata: {name: a}\ndata: {x: 'ENC[x]'}\nsops: {}\n",
         "s.yaml does not say the Secret's namespace; add namespace to this entry"),
        ("kind: ConfigMap\n", "s.yaml holds what is no Secret; keep Secrets alone in it"),
    ],
)  # fmt: skip
def test_a_manifest_that_cannot_be_followed_is_refused_without_its_text(tmp_path: Path, manifest: str, says: str) -> None:
    with pytest.raises(SettingsInvalid) as told:
        loaded(tmp_path, "  secrets: [{file: s.yaml}]\n", s_yaml=manifest)
    assert told.value.evidence[0].endswith(f"bootstrap.secrets[0]: {says}")


def with_decryption(root: Path, name: str) -> Path:
    settings = write_repository(root)
    entry = root / "kubernetes/flux/cluster/ks.yaml"
    entry.write_text(entry.read_text().replace("spec:\n", f"spec:\n  decryption: {{secretRef: {{name: {name}}}}}\n", 1))
    return settings


def test_the_age_key_goes_under_the_name_that_git_decrypts_with(tmp_path: Path) -> None:
    plain = load(write_repository(tmp_path / "plain")).secrets
    assert [(s.key, [key for key, _ in s.keys]) for s in plain] == [("flux-system/sops-age", ["age.agekey"])]
    named = load(with_decryption(tmp_path / "named", "sops-keys")).secrets
    assert [s.key for s in named] == ["flux-system/sops-keys"]
    assert named[0].keys == (("age.agekey", SecretRef((f"file:{tmp_path / 'named/age.key'}",))),)


ELSEWHERE = "decryption: {provider: sops, secretRef: {name: sops-keys}}"


def decrypting(root: Path, more: str = "", settings: str = "") -> Path:
    """The small house, one of whose Kustomizations lies in `apps` and decrypts with a Secret of that namespace."""
    file = write_repository(root, SETTINGS + settings)
    ks = root / "kubernetes/apps/apps/notes/ks.yaml"
    ks.write_text(ks.read_text().replace("  wait: true\n", f"  wait: true\n  {ELSEWHERE}\n"))
    if more:
        (root / "kubernetes/flux/cluster/more.yaml").write_text(more)
    return file


def test_the_age_key_goes_to_every_namespace_whose_kustomizations_decrypt_with_it(tmp_path: Path) -> None:
    house = load(decrypting(tmp_path))
    assert [(s.key, [key for key, _ in s.keys]) for s in house.secrets] == [
        ("flux-system/sops-age", ["age.agekey"]), ("apps/sops-keys", ["age.agekey"])
    ]  # fmt: skip
    assert "apps" in house.namespaces


SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: sops-keys, namespace: apps}\nsops: {mac: x}\nstringData: {k: ENC}\n"
EXTERNAL = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: NAME, namespace: apps}\nspec: {TARGET}\n"


@pytest.mark.parametrize(
    "more",
    [
        SECRET,
        EXTERNAL.replace("NAME", "any").replace("{TARGET}", "{target: {name: sops-keys}}"),
        EXTERNAL.replace("NAME", "sops-keys").replace("{TARGET}", "{}"),
        EXTERNAL.replace("NAME", "sops-keys").replace("{TARGET}", "{target: {name: null}}"),
    ],
)
def test_where_git_makes_that_secret_it_is_not_put(tmp_path: Path, more: str) -> None:
    assert [s.key for s in load(decrypting(tmp_path, more)).secrets] == ["flux-system/sops-age"]


def test_a_secret_of_that_name_elsewhere_or_of_another_kind_makes_it_not(tmp_path: Path) -> None:
    other = SECRET.replace("namespace: apps", "namespace: odd") + "---\n" + SECRET.replace("kind: Secret", "kind: ConfigMap")
    assert [s.key for s in load(decrypting(tmp_path, other)).secrets] == ["flux-system/sops-age", "apps/sops-keys"]


def test_what_decrypts_with_it_cannot_make_it(tmp_path: Path) -> None:
    file = decrypting(tmp_path)
    deployment = tmp_path / "kubernetes/apps/apps/notes/app/deployment.yaml"
    deployment.write_text(f"{deployment.read_text()}---\n{SECRET}")
    assert [s.key for s in load(file).secrets] == ["flux-system/sops-age", "apps/sops-keys"]


def test_one_that_the_settings_make_there_is_theirs(tmp_path: Path) -> None:
    own = "bootstrap:\n  secrets: [{name: sops-keys, namespace: apps, keys: {main.agekey: env:AGE}}]\n"
    found = load(decrypting(tmp_path, settings=own)).secrets
    assert [(s.key, s.keys[0][0]) for s in found] == [("flux-system/sops-age", "age.agekey"), ("apps/sops-keys", "main.agekey")]


def test_a_secret_that_the_settings_make_is_theirs_also_under_the_age_keys_name(tmp_path: Path) -> None:
    house = loaded(tmp_path, "  secrets: [{name: sops-age, namespace: flux-system, keys: {main.agekey: env:AGE}}]\n")
    assert [(s.key, s.keys[0][0]) for s in house.secrets] == [("flux-system/sops-age", "main.agekey")]
