"""A CSI driver by itself: whether the nodes have it. What it makes volumes on says the folder of its system."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.csi.results import CsiLook
from cluster.storage.findings import Finding, Weight, fine


def of_driver(look: CsiLook, name: str) -> Iterator[Finding]:
    """Without it on a node no pod there gets a volume of it; without it anywhere none is made."""
    found = look.driver(name)
    command = "kubectl get csinodes -o yaml"
    away = sorted(set(look.nodes) - set(found.nodes))
    if not found.nodes:
        hint = "look why its pods do not run: a claim that is restored now stays Pending"
        yield Finding("driver", Weight.BLOCKS, f"{name} is on no node", hint=hint, command=command)
    elif away:
        yield Finding("driver", Weight.NOTED, f"{name} is not on {', '.join(away[:5])}", command=command)
    else:
        yield fine("driver", f"{name} is on every node")
