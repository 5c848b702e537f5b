"""What NetworkPolicies let one pod reach, as the simulated kubelet obeys them: concrete addresses and ports. Starts nothing.

Only what leaves a pod is looked at. A rule for everything is obeyed; of blocks only those of a single address are, and rules by
labels or names of pods let nothing through, since no pod of the lab serves on an address of its own: a fence is never weaker
here than it was declared.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from lab.parts.kube import Object, Resource

POLICIES = Resource("/apis/networking.k8s.io/v1", "networkpolicies")
Openings = tuple[tuple[str, int], ...]


def openings(policies: Iterable[Object], pod: Object) -> Openings | None:
    """Address and TCP port of each way out that is left to this pod; None where no policy of its namespace fences it in."""
    labels = pod["metadata"].get("labels") or {}
    selecting = [p["spec"] for p in policies if _egress(p["spec"]) and matches(p["spec"].get("podSelector") or {}, labels)]
    if not selecting:
        return None
    found: list[tuple[str, int]] = []
    for rule in (rule for spec in selecting for rule in spec.get("egress") or []):
        peers, ports = rule.get("to") or [], rule.get("ports") or []
        if not peers and not ports:
            return None
        blocks = [ipaddress.ip_network(peer["ipBlock"]["cidr"]) for peer in peers if "ipBlock" in peer]
        found += [
            (str(block.network_address), int(port["port"]))
            for block in blocks if block.num_addresses == 1
            for port in ports if port.get("protocol", "TCP") == "TCP" and isinstance(port.get("port"), int)
        ]  # fmt: skip
    return tuple(dict.fromkeys(found))


def _egress(spec: Object) -> bool:
    """Whether the policy is about what leaves: as its types say, or by having rules for it where it names no types."""
    types = spec.get("policyTypes")
    return "Egress" in types if types else "egress" in spec


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether these labels are selected."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(wanted, labels) for wanted in selector.get("matchExpressions") or [])


def _holds(wanted: Object, labels: Mapping[str, str]) -> bool:
    there, values = wanted["key"] in labels, wanted.get("values") or []
    chosen = there and labels[wanted["key"]] in values
    answers = {"In": chosen, "NotIn": not chosen, "Exists": there, "DoesNotExist": not there}
    return answers[wanted["operator"]]
