"""Rules about keys and backups: the NAS on its own hosts, stores that gate storage, keys that only a cloud has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.lint.finding import Weight
from cluster.lint.given import Given
from cluster.lint.rules import nas_on_its_hosts
from house.model import BootstrapSecret, SecretRef
from house.values.databases import DatabaseArchive
from house.values.nas import Export, Nas, NasExport
from house.values.sources import BackupSource
from tests.builders import a_claim, a_release
from tests.cluster.lint.made import a_given, found, kustomization, release

FILE, CLOUD, TYPED = SecretRef(("file:/k",)), SecretRef(("op://home/x/y",)), SecretRef(("env:K",))
BOTH = SecretRef(("op://home/x/y", "sops:/a.yaml#b"))


def a_nas(**changes: Any) -> Nas:
    given = {"name": "nas", "host": "nas.lan", "port": 443, "fingerprint": "AB", "ca_file": "", "username": "me", "vm": 105}
    return Nas(**{**given, "api_key": FILE, **changes})


def kept(place: str, **more: Any) -> Any:
    return a_claim("notes", open_as=place, mover_repository=place, **more)


MOVERS = """---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: volsync-nfs}
spec:
  mutations:
    - jsonPatch:
        expression: >
          [JSONPatch{value: {nfs: {server: "SERVER", path: "/mnt/tank/volsync"}}}]
"""
ON_NAS = kept("sftp:backup@nas.lan:/mnt/tank/notes")
BY_PATH = a_claim("notes", open_as="", mover_repository="/repository/notes")
KOPIA = """---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: photos}
spec: {sourcePVC: photos, kopia: {moverVolumes: [{mountPath: repository, volumeSource: {nfs: {server: nas.lan, path: /x}}}]}}
"""
ELSEWHERE = BackupSource("two", "two", "s3:https://s3.example.org/x", "s3:https://s3.example.org/x", TYPED, (), "", "x:1")
SERVED = a_nas(exports=(NasExport(Export.NFS, "/mnt/tank/volsync", "movers", movers=True),))

ON_HOSTS: list[tuple[str, str, dict[str, Any], Weight]] = [
    ("by sftp", "", {"nas": (a_nas(),), "claims": (ON_NAS,)}, Weight.PARADOX),
    ("by another name of it", "", {"nas": (a_nas(also=("10.0.0.5",)),), "claims": (kept("s3:https://10.0.0.5:9000/x"),)},
     Weight.PARADOX),
    ("by NFS of movers", MOVERS.replace("SERVER", "nas.lan"), {"nas": (SERVED,), "claims": (BY_PATH,)}, Weight.PARADOX),
    ("by a folder of it, its server in a variable", MOVERS.replace("SERVER", "${NFS}"),
     {"nas": (a_nas(datasets=("tank",)),), "claims": (BY_PATH,)}, Weight.PARADOX),
    ("a database's archive", "", {"nas": (a_nas(),), "claims": (), "archives": (DatabaseArchive("db/pg", "s3:https://nas.lan:9000/x"),)},
     Weight.PARADOX),
    ("with one more place", "", {"nas": (a_nas(),), "claims": (kept("sftp:b@nas.lan:/x", others=(ELSEWHERE,)),)}, Weight.RISK),
    ("by another engine", KOPIA, {"nas": (a_nas(),), "claims": ()}, Weight.PARADOX),
    ("on a server that nobody named", MOVERS.replace("SERVER", "10.0.0.9"), {"claims": (BY_PATH,)}, Weight.UNKNOWN),
    ("on a server in a variable", MOVERS.replace("SERVER", "${NFS}"), {"nas": (a_nas(),), "claims": (BY_PATH,)}, Weight.UNKNOWN),
]  # fmt: skip
NOT_ON_HOSTS: list[tuple[str, str, dict[str, Any]]] = [
    ("a NAS that is a machine", "", {"nas": (a_nas(vm=0),), "claims": (ON_NAS,)}),
    ("a NAS that holds something else", "", {"nas": (a_nas(),), "claims": (kept("s3:https://s3.example.org/x"),)}),
    ("another engine, on another server", KOPIA.replace("nas.lan", "other.lan"), {"nas": (a_nas(),), "claims": ()}),
    ("a policy that nothing is backed up by", MOVERS.replace("SERVER", "10.0.0.9"), {"claims": (kept("s3:https://s3.example.org/x"),)}),
    ("the same folder of another server", MOVERS.replace("SERVER", "nas.lan"), {"nas": (a_nas(vm=0), a_nas(
        name="two", host="two.lan", datasets=("tank",))), "claims": (BY_PATH,)}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "changes", "weight"), [one[1:] for one in ON_HOSTS], ids=[one[0] for one in ON_HOSTS])
def test_a_nas_on_the_hosts_whose_backups_it_holds(text: str, changes: dict[str, Any], weight: Weight) -> None:
    assert [one.weight for one in found("nas-on-its-hosts", text, **changes)] == [weight]


@pytest.mark.parametrize(("text", "changes"), [one[1:] for one in NOT_ON_HOSTS], ids=[one[0] for one in NOT_ON_HOSTS])
def test_a_nas_that_no_rebuild_takes_away(text: str, changes: dict[str, Any]) -> None:
    assert found("nas-on-its-hosts", text, **changes) == []


def test_the_host_is_named_where_proxmox_said_so() -> None:
    house = a_given(nas=(a_nas(),), claims=(ON_NAS,)).house
    (one,) = nas_on_its_hosts.RULE.find(Given(house, 0.0, {"nas": "pve-3"}))
    assert "VM 105 on host pve-3" in one.what
    assert "qm start 105" in one.todo


STORE = """---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: vault, annotations: {ks: secrets/store}}
spec: {provider: PROVIDER}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: notes, namespace: apps}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: vault}
  target: {name: notes-volsync-secret, template: {data: {RESTIC_PASSWORD: "{{ .RESTIC_PASSWORD }}"}}}
  dataFrom: [{extract: {key: restic}}]
