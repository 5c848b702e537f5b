"""A Given of objects that are written as YAML: what Flux would apply, without building anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cluster.lint.finding import Finding
from cluster.lint.given import Given
from cluster.lint.lint import RULES
from house.declared.kinds import declared_kinds
from house.files import yamlfile
from house.files.shapes import mapping
from house.flux.objects import in_no_namespace
from house.flux.rendered import Rendered, RenderedObject
from house.model import House
from tests.builders import a_house

NOW = 1_800_000_000.0
BY_NAME = {rule.name: rule for rule in RULES}


def objects_of(text: str) -> tuple[RenderedObject, ...]:
    """The objects of a text. One without a namespace is in `apps`; the annotation `ks` names its Kustomization."""
    found = []
    for document in yamlfile.parse(text, "all.yaml"):
        body: dict[str, Any] = mapping(document.value)
        metadata = mapping(body.get("metadata"))
        api, kind = str(body.get("apiVersion")), str(body.get("kind"))
        alone = in_no_namespace(api.rpartition("/")[0], kind) or (kind.startswith("Cluster") and kind != "Cluster")
        namespace = str(metadata.get("namespace") or ("" if alone else "apps"))
        by = str(mapping(metadata.get("annotations")).get("ks") or "flux-system/apps")
        found.append(RenderedObject(api, kind, namespace, str(metadata.get("name")), body, by, "all.yaml", document.spot.line))
    return tuple(found)


def a_given(text: str = "", **changes: Any) -> Given:
    """The sample house with these objects and changes."""
    house: House = a_house()
    house = replace(house, **changes)
    rendered = Rendered(objects_of(text))
    return Given(replace(house, rendered=rendered, kinds=declared_kinds(rendered, ())), NOW)


def found(rule: str, text: str = "", **changes: Any) -> list[Finding]:
    """What one rule finds."""
    return list(BY_NAME[rule].find(a_given(text, **changes)))


def release(
    name: str, chart: str, values: str = "{}", *, namespace: str = "apps", more: str = "", ks: str = "flux-system/apps"
) -> str:
    """A HelmRelease; `values` in flow form."""
    return f"""---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: {namespace}, annotations: {{ks: {ks}}}}}
spec:
  {more}
  chart: {{spec: {{chart: {chart}}}}}
  values: {values}
"""


def balancer(name: str, address: str, port: int = 80, kind: str = "LoadBalancer") -> str:
    """A Service that answers outside of the cluster."""
    return f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}, annotations: {{lbipam.cilium.io/ips: {address}}}}}
spec: {{type: {kind}, ports: [{{port: {port}}}]}}
"""


def route(name: str, host: str, kind: str = "HTTPRoute") -> str:
    """A route of the cluster's gateway."""
    return f"""---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {name}}}
spec: {{hostnames: ["{host}"]}}
"""


def kustomization(key: str, spec: str = "{}") -> str:
    """A Flux Kustomization."""
    namespace, _, name = key.partition("/")
    return f"""---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""
