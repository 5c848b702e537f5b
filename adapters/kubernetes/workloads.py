"""Which workloads use a claim, out of pod templates and pods that have none, and how each is stopped. Knows no HTTP."""

from __future__ import annotations

import re

from adapters.kubernetes.kinds import CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, POD, REPLICA_SET, STATEFUL_SET, Kind
from adapters.kubernetes.objects import (
    Obj,
    condition,
    dig,
    name_of,
    namespace_of,
    number,
    of_volsync,
    rows,
    table,
    text,
)
from adapters.kubernetes.results import Workload
from house.files.grammar import number_of

RESTING = "blackstart/replicas"
"""Annotation: how many replicas a workload had before a restore stopped it; of one that has none, 1, and 0 where it stood still."""

KINDS: tuple[Kind, ...] = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, CRON_JOB, JOB, POD)
SCALED: tuple[Kind, ...] = (DEPLOYMENT, STATEFUL_SET, REPLICA_SET)
SUSPENDED: tuple[Kind, ...] = (CRON_JOB, JOB)
NOWHERE = "blackstart.invalid/resting"
"""A node label that no node has: a DaemonSet that selects it has no pod."""
BY_FLUX = "kustomize.toolkit.fluxcd.io/name"
_CONTROLLERS = frozenset(kind.name for kind in (*SCALED, DAEMON_SET, JOB))
_ENDED = ("Succeeded", "Failed")
_POD_AT: dict[Kind, tuple[str, ...]] = {CRON_JOB: ("spec", "jobTemplate", "spec", "template", "spec"), POD: ("spec",)}


def uses(kind: Kind, obj: Obj, claim: str) -> bool:
    """Whether the pods of this workload mount the claim, and nothing else that is listed stands for them."""
    if _passing(obj) or _counted_elsewhere(kind, obj) or ended(kind, obj):
        return False
    volumes = rows(obj, *_POD_AT.get(kind, ("spec", "template", "spec")), "volumes")
    if any(text(v, "persistentVolumeClaim", "claimName") == claim for v in volumes):
        return True
    templates = [name_of(t) for t in rows(obj, "spec", "volumeClaimTemplates")] if kind is STATEFUL_SET else []
    # A StatefulSet's claims are called <template>-<set>-<ordinal>.
    return any(re.fullmatch(re.escape(f"{t}-{name_of(obj)}-") + r"\d+", claim) for t in templates)


def workload(kind: Kind, obj: Obj) -> Workload:
    """How many pods are wanted and ready. Of a pod that a controller of an unknown kind runs, that controller."""
    wanted, ready, pods, name = 0, 0, 0, name_of(obj)
    if kind is DAEMON_SET:
        wanted, ready = number(obj, "status", "desiredNumberScheduled"), number(obj, "status", "numberReady")
        pods = number(obj, "status", "currentNumberScheduled") + number(obj, "status", "numberMisscheduled")
    elif kind is POD:
        owner = _controller(obj)
        return Workload(text(owner, "kind") or POD.name, namespace_of(obj), text(owner, "name") or name, 0, 1, pods=1)
    elif kind is JOB:
        ready = pods = number(obj, "status", "active")
    elif kind in SCALED:
        replicas = dig(obj, "spec", "replicas")
        wanted = replicas if isinstance(replicas, int) else 1
        ready, pods = number(obj, "status", "readyReplicas"), number(obj, "status", "replicas")
    if kind not in SUSPENDED and number(obj, "status", "observedGeneration") < number(obj, "metadata", "generation"):
        # The controller has not seen the newest spec: what it counted belongs to an older one.
        ready = 0
    goes_on = kind in SUSPENDED and dig(obj, "spec", "suspend") is not True  # then a note is an old one
    before = "" if goes_on else text(obj, "metadata", "annotations", RESTING)
    return Workload(kind.name, namespace_of(obj), name, wanted, ready, number_of(before), pods)


def at_rest(kind: Kind, seen: Obj) -> tuple[Obj, str]:
    """The spec that stops it, and what RESTING says of how it was."""
    if kind in SUSPENDED:
        return {"suspend": True}, "0" if dig(seen, "spec", "suspend") is True else "1"
    if kind is DAEMON_SET:
        return {"template": {"spec": {"nodeSelector": {NOWHERE: "true"}}}}, "1"
    return {"replicas": 0}, str(workload(kind, seen).wanted)


def awake(kind: Kind, before: int) -> Obj:
    """The spec that gives back what RESTING said."""
    if kind in SUSPENDED:
        return {"suspend": not before}
    return {"template": {"spec": {"nodeSelector": {NOWHERE: None}}}} if kind is DAEMON_SET else {"replicas": before}


def _passing(obj: Obj) -> bool:
    """What VolSync makes for one of its runs, or we for one of ours: no part of any application."""
    return of_volsync(obj) or table(obj, "metadata", "labels").get("app.kubernetes.io/managed-by") == "blackstart"


def _counted_elsewhere(kind: Kind, obj: Obj) -> bool:
    """A Deployment's ReplicaSet, and a pod whose controller is listed by itself. A CronJob's Job goes on when that is suspended."""
    owner = text(_controller(obj), "kind")
    return (kind is REPLICA_SET and owner == DEPLOYMENT.name) or (kind is POD and owner in _CONTROLLERS)


def ended(kind: Kind, obj: Obj) -> bool:
    """Whether this Job or pod has run to its end; what is of another kind never does."""
    if kind is JOB:
        return any(condition(obj, word).get("status") == "True" for word in ("Complete", "Failed"))
    return kind is POD and text(obj, "status", "phase") in _ENDED


def _controller(obj: Obj) -> Obj:
    return next((owner for owner in rows(obj, "metadata", "ownerReferences") if owner.get("controller") is True), {})
