"""API versions in Git that the Kubernetes of talconfig does not serve: Flux refuses the whole Kustomization for one.

Source: since Kubernetes 1.24 a new beta is off, as an alpha always was, until an API server is told to serve it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from engine.text.words import number
from house.declared.kinds import DeclaredKind, Kind, gone_since, is_own
from house.repository.talconfigs.machine import Tells

NAME = "api-not-served"
_SINCE: Mapping[tuple[str, str], int] = {
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"): 30,
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"): 30,
    ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy"): 36,
    ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicyBinding"): 36,
    ("flowcontrol.apiserver.k8s.io/v1", ""): 29,
    ("networking.k8s.io/v1", "IPAddress"): 33, ("networking.k8s.io/v1", "ServiceCIDR"): 33,
    ("resource.k8s.io/v1", ""): 34, ("storage.k8s.io/v1", "VolumeAttributesClass"): 34,
}  # fmt: skip
"""Kinds (of all, "") of a stable version, and the minor of Kubernetes 1 that has them first."""
_ALPHA_SINCE: Mapping[str, int] = {"MutatingAdmissionPolicy": 32, "MutatingAdmissionPolicyBinding": 32}
_PRE = re.compile(r"v\d+(alpha|beta)\d+")
_MINOR = re.compile(r"v?1\.(\d+)")


def _find(given: Given) -> Iterator[Finding]:
    version = given.house.cluster.kubernetes_version
    found = _MINOR.match(version)
    if found is None:
        return
    minor, serving = int(found[1]), _serving(given)
    brought = {(kind.group, kind.name): kind for kind in given.house.kinds.brought}
    there = {(one.api, one.kind) for one in given.rendered.objects}
    for declared in given.house.kinds.declared:
        kind = declared.kind
        if (kind.api, kind.name) not in there:
            continue  # all of it is suspended
        if is_own(kind):
            why, todo = _wrong(kind, minor, serving)
            if why:
                yield _finding(declared, version, why, todo)
        elif kind not in given.house.kinds.brought and (other := brought.get((kind.group, kind.name))) is not None:
            why = f"the definition in Git serves {other.api} and not {kind.api}"
            yield _finding(declared, version, why, f"write {other.api}, or bring a definition that serves both")


def _serving(given: Given) -> set[str]:
    """What API servers are told to serve besides."""
    told = (setting.value for setting in given.house.machine if setting.tells is Tells.SERVES)
    return {name for name, _, value in (text.partition("=") for text in told) if value in ("", "true", "1")}


def _wrong(kind: Kind, minor: int, serving: set[str]) -> tuple[str, str]:
    """Why this Kubernetes has no such kind, and what to do; two empty texts where it has."""
    group, _, version = kind.api.rpartition("/")
    gone = gone_since(kind)
    if gone and minor >= gone:
        return f"Kubernetes took {kind.api} of {kind.name} away in 1.{gone}", "write the version that is served now"
    since = _SINCE.get((kind.api, kind.name)) or _SINCE.get((kind.api, ""), 0)
    if minor < since:
        return f"Kubernetes has {kind.name} of {kind.api} since 1.{since}", "write an earlier version, or upgrade first"
    stage = _PRE.fullmatch(version)
    if stage is None or gone:
        return "", ""
    if minor < _ALPHA_SINCE.get(kind.name, 0):
        return f"Kubernetes has {kind.name} since 1.{_ALPHA_SINCE[kind.name]}", "upgrade first"
    if serving & {kind.api, f"{group}/{version}/{kind.name}", f"api/{stage[1]}", "api/all"}:
        return "", ""
    key = f"{kind.api}=true"
    todo = f"patch `cluster.apiServer.extraArgs.runtime-config: {key}` into talconfig, with its feature gate"
    return f"an API server serves {kind.api} only where it is told to", f"{todo}, or write a stable version"


def _finding(declared: DeclaredKind, version: str, why: str, todo: str) -> Finding:
    count = f" ({number(declared.count, 'object')} in all)" if declared.count > 1 else ""
    return Finding(
        NAME, Weight.RISK, str(declared.kind), f"Kubernetes {version} does not serve {declared.kind}: {why}{count}",
        declared.declared_in,
        f"Flux applies nothing of Kustomization {declared.kustomization}, which an older cluster may never have shown", todo,
    )  # fmt: skip


RULE = Rule(NAME, "Which objects of Git does the Kubernetes that is built not know?", _find)
