"""Rules about what bites in a rebuild and stops none: deleted records, ordered certificates, claims, versions, and tags."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.lint.beyond import beyond_admission
from cluster.lint.finding import Weight
from cluster.lint.given import Given
from cluster.lint.lint import RULES, lint
from house.data.releases import is_release
from house.known.inventory import CERTIFICATES_FILE
from house.repository.talconfigs.machine import MachineSetting, Tells
from house.values.afterwards import Kit
from tests.builders import a_house, a_release, an_app
from tests.cluster.lint.made import BY_NAME, NOW, a_given, found, kustomization, objects_of, release

RAW_DNS = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: dns, namespace: network}
spec: {template: {spec: {containers: [{image: "registry.k8s.io/external-dns/external-dns:v0.18.0", args: ARGS}]}}}
"""
DELETES = [
    ("by its values", release("dns", "external-dns", "{policy: sync}"), "policy: upsert-only"),
    ("by an argument", release("dns", "external-dns", "{extraArgs: ['--policy=sync', '--x']}"),
     '- "--x"\n      - "--policy=upsert-only"'),
    ("by an argument over its values", release("dns", "external-dns", "{policy: upsert-only, extraArgs: {policy: sync}}"),
     "upsert-only"),
    ("of a workload, told", RAW_DNS.replace("ARGS", "['--policy=sync']"), "--policy=upsert-only"),
    ("of a workload, untold", RAW_DNS.replace("ARGS", "['--source=service']"), "--policy=upsert-only"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "patch"), [one[1:] for one in DELETES], ids=[one[0] for one in DELETES])
def test_an_external_dns_that_deletes_is_told_with_its_patch(text: str, patch: str) -> None:
    (one,) = found("external-dns-deletes", text)
    assert (one.weight, one.beyond_admission) == (Weight.RISK, True)
    assert patch in one.patch


@pytest.mark.parametrize(
    "text",
    [
        release("dns", "external-dns"), release("dns", "external-dns", "{policy: upsert-only} # policy: sync"),
        release("dns", "external-dns", "{policy: sync, dryRun: true}"), RAW_DNS.replace("ARGS", "['--policy', 'upsert-only']"),
        RAW_DNS.replace("ARGS", "['--policy=sync', '--dry-run']"), release("dns", "external-dns-webhook", "{policy: sync}"),
        release("dns", "external-dns", "{policy: sync, extraArgs: ['--policy=create-only']}"),
    ],
)  # fmt: skip
def test_an_external_dns_that_deletes_nothing(text: str) -> None:
    assert found("external-dns-deletes", text) == []


def test_values_that_git_does_not_show_are_no_verdict() -> None:
    (one,) = found("external-dns-deletes", release("dns", "external-dns", more="valuesFrom: [{kind: Secret, name: hidden}]"))
    assert one.weight is Weight.UNKNOWN


def test_one_that_owns_nothing_deletes_others() -> None:
    (one,) = found("external-dns-deletes", release("dns", "external-dns", "{policy: sync, registry: noop}"))
    assert "never its own" in one.what


ISSUER = """---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: le}
spec: {acme: {server: "https://acme-v02.api.letsencrypt.org/directory", solvers: [{dns01: {cloudflare: {}}}]}}
"""
CERTIFICATE = """---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: NAME}
spec: {secretName: NAME-tls, issuerRef: {kind: ClusterIssuer, name: le}, dnsNames: [a.house.net]}
"""
KEPT = """---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: vault}
spec: {provider: {aws: {}}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: a}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}, target: {name: a-tls}}
"""
ANNOTATED = """---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a, annotations: {cert-manager.io/cluster-issuer: le}}
spec: {}
"""


def test_certificates_that_are_kept_are_not_ordered_anew(tmp_path: Path) -> None:
    kept = {"settings_file": tmp_path / "blackstart.yaml", "kit": Kit(certificates=True)}
    assert len(found("certificates-anew", ISSUER + CERTIFICATE.replace("NAME", "a"), **kept)) == 1, "wanted, and not kept yet"
    (tmp_path / CERTIFICATES_FILE).touch()
    assert found("certificates-anew", ISSUER + CERTIFICATE.replace("NAME", "a"), **kept) == []


def test_certificates_that_are_ordered_anew() -> None:
    (one,) = found("certificates-anew", ISSUER + CERTIFICATE.replace("NAME", "a"))
    assert (one.weight, one.beyond_admission) == (Weight.NOTE, True)
    assert "orders 1 certificate anew" in one.what
    (twice,) = found("certificates-anew", ISSUER + CERTIFICATE.replace("NAME", "a") + CERTIFICATE.replace("NAME", "b"))
    assert (twice.weight, "2 rebuilds" in twice.why) == (Weight.RISK, True), "the same names count together"
    assert len(found("certificates-anew", ISSUER + ANNOTATED)) == 1


