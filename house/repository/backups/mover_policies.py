"""The admission policies of a house that mount something into VolSync's movers, as Git shows them. Knows no cluster.

A mover without its mount finds an empty folder in its place, makes a repository there and restores nothing, successfully.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from house.files.shapes import mapping, sequence
from house.flux.rendered import Rendered

KIND = "MutatingAdmissionPolicy"
BINDING = "MutatingAdmissionPolicyBinding"
_MOUNT = re.compile(r"""\bmountPath:\s*["']([^"']+)["']|["']mountPath["']\s*:\s*["']([^"']+)["']""")


@dataclass(frozen=True)
class MoverPolicy:
    """One policy and one place that it mounts something at. `bindings` are the API versions of what binds it, none for unbound."""

    name: str
    api: str
    mount: str
    bindings: tuple[str, ...]
    declared_in: str

    def gives(self, path: str) -> bool:
        """Whether this path lies on what it mounts."""
        return path == self.mount or path.startswith(f"{self.mount.rstrip('/')}/")


def mover_policies(rendered: Rendered) -> tuple[MoverPolicy, ...]:
    """Every policy that names VolSync and mounts something, in the order of the graph."""
    found = []
    for one in rendered.objects:
        if one.kind != KIND or "volsync" not in str(one.spec):
            continue
        bound = [b.api for b in rendered.objects if b.kind == BINDING and mapping(b.spec).get("policyName") == one.name]
        mounts: dict[str, None] = {}
        for mutation in sequence(one.spec.get("mutations")):
            for patch in ("jsonPatch", "applyConfiguration"):
                expression = str(mapping(mapping(mutation).get(patch)).get("expression") or "")
                mounts.update(dict.fromkeys(a or b for a, b in _MOUNT.findall(expression)))
        found += [MoverPolicy(one.name, one.api, mount, tuple(dict.fromkeys(bound)), one.declared_in) for mount in mounts]
    return tuple(found)
