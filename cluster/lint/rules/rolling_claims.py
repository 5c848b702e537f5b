"""Deployments that start a second Pod beside the first on a volume that one node alone may have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.inside import sections
from cluster.lint.pods import pod_of
from cluster.lint.programs import Program
from house.files.shapes import mapping, sequence
from house.flux.rendered import RenderedObject

NAME = "rwo-under-rolling-update"
_ONE = ("ReadWriteOnce", "ReadWriteOncePod")


def _find(given: Given) -> Iterator[Finding]:
    modes = _modes(given)
    for one in given.objects("apps", "Deployment"):
        strategy = mapping(one.spec.get("strategy"))
        if strategy.get("type", "RollingUpdate") == "RollingUpdate" and _surges(strategy) and one.spec.get("replicas") != 0:
            for claim in _claims_of(one):
                if _alone(modes.get((one.namespace, claim))):
                    patch = "spec:\n  strategy:\n    type: Recreate"
                    yield _finding(f"Deployment {one.namespace}/{one.name}", claim, one.declared_in, patch)
    for program in given.programs:
        yield from _of_values(program, modes) if program.app_template else _of_chart(program, modes)


def _modes(given: Given) -> dict[tuple[str, str], list[str]]:
    """Access modes of every claim that Git declares."""
    claims = given.objects("", "PersistentVolumeClaim")
    return {(one.namespace, one.name): [str(mode) for mode in sequence(one.spec.get("accessModes"))] for one in claims}


def _alone(modes: list[str] | None) -> bool:
    return bool(modes) and all(mode in _ONE for mode in modes or ())


def _surges(strategy: dict[str, Any]) -> bool:
    """Whether a new Pod may stand beside the old one: not with a surge of none."""
    surge = mapping(strategy.get("rollingUpdate")).get("maxSurge", "25%")
    return str(surge) not in ("0", "0%")


def _claims_of(one: RenderedObject) -> Iterator[str]:
    for volume in map(mapping, sequence(pod_of(one).get("volumes"))):
        claim = mapping(volume.get("persistentVolumeClaim"))
        if claim.get("claimName") and claim.get("readOnly") is not True:
            yield str(claim["claimName"])


def _of_values(program: Program, modes: dict[tuple[str, str], list[str]]) -> Iterator[Finding]:
    """The app-template: Recreate unless a controller says otherwise; a claim is every controller's, or those that it names."""
    for key, controller in mapping(program.at("controllers")).items():
        told = mapping(controller)
        if told.get("enabled") is False or told.get("replicas") == 0 or str(told.get("type") or "deployment") != "deployment":
            continue
        surge = {"rollingUpdate": {"maxSurge": mapping(told.get("rollingUpdate")).get("surge", "25%")}}
        if told.get("strategy") != "RollingUpdate" or not _surges(surge):
            continue
        for name, item in mapping(program.at("persistence")).items():
            claim = mapping(item)
            if claim.get("enabled") is False or str(claim.get("type") or "persistentVolumeClaim") != "persistentVolumeClaim":
                continue
            if claim.get("advancedMounts") and key not in mapping(claim.get("advancedMounts")):
                continue
            existing = str(claim.get("existingClaim") or "")
            own = [str(claim.get("accessMode") or "")] if not existing and claim.get("accessMode") else None
            if _alone(modes.get((program.namespace, existing)) if existing else own):
                patch = f"spec:\n  values:\n    controllers:\n      {key}:\n        strategy: Recreate"
                yield _finding(program.told, existing or str(name), program.declared_in, patch)


def _of_chart(program: Program, modes: dict[tuple[str, str], list[str]]) -> Iterator[Finding]:
    """Other charts, where their values say so in the usual words: a Deployment's strategy with a claim beside it."""
    for path, section in sections(program.values):
        for key in ("strategy", "deploymentStrategy"):
            strategy = mapping(section.get(key))
            claim = mapping(section.get("persistence"))
            if strategy.get("type") != "RollingUpdate" or not _surges(strategy) or claim.get("enabled") is False:
                continue
            existing = str(claim.get("existingClaim") or "")
            own = [str(mode) for mode in (*sequence(claim.get("accessModes")), claim.get("accessMode")) if mode]
            if _alone(modes.get((program.namespace, existing)) if existing else own):
                lines = [f"{'  ' * depth}{step}:" for depth, step in enumerate(("spec", "values", *path, key))]
                patch = "\n".join([*lines, f"{'  ' * len(lines)}type: Recreate", f"{'  ' * len(lines)}rollingUpdate: null"])
                yield _finding(program.told, existing or f"{program.name}'s own", program.declared_in, patch)


def _finding(subject: str, claim: str, where: str, patch: str) -> Finding:
    return Finding(
        NAME, Weight.RISK, subject, f"{subject} rolls over on claim {claim}, which one node alone may have", where,
        "the new Pod waits on another node for a volume that the old one holds, and after the loss of a node for one that nobody "
        "gives back: the restored application does not come up by itself",
        "let the old Pod go first", patch,
    )  # fmt: skip


RULE = Rule(NAME, "Which Deployment would wait for a volume that its own old Pod holds?", _find)
