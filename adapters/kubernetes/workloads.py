"""Which workloads use a claim, out of their pod templates. Knows no HTTP."""

from __future__ import annotations

import re

from adapters.kubernetes.kinds import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Kind
from adapters.kubernetes.objects import Obj, dig, name_of, namespace_of, number, rows, text
from adapters.kubernetes.results import Workload

RESTING = "blackstart/replicas"
"""Annotation: how many replicas a workload had before a restore stopped it."""

KINDS: tuple[Kind, ...] = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)


def uses(kind: Kind, obj: Obj, claim: str) -> bool:
    """Whether the pods of this workload mount the claim."""
    volumes = rows(obj, "spec", "template", "spec", "volumes")
    if any(text(v, "persistentVolumeClaim", "claimName") == claim for v in volumes):
        return True
    templates = [name_of(t) for t in rows(obj, "spec", "volumeClaimTemplates")] if kind is STATEFUL_SET else []
    # A StatefulSet's claims are called <template>-<set>-<ordinal>.
    return any(re.fullmatch(re.escape(f"{t}-{name_of(obj)}-") + r"\d+", claim) for t in templates)


def workload(kind: Kind, obj: Obj) -> Workload:
    """How many pods are wanted and ready."""
    if kind is DAEMON_SET:
        wanted, ready = number(obj, "status", "desiredNumberScheduled"), number(obj, "status", "numberReady")
    else:
        replicas = dig(obj, "spec", "replicas")
        wanted = replicas if isinstance(replicas, int) else 1
        ready = number(obj, "status", "readyReplicas")
    if number(obj, "status", "observedGeneration") < number(obj, "metadata", "generation"):
        # The controller has not seen the newest spec: what it counted belongs to an older one.
        ready = 0
    before = text(obj, "metadata", "annotations", RESTING)
    return Workload(kind.name, namespace_of(obj), name_of(obj), wanted, ready, int(before) if before.isdigit() else None)
