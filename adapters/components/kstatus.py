"""How far an object is, by the rules of kstatus (sigs.k8s.io/cli-utils/pkg/kstatus/status). Pure: reads one object.

In its order: being deleted, a generation that nobody has observed, the conditions Reconciling and Stalled, the rules of Kubernetes'
own kinds, the condition Ready, and at last: what has nothing to say is current.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from adapters.components.results import Status
from adapters.kubernetes.objects import Obj, condition, dig, number, text

Answer = tuple[Status, str]
CURRENT: Answer = (Status.CURRENT, "")
_NO_DEADLINE = 2**31 - 1


def status_of(obj: Obj) -> Answer:
    """The status, and why it is not current."""
    if text(obj, "metadata", "deletionTimestamp"):
        return Status.TERMINATING, "it is being deleted"
    generation, observed = number(obj, "metadata", "generation"), dig(obj, "status", "observedGeneration")
    if isinstance(observed, int) and observed != generation:
        return Status.IN_PROGRESS, f"generation {generation} is wanted, and {observed} was observed"
    if _is(obj, "Stalled", "True"):
        return Status.FAILED, _why(obj, "Stalled")
    if _is(obj, "Reconciling", "True"):
        return Status.IN_PROGRESS, _why(obj, "Reconciling")
    group, _, _ = text(obj, "apiVersion").rpartition("/")
    rule = _RULES.get((group, text(obj, "kind")))
    return rule(obj) if rule is not None else _by_ready(obj)


def _by_ready(obj: Obj) -> Answer:
    ready = condition(obj, "Ready")
    said = text(ready, "status")
    if said in ("False", "Unknown"):
        return Status.IN_PROGRESS, _why(obj, "Ready") or f"Ready is {said}"
    return CURRENT


def _deployment(obj: Obj) -> Answer:
    if text(condition(obj, "Progressing"), "reason") == "ProgressDeadlineExceeded":
        return Status.FAILED, _why(obj, "Progressing")
    wanted = _replicas(obj)
    found = [number(obj, "status", key) for key in ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")]
    there, updated, available, ready = found
    if there < wanted or updated < wanted:
        return Status.IN_PROGRESS, f"{min(there, updated)} of {wanted} pods are of its newest template"
    if there > updated:
        return Status.IN_PROGRESS, f"{there - updated} pods of an older template are there yet"
    if available < updated or ready < wanted:
        return Status.IN_PROGRESS, f"{min(available, ready)} of {wanted} pods are available"
    rolled = text(condition(obj, "Progressing"), "reason") == "NewReplicaSetAvailable" or not _has_deadline(obj)
    for known, kind in ((rolled, "Progressing"), (_is(obj, "Available", "True"), "Available")):
        if not known:
            return Status.IN_PROGRESS, _why(obj, kind) or f"it says nothing of {kind}"
    return CURRENT


def _stateful_set(obj: Obj) -> Answer:
    if text(obj, "spec", "updateStrategy", "type") == "OnDelete":
        return CURRENT
    wanted = _replicas(obj)
    there, ready = number(obj, "status", "replicas"), number(obj, "status", "readyReplicas")
    if there < wanted or ready < wanted:
        return Status.IN_PROGRESS, f"{min(there, ready)} of {wanted} pods are ready"
    if there > wanted:
        return Status.IN_PROGRESS, f"{there - wanted} pods more than {wanted} are there yet"
    rolling = dig(obj, "spec", "updateStrategy", "rollingUpdate", "partition")
    if isinstance(rolling, int):
        updated = number(obj, "status", "updatedReplicas")
        done = updated >= wanted - rolling
        return CURRENT if done else (Status.IN_PROGRESS, f"{updated} of {wanted - rolling} pods are of its newest template")
    if text(obj, "status", "currentRevision") != text(obj, "status", "updateRevision"):
        return Status.IN_PROGRESS, "not all of its pods are of its newest template"
    return CURRENT


def _daemon_set(obj: Obj) -> Answer:
    wanted = dig(obj, "status", "desiredNumberScheduled")
    if not isinstance(wanted, int):
        return Status.IN_PROGRESS, "nobody has said yet on how many nodes it belongs"
    told = (("currentNumberScheduled", "there"), ("updatedNumberScheduled", "of its newest template"),
            ("numberAvailable", "available"), ("numberReady", "ready"))  # fmt: skip
    for key, words in told:
        if number(obj, "status", key) < wanted:
            return Status.IN_PROGRESS, f"{number(obj, 'status', key)} of {wanted} pods are {words}"
    return CURRENT


def _replica_set(obj: Obj) -> Answer:
    wanted = _replicas(obj)
    ready = min(number(obj, "status", key) for key in ("replicas", "availableReplicas", "readyReplicas"))
    return CURRENT if ready >= wanted else (Status.IN_PROGRESS, f"{ready} of {wanted} pods are ready")


def _pod(obj: Obj) -> Answer:
    phase = text(obj, "status", "phase")
    if phase == "Succeeded" or (phase == "Running" and _is(obj, "Ready", "True")):
        return CURRENT
    if phase == "Failed":
        return Status.FAILED, text(obj, "status", "message") or "it has failed"
    return Status.IN_PROGRESS, _why(obj, "Ready") or f"it is {phase or 'not looked at yet'}"


def _job(obj: Obj) -> Answer:
    if _is(obj, "Failed", "True"):
        return Status.FAILED, _why(obj, "Failed")
    if _is(obj, "Complete", "True") or text(obj, "status", "startTime"):
        return CURRENT
    return Status.IN_PROGRESS, "it has not begun"


def _claim(obj: Obj) -> Answer:
    phase = text(obj, "status", "phase")
    return CURRENT if phase == "Bound" else (Status.IN_PROGRESS, f"it is {phase or 'not bound'}")


def _definition(obj: Obj) -> Answer:
    if _is(obj, "NamesAccepted", "False"):
        return Status.FAILED, _why(obj, "NamesAccepted")
    return CURRENT if _is(obj, "Established", "True") else (Status.IN_PROGRESS, _why(obj, "Established") or "it is not established")


def _service(obj: Obj) -> Answer:
    waits = text(obj, "spec", "type") == "LoadBalancer" and not text(obj, "spec", "clusterIP")
    return (Status.IN_PROGRESS, "it has no cluster address yet") if waits else CURRENT


def _disruption_budget(obj: Obj) -> Answer:
    wanted, healthy = number(obj, "status", "desiredHealthy"), number(obj, "status", "currentHealthy")
    return CURRENT if healthy >= wanted else (Status.IN_PROGRESS, f"{healthy} of {wanted} pods are healthy")


def _has_deadline(obj: Obj) -> bool:
    """Without one nobody says whether a rollout has come to its end."""
    return number(obj, "spec", "progressDeadlineSeconds") not in (0, _NO_DEADLINE)


def _replicas(obj: Obj) -> int:
    wanted = dig(obj, "spec", "replicas")
    return wanted if isinstance(wanted, int) else 1


def _is(obj: Obj, kind: str, said: str) -> bool:
    return text(condition(obj, kind), "status") == said


def _why(obj: Obj, kind: str) -> str:
    found = condition(obj, kind)
    return ": ".join(part for part in (text(found, "reason"), text(found, "message")) if part)


_RULES: Mapping[tuple[str, str], Callable[[Obj], Answer]] = MappingProxyType({
    ("apps", "Deployment"): _deployment, ("apps", "StatefulSet"): _stateful_set, ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set, ("", "Pod"): _pod, ("batch", "Job"): _job, ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service, ("policy", "PodDisruptionBudget"): _disruption_budget,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
})  # fmt: skip
