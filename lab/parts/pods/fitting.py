"""Whether a pod may go to a node, and what the scheduler says of it: cordon, taints, selectors, requests. Knows no API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction

from lab.parts.kube import Object

# What kube-scheduler 1.36 says, word for word; the first three no preemption can help.
CORDONED = "node(s) were unschedulable"
TAINTED = "node(s) had untolerated taint(s)"
SELECTED_OTHERS = "node(s) didn't match Pod's node affinity/selector"
IN_ONE_POD = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
_HOPELESS = frozenset({CORDONED, TAINTED, SELECTED_OTHERS})
_UNITS: dict[str, Fraction | int] = {
    "m": Fraction(1, 1000), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip
_CORDON = {"key": "node.kubernetes.io/unschedulable", "value": "", "effect": "NoSchedule"}


def objections(pod: Object, node: Object, others: Iterable[Object]) -> list[str]:
    """Why the pod can't go to the node, in the scheduler's words; empty when it can. `others` are all pods there are."""
    spec = pod["spec"]
    tolerations = spec.get("tolerations") or []
    if node["spec"].get("unschedulable") and not any(_tolerates(x, _CORDON) for x in tolerations):
        return [CORDONED]
    taints = [t for t in node["spec"].get("taints") or [] if t["effect"] in ("NoSchedule", "NoExecute")]
    if not all(any(_tolerates(x, taint) for x in tolerations) for taint in taints):
        return [TAINTED]
    if not _selected(spec, node):
        return [SELECTED_OTHERS]
    return _lacking(pod, node, [o for o in others if o["spec"].get("nodeName") == node["metadata"]["name"] and not is_over(o)])


def without_claim(what: str, nodes: int) -> str:
    """The scheduler's message about a pod whose claim is not as it must be."""
    available = f"0/{nodes} nodes are available"
    return f"{available}: {what}. preemption: {available}: {nodes} Preemption is not helpful for scheduling."


def told(reasons: list[list[str]]) -> str:
    """The scheduler's message about a pod that fits nowhere, of the objections of every node."""
    nodes = len(reasons)
    counted = Counter(reason for node in reasons for reason in node)
    why = ", ".join(sorted(f"{number} {reason}" for reason, number in counted.items()))
    hopeless = sum(not _HOPELESS.isdisjoint(node) for node in reasons)
    helps = {"No preemption victims found for incoming pod": nodes - hopeless, "Preemption is not helpful for scheduling": hopeless}
    tried = ", ".join(sorted(f"{number} {reason}" for reason, number in helps.items() if number))
    available = f"0/{nodes} nodes are available"
    return f"{available}: {why}. preemption: {available}: {tried}." if nodes else "no nodes available to schedule pods"


def is_over(pod: Object) -> bool:
    """Whether the pod has ended: it asks for nothing and uses nothing any more."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def requests(pod: Object) -> dict[str, Fraction]:
    """What the pod asks for, by resource: its containers together, or its largest init container where that is more."""
    spec = pod["spec"]
    asked: dict[str, Fraction] = {}
    for container in spec["containers"]:
        for name, amount in _requests(container).items():
            asked[name] = asked.get(name, Fraction(0)) + amount
    for container in spec.get("initContainers") or []:
        for name, amount in _requests(container).items():
            asked[name] = max(asked.get(name, Fraction(0)), amount)
    for name, text in (spec.get("overhead") or {}).items():
        asked[name] = asked.get(name, Fraction(0)) + quantity(text)
    return asked


def quantity(text: str) -> Fraction:
    """A quantity as Kubernetes writes it (`500m`, `1Gi`, `1e3`, `2`). ValueError for what is none."""
    unit = next((u for u in ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "m", "k", "M", "G", "T", "P", "E") if text.endswith(u)), "")
    return Fraction(text.removesuffix(unit)) * _UNITS.get(unit, 1)


def _requests(container: Object) -> dict[str, Fraction]:
    asked = (container.get("resources") or {}).get("requests") or {}
    return {name: quantity(str(text)) for name, text in asked.items()}


def _lacking(pod: Object, node: Object, here: list[Object]) -> list[str]:
    has: Mapping[str, str] = (node.get("status") or {}).get("allocatable") or {}
    found = ["Too many pods"] if "pods" in has and len(here) + 1 > quantity(has["pods"]) else []
    used: dict[str, Fraction] = {}
    for other in here:
        for name, amount in requests(other).items():
            used[name] = used.get(name, Fraction(0)) + amount
    for name, amount in requests(pod).items():
        if amount and amount > quantity(str(has.get(name, "0"))) - used.get(name, 0):
            found.append(f"Insufficient {name}")
    return found


def _selected(spec: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(k) != v for k, v in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    fields = {"metadata.name": node["metadata"]["name"]}
    return any(
        all(_matches(e, labels) for e in term.get("matchExpressions") or [])
        and all(_matches(e, fields) for e in term.get("matchFields") or [])
        for term in required["nodeSelectorTerms"]
    )


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if not toleration.get("key"):
        return bool(toleration.get("operator") == "Exists")
    if toleration["key"] != taint["key"]:
        return False
    return bool(toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", ""))


def _matches(expression: Object, values: dict[str, str]) -> bool:
    key, operator, wanted = expression["key"], expression["operator"], expression.get("values") or []
    match operator:
        case "In":
            return values.get(key) in wanted
        case "NotIn":
            return values.get(key) not in wanted
        case "Exists":
            return key in values
        case "DoesNotExist":
            return key not in values
    return False  # Gt, Lt: nothing in the lab's houses compares numbers
