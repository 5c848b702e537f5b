"""The lab's own house, built with the real kustomize: nothing is found in it, and what is planted into its tree is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cluster.lint.finding import Weight
from cluster.lint.lint import RULES
from lab.houses.nouns import NAS_VM
from tests.cluster.lint.planted import BLOCK, Tree, balancer, four_nodes, release, route


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return four_nodes(tmp_path_factory.mktemp("clean"))


@pytest.fixture
def tree(clean: Tree, tmp_path: Path) -> Tree:
    """A copy to plant something into."""
    shutil.copytree(clean.root, tmp_path / "house")
    return Tree(tmp_path / "house")


def test_nothing_is_found_in_the_house_as_it_is(clean: Tree) -> None:
    assert clean.findings() == ()


STORE = """---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: onepassword}
spec: {provider: {onepassword: {connectHost: "http://connect.secrets.svc.cluster.local:8080"}}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: web}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: onepassword}, dataFrom: [{extract: {key: web}}]}
"""
BAO = STORE.replace("onepassword: {connectHost:", "vault: {server:").replace("onepassword", "bao")
KEYS = 'target: {name: notes-volsync-secret, template: {data: {RESTIC_PASSWORD: "{{ .x }}"}}}, dataFrom: [{extract: {key: web}}]'
OLD = "---\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: old}\n"
CONSOLE = """---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kvm-pve1}
addressType: IPv4
endpoints: [{addresses: [10.0.0.51]}]
"""
ISSUER = """---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: le}
spec: {acme: {server: "https://acme-v02.api.letsencrypt.org/directory", solvers: [{http01: {ingress: {}}}]}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: one}
spec: {secretName: one-tls, issuerRef: {kind: ClusterIssuer, name: le}, dnsNames: [one.house.net]}
"""
WEB = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  strategy: {type: Recreate}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "registry.house.net/web:1"}]}}
"""
NAS = f"""nas:
  nas:
    url: wss://nas.house.net
    fingerprint: "{":".join(["AB"] * 32)}"
    username: blackstart
    api_key: file:secrets/nas-key
    vm: {NAS_VM}
    also: ["{BLOCK.store}"]
"""


def plant(tree: Tree) -> None:
    """Everything at once, each thing where a house would have it."""
    tree.app("secrets", "store", STORE)
    tree.app("secrets", "bao", BAO.replace("name: web}", "name: keys}").replace("dataFrom: [{extract: {key: web}}]", KEYS))
    waits = "  dependsOn:\n"
    more = f"{waits}    - {{name: store, namespace: secrets}}\n"
    tree.swap("home-ops/kubernetes/apps/volsync-system/volsync/ks.yaml", waits, more)
    tree.swap("blackstart.yaml", "age_key: file:secrets/age.key", "age_key: op://home/age/key")
    tree.swap("blackstart.yaml", "  password: file:secrets/restic-password", "  password: env:RESTIC_PASSWORD")
    tree.swap("blackstart.yaml", "\nlimits:", f"{NAS}\nlimits:")
    tree.app("network", "adguard", balancer("adguard", "10.0.0.53", 53))
    tree.app("network", "chrony", balancer("chrony", "10.0.0.123", 123))
    tree.patch("machine:\n  network: {nameservers: [10.0.0.53]}\n  time: {servers: [10.0.0.123]}\n")
    tree.app("network", "spegel", release("spegel", "spegel"))
    tree.app("network", "git", balancer("forgejo", f"{BLOCK.servers}") + route("nas", "nas.house.net"))
    tree.app("network", "store", balancer("minio", BLOCK.store))
    tree.app("network", "registry", route("registry", "registry.house.net") + WEB)
    tree.app("network", "dns", release("dns", "external-dns", "    policy: sync\n"))
    tree.app("network", "certificates", ISSUER)
    tree.app("network", "consoles", CONSOLE)
    tree.app("network", "alerts", release("stack", "kube-prometheus-stack", "    alertmanager: {enabled: true}\n"))
    tree.swap("home-ops/kubernetes/apps/selfhosted/notes/app/deployment.yaml", "type: Recreate", "type: RollingUpdate")
    restricted = "  labels: {pod-security.kubernetes.io/enforce: restricted}\n  annotations:\n"
    tree.swap("home-ops/kubernetes/components/common/namespace.yaml", "  annotations:\n", restricted)
    tree.app("selfhosted", "old", OLD)
    tree.write("renovate.json", "{}")


def test_each_rule_finds_what_is_planted(tree: Tree) -> None:
    plant(tree)
    findings = tree.findings()
    found = {one.rule: one for one in findings}
    assert {rule.name for rule in RULES} - set(found) == {"credential-ends"}, "the lab's authority is young"
    for one in findings:
        file, _, line = one.declared_in.partition(":")
        assert (tree.clone / file).exists() or (tree.root / file).exists(), one
        assert line.isdecimal() or file.startswith("bootstrap/") or one.rule == "renovate-merges", one
    weights = {one.rule: one.weight for one in reversed(findings)}
    assert [rule for rule, weight in weights.items() if weight is Weight.UNKNOWN] == []


def test_the_same_words_elsewhere_are_no_finding(tree: Tree) -> None:
    """Commented out, not listed, suspended, of another name, of another place."""
    tree.app("network", "dns", f"# policy: sync\n{release('dns', 'external-dns')}")
    tree.app("network", "asleep", release("dns2", "external-dns", "    policy: sync\n") + balancer("adguard", "10.0.0.53", 53),
             spec="  suspend: true\n")  # fmt: skip
    tree.write("kubernetes/apps/network/unlisted/all.yaml", release("spegel", "spegel") + OLD)
    tree.app("network", "web", release("spegel-notes", "app-template", "    controllers: {spegel: {}}\n"))
    tree.app("network", "forgejo", route("git", "git.house.net") + balancer("forgejo", "10.0.0.9"))
    tree.app("network", "bucket", STORE.replace("onepassword: {connectHost:", "webhook: {url:").replace(
        "http://connect.secrets.svc.cluster.local:8080", "https://10.0.0.7"))  # fmt: skip
    tree.patch("# machine: {network: {nameservers: [10.0.0.53]}}\nmachine: {network: {nameservers: [10.0.0.1]}}\n")
    tree.write("docs/kvm.yaml", CONSOLE + ISSUER)
    tree.swap("blackstart.yaml", "age_key: file:secrets/age.key", 'age_key: ["op://home/age/key", "file:secrets/age.key"]')
    assert tree.findings() == ()


def test_what_is_accepted_comes_from_the_settings(tree: Tree) -> None:
    key = "mirror-inside HelmRelease network/spegel"
    tree.swap("blackstart.yaml", "\nlimits:", f'lint:\n  accepted:\n    "{key}": it is fast\nlimits:')
    assert tree.house().lint_accepted == ((key, "it is fast"),)
