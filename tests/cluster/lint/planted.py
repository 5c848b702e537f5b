"""The lab's house of four nodes as files, without the programs that make it whole; a tree into which a test plants one thing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster.lint.finding import Finding
from cluster.lint.given import Given
from cluster.lint.lint import lint
from house.model import House
from lab.houses.nouns import FOUR_NODES, Block, HouseShape
from lab.houses.repository import TEMPLATE, talconfig
from lab.houses.settings import settings_text
from lab.wire.pki import LabCA
from tests.house.reading import load

BLOCK = Block("127.100.9")
NOW = 1_800_000_000.0
WORDS = {
    "AGE": "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqs3290gq", "AGE_KEY": "no-key-of-anybody",
    "CHARTS": BLOCK.charts, "CA": "/ca.crt", "GIT": BLOCK.git, "BACKUPS": BLOCK.backups, "PREFIX": BLOCK.prefix,
    "RESTIC_PASSWORD": "no-word-of-anybody", "BACKUP_KEY_ID": "no-id-of-anybody", "BACKUP_KEY": "nothing-of-anybody",
}  # fmt: skip
KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


@dataclass(frozen=True)
class Tree:
    """The house's folder: `home-ops` is the clone, beside it the settings."""

    root: Path

    @property
    def clone(self) -> Path:
        return self.root / "home-ops"

    def write(self, path: str, text: str) -> None:
        """A file of the clone."""
        file = self.clone / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def swap(self, path: str, old: str, new: str) -> None:
        """Change a file of the house; the text that is changed must be there."""
        file = self.root / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new))

    def app(self, namespace: str, name: str, objects: str, spec: str = "") -> None:
        """A Kustomization that Flux applies, with these objects; `spec` is more of its own."""
        place = f"kubernetes/apps/{namespace}"
        listed = self.clone / place / "kustomization.yaml"
        if not listed.exists():
            self.write(f"{place}/kustomization.yaml", f"{KUSTOMIZATION}namespace: {namespace}\nresources:\n")
            self.swap("home-ops/kubernetes/apps/kustomization.yaml", "resources:\n", f"resources:\n  - ./{namespace}\n")
        listed.write_text(f"{listed.read_text()}  - ./{name}/ks.yaml\n")
        self.write(f"{place}/{name}/ks.yaml", f"""apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  targetNamespace: {namespace}
  path: ./{place}/{name}/app
  prune: true
  sourceRef: {{kind: GitRepository, name: flux-system, namespace: flux-system}}
{spec}""")
        self.write(f"{place}/{name}/app/kustomization.yaml", f"{KUSTOMIZATION}resources: [./all.yaml]\n")
        self.write(f"{place}/{name}/app/all.yaml", objects)

    def patch(self, text: str) -> None:
        """One more patch of the machines."""
        self.write("talos/patches/global/planted.yaml", text)
        old = '"@./patches/global/machine-kubelet.yaml"\n'
        self.swap("home-ops/talos/talconfig.yaml", old, f'{old}  - "@./patches/global/planted.yaml"\n')

    def house(self) -> House:
        return load(self.root / "blackstart.yaml")

    def findings(self) -> tuple[Finding, ...]:
        return lint(Given(self.house(), NOW))

    def found(self, rule: str) -> list[Finding]:
        """What one rule finds. Whatever else is found is nothing that the clean house has."""
        return [one for one in self.findings() if one.rule == rule]


def four_nodes(root: Path, shape: HouseShape = FOUR_NODES) -> Tree:
    """A new tree."""
    tree = Tree(root)
    shutil.copytree(TEMPLATE, tree.clone)
    pem = LabCA(root / "pki").ca_file.read_text()
    words = {**WORDS, "CA_PEM": "\n".join(f"    {line}" for line in pem.splitlines())}
    for file in tree.clone.rglob("*.yaml"):
        text = file.read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        file.write_text(text)
    tree.write("talos/talconfig.yaml", talconfig(shape, BLOCK))
    tree.write("talos/talsecret.sops.yaml", "sops: {age: []}\n")
    prints = {node.host: ":".join(["AB"] * 32) for node in shape.nodes}
    (root / "blackstart.yaml").write_text(settings_text(shape, BLOCK, prints, "ab" * 32))
    return tree


def release(name: str, chart: str, values: str = "", more: str = "") -> str:
    """A HelmRelease; `values` indented by four."""
    told = f"  values:\n{values}" if values else ""
    return f"""---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}}}
spec:
  interval: 1h
{more}  chart:
    spec:
      chart: {chart}
      sourceRef: {{kind: HelmRepository, name: lab, namespace: flux-system}}
{told}"""


def balancer(name: str, address: str, port: int = 80) -> str:
    """A Service that answers outside of the cluster."""
    return f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}, annotations: {{lbipam.cilium.io/ips: {address}}}}}
spec: {{type: LoadBalancer, ports: [{{port: {port}}}]}}
"""


def route(name: str, host: str, kind: str = "HTTPRoute") -> str:
    """A route of the cluster's gateway."""
    return f"""---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {name}}}
spec: {{hostnames: ["{host}"], parentRefs: [{{name: internal}}], rules: [{{backendRefs: [{{name: {name}, port: 80}}]}}]}}
"""