---
apiVersion: external-secrets.io/v1
kind: ClusterExternalSecret
metadata: {name: settings}
spec:
  externalSecretSpec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}, target: {name: cluster-secrets}}
"""
CONNECT = STORE.replace("PROVIDER", "{onepassword: {connectHost: 'http://connect.secrets.svc.cluster.local:8080'}}")
BAO = STORE.replace("PROVIDER", "{vault: {server: 'http://openbao.secrets.svc:8200'}}")
AWS = STORE.replace("PROVIDER", "{aws: {service: SecretsManager}}")
OUTSIDE = STORE.replace("PROVIDER", "{onepassword: {connectHost: 'http://10.0.0.7:8080'}}")
SERVER = release("connect", "connect", namespace="secrets", ks="secrets/connect")
LONGHORN = release("longhorn", "longhorn", namespace="storage", ks="storage/longhorn")
FILLED = "{postBuild: {substituteFrom: [{kind: Secret, name: cluster-secrets}]}}"
WAITS = kustomization("storage/longhorn", "{dependsOn: [{name: store, namespace: secrets}]}")

GATED: list[tuple[str, str, str]] = [
    ("by the store", CONNECT + LONGHORN + WAITS, "storage/longhorn (by its dependsOn, for secrets/store)"),
    ("by what the store asks", CONNECT + SERVER + LONGHORN
     + kustomization("storage/longhorn", "{dependsOn: [{name: connect, namespace: secrets}]}"), "for secrets/connect"),
    ("by one between", CONNECT + LONGHORN + kustomization("storage/longhorn", "{dependsOn: [{name: middle}]}")
     + kustomization("storage/middle", "{dependsOn: [{name: store, namespace: secrets}]}"), "for secrets/store"),
    ("by its variables", CONNECT + LONGHORN + kustomization("storage/longhorn", FILLED), "for Secret cluster-secrets"),
    ("by its release", CONNECT + SERVER + release("longhorn", "longhorn", namespace="storage", ks="storage/longhorn",
     more="dependsOn: [{name: connect, namespace: secrets}]"), "for HelmRelease secrets/connect"),
    ("by its values", CONNECT + release("longhorn", "longhorn", namespace="apps", ks="storage/longhorn",
     more="valuesFrom: [{kind: Secret, name: notes-volsync-secret}]"), "which holds its values"),
    ("of a vault in the cluster", BAO + LONGHORN + WAITS, "storage/longhorn"),
    ("of a cloud's", AWS + LONGHORN + WAITS, "storage/longhorn"),
    ("of classes alone", CONNECT + """---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast, annotations: {ks: storage/longhorn}}