@pytest.mark.parametrize(
    "text",
    [
        ISSUER, CERTIFICATE, ISSUER.replace("acme-v02", "acme-staging-v02") + CERTIFICATE,
        ISSUER + KEPT + CERTIFICATE.replace("NAME", "a"),
        ISSUER + CERTIFICATE.replace("kind: ClusterIssuer, name", "name"),
        ISSUER.replace("acme: {server", "ca: {secretName") + CERTIFICATE,
    ],
    ids=["none", "of nobody", "of staging", "put back", "of another issuer of the name", "of an authority of the house"],
)  # fmt: skip
def test_certificates_that_cost_nothing(text: str) -> None:
    assert found("certificates-anew", text) == []


def test_names_that_are_proven_over_http() -> None:
    assert len(found("certificates-before-names", ISSUER.replace("dns01: {cloudflare", "http01: {ingress"))) == 1
    assert found("certificates-before-names", ISSUER) == []


CLAIM = """---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce]}
"""
ROLLS = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {STRATEGY template: {spec: {volumes: [{persistentVolumeClaim: {claimName: data}}]}}}
"""
VALUES = "{controllers: {web: {CONTROLLER}}, persistence: {data: {PERSISTENCE}}}"


def template(controller: str, persistence: str = "existingClaim: data", chart: str = "app-template") -> str:
    values = VALUES.replace("CONTROLLER", controller).replace("PERSISTENCE", persistence)
    return CLAIM + release("web", chart, values)


@pytest.mark.parametrize(
    "text",
    [
        CLAIM + ROLLS.replace("STRATEGY", ""), CLAIM + ROLLS.replace("STRATEGY", "strategy: {type: RollingUpdate},"),
        template("strategy: RollingUpdate"), template("strategy: RollingUpdate", "accessMode: ReadWriteOnce, size: 1Gi"),
        template("strategy: RollingUpdate", "existingClaim: data, advancedMounts: {web: {app: []}}"),
    ],
)  # fmt: skip
def test_a_claim_of_one_node_under_a_rolling_update(text: str) -> None:
    (one,) = found("rwo-under-rolling-update", text)
    assert "Recreate" in one.patch


@pytest.mark.parametrize(
    "text",
    [
        CLAIM + ROLLS.replace("STRATEGY", "strategy: {type: Recreate},"),
        CLAIM + ROLLS.replace("STRATEGY", "strategy: {rollingUpdate: {maxSurge: 0}},"),
        CLAIM.replace("Once", "Many") + ROLLS.replace("STRATEGY", ""),
        CLAIM.replace("data", "other") + ROLLS.replace("STRATEGY", ""),
        CLAIM.replace("name: data", "name: data, namespace: other") + ROLLS.replace("STRATEGY", ""),
        template(""), template("strategy: RollingUpdate", "type: emptyDir"), template("strategy: RollingUpdate, enabled: false"),
        template("strategy: RollingUpdate", "existingClaim: data, advancedMounts: {other: {app: []}}"),
        template("strategy: RollingUpdate", "existingClaim: data, enabled: false"),
        template("strategy: RollingUpdate", chart="other"),
        template("strategy: RollingUpdate, type: statefulset"), template("strategy: RollingUpdate, rollingUpdate: {surge: 0}"),
    ],
)  # fmt: skip
def test_a_claim_that_does_not_wait_for_itself(text: str) -> None:
    assert found("rwo-under-rolling-update", text) == []


def an_object(api: str, kind: str) -> str:
    return f"---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\n"


def at(version: str, *serves: str) -> dict[str, Any]:
    house = a_house()
    told = tuple(MachineSetting(Tells.SERVES, one, "p.yaml:1") for one in serves)
    return {"cluster": replace(house.cluster, kubernetes_version=version), "machine": told}


ALPHA, MUTATING = "admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicy"
CRD = """---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.house.net}
spec: {group: house.net, names: {kind: Thing}, versions: [{name: v1, served: true}, {name: v1beta1, served: false}]}
"""


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (an_object("policy/v1beta1", "PodDisruptionBudget"), at("v1.33.4")), (an_object(ALPHA, MUTATING), at("v1.33.4")),
        (an_object(ALPHA, MUTATING), at("v1.33.4", f"{ALPHA}=false")), (an_object(ALPHA, MUTATING), at("v1.31.0", f"{ALPHA}=true")),
        (an_object("admissionregistration.k8s.io/v1", MUTATING), at("v1.33.4")),
        (an_object("networking.k8s.io/v1beta1", "IPAddress"), at("v1.33.4")),
        (an_object("resource.k8s.io/v1", "DeviceClass"), at("v1.33.4")),
        (CRD + an_object("house.net/v1beta1", "Thing"), at("v1.33.4")),
    ],
)  # fmt: skip
def test_a_kind_that_the_target_does_not_serve(text: str, changes: dict[str, Any]) -> None:
    assert [one.weight for one in found("api-not-served", text, **changes)] == [Weight.RISK]


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (an_object("policy/v1beta1", "PodDisruptionBudget"), at("v1.24.1")),
        (an_object(ALPHA, MUTATING), at("v1.33.4", f"{ALPHA}=true")),
        (an_object(ALPHA, MUTATING), at("v1.33.4", "api/all=true")), (an_object(ALPHA, MUTATING), at("v1.33.4", "api/alpha=true")),
        (an_object("admissionregistration.k8s.io/v1", MUTATING), at("v1.36.1")), (an_object("batch/v1", "CronJob"), at("v1.33.4")),
        (CRD + an_object("house.net/v1", "Thing"), at("v1.33.4")), (an_object("house.net/v1alpha1", "Other"), at("v1.33.4")),
        ("# apiVersion: policy/v1beta1\n" + an_object("policy/v1", "PodDisruptionBudget"), at("v1.33.4")),
    ],
)  # fmt: skip
def test_a_kind_that_it_serves(text: str, changes: dict[str, Any]) -> None:
    assert found("api-not-served", text, **changes) == []


SPEGEL = release("spegel", "spegel")


@pytest.mark.parametrize(
    ("image", "told"),
    [("ghcr.io/me/web:1", 1), (f"ghcr.io/me/web:1@sha256:{'a' * 64}", 0), ("ghcr.io/me/web:${TAG}", 0)],
)
def test_a_tag_behind_a_mirror(image: str, told: int) -> None:
    web = release("web", "app-template", f"{{controllers: {{web: {{containers: {{app: {{image: '{image}'}}}}}}}}}}")
    assert len(found("tag-behind-a-mirror", SPEGEL + web)) == told
    assert found("tag-behind-a-mirror", web) == [], "no mirror, no matter"


def test_an_image_in_parts_is_put_together() -> None:
    parts = "{image: {repository: ghcr.io/me/web, tag: 1.0, digest: 'sha256:abc'}}"
    assert found("tag-behind-a-mirror", SPEGEL + release("web", "other", parts)) == []
    (one,) = found("tag-behind-a-mirror", SPEGEL + release("web", "other", parts.replace(", digest: 'sha256:abc'", "")))
    assert "ghcr.io/me/web:1.0" in one.what


@pytest.mark.parametrize(("extra", "kept"), [
    ("{policy: sync, txt-owner-id: oak}", '- "--txt-owner-id=oak"'), ("['--policy', sync, '--x']", '- "--x"'),
    ("['--policy', upsert-only, '--policy', sync]", '- "--policy=upsert-only"'),
])  # fmt: skip
def test_the_patch_of_an_external_dns_keeps_its_other_arguments_and_says_the_policy_once(extra: str, kept: str) -> None:
    (one,) = found("external-dns-deletes", release("dns", "external-dns", f"{{extraArgs: {extra}}}"))
    lines = [line.strip() for line in one.patch.splitlines() if line.startswith("      - ")]
    assert kept in lines and [line for line in lines if "policy" in line or "sync" in line] == ['- "--policy=upsert-only"']


@pytest.mark.parametrize(
    "text",
    [
        release("dns", "external-dns", "{policy: '${POLICY}'}"),
        release("dns", "external-dns", "{policy: upsert-only, extraArgs: ['--policy=${POLICY}']}"),
        release("dns", "external-dns", "{extraArgs: {policy: '${POLICY}'}}"), RAW_DNS.replace("ARGS", "['--policy=${POLICY}']"),
    ],
)  # fmt: skip
def test_a_policy_in_a_variable_is_no_verdict(text: str) -> None:
    (one,) = found("external-dns-deletes", text)
    assert one.weight is Weight.UNKNOWN


CONSOLE = """---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: NAME}
endpoints: [{addresses: [10.0.0.51]}]
"""


def test_a_console_behind_the_cluster() -> None:
    (one,) = found("console-behind-the-cluster", CONSOLE.replace("NAME", "kvm-pve1"))
    assert (one.weight, "10.0.0.51" in one.what) == (Weight.NOTE, True)
    assert found("console-behind-the-cluster", CONSOLE.replace("NAME", "kvmd-exporter")) == []
    assert found("console-behind-the-cluster", CONSOLE.replace("NAME", "printer")) == []


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (".renovaterc.json5", '{extends: ["config:recommended", ":automergeDigest"]}', "merges some"),
        (".github/renovate.json5", "{automerge: true}", "merges some"), ("renovate.json", '{"automerge": false}', "proposes"),
        ("renovate.json5", "{\n  // automerge: true\n}", "proposes"), ("notes.json", '{"automerge": true}', ""),
    ],
)  # fmt: skip
def test_renovate_is_told_by_a_line(tmp_path: Path, file: str, text: str, told: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert [told in one.what for one in found("renovate-merges", root=tmp_path)] == ([True] if told else [])


def test_a_file_of_renovate_that_cannot_be_read_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "renovate.json").write_text('{"automerge": true, "more": "than is read of any file"}')
    monkeypatch.setattr("engine.files.content.LARGEST", 10)
    (one,) = found("renovate-merges", root=tmp_path)
    assert (one.weight, "renovate.json cannot be read" in one.what) == (Weight.UNKNOWN, True)


def test_what_a_preset_elsewhere_lets_renovate_do_is_not_denied(tmp_path: Path) -> None:
    (tmp_path / "renovate.json").write_text('{"extends": ["github>somebody/presets"]}')
    (one,) = found("renovate-merges", root=tmp_path)
    assert "merges nothing" not in one.what


def test_what_is_suspended_in_git_bites_nobody() -> None:
    dns = release("dns", "external-dns", "{policy: sync}", ks="network/dns")
    asleep = an_app("dns", namespace="network", suspended=True)
    assert len(found("external-dns-deletes", dns + kustomization("network/dns"))) == 1
    assert found("external-dns-deletes", dns, flux_apps=(asleep,)) == []
    below = (replace(asleep, name="all"), an_app("dns", namespace="network", parent="network/all"))
    assert found("external-dns-deletes", dns, flux_apps=below) == []
    assert found("external-dns-deletes", release("dns", "external-dns", "{policy: sync}", more="suspend: true")) == []


def test_each_rule_has_a_name_of_its_own_and_a_question() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.asks.endswith("?") for rule in RULES)
    assert BY_NAME.keys() == {rule.name for rule in RULES}


def test_the_heaviest_comes_first_and_what_no_hold_reaches_is_told_apart() -> None:
    given = a_given(release("dns", "external-dns", "{policy: sync}") + SPEGEL)
    assert [one.rule for one in lint(given)] == ["mirror-inside", "external-dns-deletes"]
    assert [one.rule for one in beyond_admission(given)] == ["external-dns-deletes"]
    assert lint(Given(a_house(), NOW)) == ()
    assert is_release(objects_of(SPEGEL)[0])


def test_the_page_for_people_has_every_rule() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "lint.md").read_text()
    assert [rule.name for rule in RULES] == [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]


def test_a_release_of_the_helmfile_is_read_with_its_values(tmp_path: Path) -> None:
    (tmp_path / "dns.yaml").write_text("policy: sync\n")
    helmfile = tmp_path / "helmfile.yaml"
    changes = {"helmfile": helmfile, "root": tmp_path, "releases": (a_release("network", "external-dns"),)}
    head = "releases:\n  - {name: other, namespace: network}\n  - name: external-dns\n    namespace: network\n"
    helmfile.write_text(f"{head}    values: [./dns.yaml]\n")
    (one,) = found("external-dns-deletes", **changes)
    assert (one.weight, one.declared_in) == (Weight.RISK, "helmfile.yaml:3")
    helmfile.write_text(f"{head}    values: [./dns.yaml, {{policy: upsert-only}}]\n")
    assert found("external-dns-deletes", **changes) == []
    helmfile.write_text(f"{head}    values: [./values.yaml.gotmpl]\n")
    (one,) = found("external-dns-deletes", **changes)
    assert one.weight is Weight.UNKNOWN


def test_a_chart_of_another_kind_says_its_strategy_in_the_usual_words() -> None:
    values = "{server: {strategy: {type: RollingUpdate}, persistence: {existingClaim: data}}}"
    (one,) = found("rwo-under-rolling-update", CLAIM + release("web", "other", values))
    assert one.patch.splitlines()[-2] == "        type: Recreate"
    for near in (values.replace("RollingUpdate", "Recreate"), values.replace("existingClaim", "enabled: false, existingClaim")):
        assert found("rwo-under-rolling-update", CLAIM + release("web", "other", near)) == []
