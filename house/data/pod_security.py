"""What Pod Security would say of a mover, by what Git says of its namespace and of the mover. Knows no cluster and no lint.

From VolSync's own pods: a privileged mover is root with capabilities; any other has what `moverSecurityContext` says of its
pod, and a container without capabilities and escalation. Only the level `restricted` refuses one of those; our pods that read a
volume are like the mover's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from house.files.shapes import mapping
from house.flux.rendered import Rendered, RenderedObject

GROUP = "volsync.backube"
ENFORCE = "pod-security.kubernetes.io/enforce"
PRIVILEGED = "volsync.backube/privileged-movers"
_SECCOMP = ("RuntimeDefault", "Localhost")


@dataclass(frozen=True)
class RefusedMover:
    """A mover (`Kind namespace/name`) whose pod is refused, why, where it is declared, and what to write instead."""

    namespace: str
    name: str
    kind: str
    why: str
    declared_in: str
    todo: str
    patch: str = ""

    @property
    def told(self) -> str:
        """As a person names it."""
        return f"{self.kind} {self.namespace}/{self.name}"


def refused_movers(rendered: Rendered) -> Iterator[RefusedMover]:
    """Every source and destination whose namespace is declared with a level at which its pods cannot start."""
    spaces = {one.name: mapping(one.body.get("metadata")) for one in rendered.of_kind("", "Namespace")}
    for one in rendered.of_kind(GROUP, "ReplicationSource", "ReplicationDestination"):
        space = spaces.get(one.namespace)
        if space is None or mapping(space.get("labels")).get(ENFORCE) != "restricted":
            continue
        privileged = str(mapping(space.get("annotations")).get(PRIVILEGED)).lower() == "true"
        for engine in ("restic", "kopia"):
            if engine in one.spec and (found := _refused(one, engine, privileged=privileged)) is not None:
                yield found


def _refused(one: RenderedObject, engine: str, *, privileged: bool) -> RefusedMover | None:
    if privileged:
        why = f"Namespace {one.namespace} enforces restricted, and marks its movers as privileged: root with capabilities"
        todo = f"in Git: {ENFORCE}: baseline for that namespace, or take {PRIVILEGED} away"
        return RefusedMover(one.namespace, one.name, one.kind, why, one.declared_in, todo)
    lacks = [field for field, there in _wanted(mapping(mapping(one.spec.get(engine)).get("moverSecurityContext"))) if not there]
    if not lacks:
        return None
    why = f"Namespace {one.namespace} enforces restricted, and its moverSecurityContext lacks {', '.join(lacks)}"
    lines = "runAsNonRoot: true", "runAsUser: 1000", "seccompProfile:", "  type: RuntimeDefault"
    patch = "\n".join(("spec:", f"  {engine}:", "    moverSecurityContext:", *(f"      {line}" for line in lines)))
    todo = "let the mover run as its application's own user"
    return RefusedMover(one.namespace, one.name, one.kind, why, one.declared_in, todo, patch)


def _wanted(security: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """What restricted asks of a pod whose containers say nothing of it, and whether it is there."""
    yield "runAsNonRoot: true", security.get("runAsNonRoot") is True
    yield "a runAsUser other than 0", "runAsUser" not in security or str(security["runAsUser"]) != "0"
    yield "a seccompProfile of RuntimeDefault", mapping(security.get("seccompProfile")).get("type") in _SECCOMP