""" + WAITS, "storage/longhorn"),
]  # fmt: skip
NOT_GATED: list[tuple[str, str, dict[str, Any]]] = [
    ("an application that waits", CONNECT + release("web", "app-template", ks="apps/web")
     + kustomization("apps/web", "{dependsOn: [{name: store, namespace: secrets}]}"), {}),
    ("storage that waits for another of the name", CONNECT + LONGHORN
     + kustomization("storage/longhorn", "{dependsOn: [{name: store}]}"), {}),
    ("variables that may be absent", CONNECT + LONGHORN + kustomization("storage/longhorn", FILLED.replace(
        "cluster-secrets", "cluster-secrets, optional: true")), {}),
    ("variables that the bootstrap puts first", CONNECT + LONGHORN + kustomization("storage/longhorn", FILLED),
     {"secrets": (BootstrapSecret("storage", "cluster-secrets", (("A", FILE),)),)}),
    ("variables of another Secret", CONNECT + LONGHORN
     + kustomization("storage/longhorn", FILLED.replace("cluster-", "other-")), {}),
    ("a store outside", OUTSIDE + LONGHORN + WAITS, {}),
    ("the comment that says so", CONNECT + LONGHORN + kustomization("storage/longhorn") + "# dependsOn: [{name: store}]\n", {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), [one[1:] for one in GATED], ids=[one[0] for one in GATED])
def test_storage_that_waits_for_a_store(text: str, told: str) -> None:
    (one,) = found("secrets-gate-storage", text)
    assert one.weight is Weight.PARADOX
    assert told in one.what


@pytest.mark.parametrize(("between", "gated"), [("secrets/connect", True), ("secrets/other", False)])
def test_storage_that_the_helmfile_installs_after_a_store(between: str, gated: bool) -> None:
    releases = (
        a_release("secrets", "connect"), a_release("secrets", "other"), a_release("secrets", "store", between),
        a_release("storage", "longhorn", "secrets/store"),
    )  # fmt: skip
    findings = found("secrets-gate-storage", CONNECT, releases=releases)
    told = "release storage/longhorn (by its needs, for release secrets/connect)"
    assert [told in one.what for one in findings] == [True] * gated


@pytest.mark.parametrize(("text", "changes"), [one[1:] for one in NOT_GATED], ids=[one[0] for one in NOT_GATED])
def test_storage_that_waits_for_none(text: str, changes: dict[str, Any]) -> None:
    assert found("secrets-gate-storage", text, **changes) == []


IN_CLOUD: list[tuple[str, str, dict[str, Any], str, Weight]] = [
    ("the age key", "", {"age_key": CLOUD}, "the age key", Weight.PARADOX),
    ("a password of backups", "", {"claims": (a_claim("notes", password=CLOUD),)}, "passwords of backups", Weight.PARADOX),
    ("a Secret put first", "", {"secrets": (BootstrapSecret("secrets", "connect", (("token", CLOUD),)),)},
     "token of Secret secrets/connect", Weight.PARADOX),
    ("what movers open with", CONNECT, {}, "ClusterSecretStore vault", Weight.PARADOX),
    ("what movers open with, of a cloud itself", AWS, {}, "ClusterSecretStore vault", Weight.PARADOX),
    ("applications' secrets, with the backups' kept", CONNECT, {"claims": (a_claim("notes", password=FILE, environment=()),)},
     "ClusterSecretStore vault", Weight.RISK),
]  # fmt: skip


@pytest.mark.parametrize(("text", "changes", "subject", "weight"), [one[1:] for one in IN_CLOUD], ids=[one[0] for one in IN_CLOUD])
def test_a_key_that_only_a_cloud_has(text: str, changes: dict[str, Any], subject: str, weight: Weight) -> None:
    assert [(one.subject, one.weight) for one in found("keys-in-the-cloud", text, **changes)] == [(subject, weight)]


@pytest.mark.parametrize("text", ["KOPIA_PASSWORD", "KOPIA_FS_PASSWORD"])
def test_a_key_of_kopias_that_only_the_cluster_has(text: str) -> None:
    inside = BAO.replace("RESTIC_PASSWORD", text)
    assert [one.weight for one in found("keys-inside", inside)] == [Weight.PARADOX]
    restic = a_claim("notes", password=FILE, environment=(), repository_secret="notes-own")
    assert len(found("keys-inside", inside, claims=(restic,))) == 1, "a file has another engine's password"
    own = replace(restic, engine="kopia", identity="a@b:/data")
    assert found("keys-inside", inside, claims=(), kopia=(own,)) == []


def test_a_key_that_only_the_cluster_has() -> None:
    (one,) = found("keys-inside", BAO)
    assert (one.subject, one.weight) == ("ClusterSecretStore vault", Weight.PARADOX)
    assert found("keys-inside", BAO, claims=(a_claim("notes", password=FILE, environment=()),)) == [], "a file has it too"
    assert found("keys-inside", CONNECT) == [], "the cloud has it too"
    assert found("keys-inside", BAO.replace("RESTIC_PASSWORD", "TOKEN"), claims=()) == [], "it opens no backup"


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", {"age_key": BOTH}), ("", {"age_key": FILE}), ("", {"age_key": TYPED}), (BAO, {}), (OUTSIDE, {}),
        (CONNECT.partition("---\napiVersion: external-secrets.io/v1\nkind: ExternalSecret")[0], {}),
    ],
    ids=["one more source", "a file", "typed by a person", "a vault of the house", "Connect outside", "a store of nothing"],
)  # fmt: skip
def test_a_key_that_is_elsewhere_too(text: str, changes: dict[str, Any]) -> None:
    assert found("keys-in-the-cloud", text, **changes) == []
