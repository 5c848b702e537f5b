"""The simulated scheduler: puts pods on nodes once all their claims are bound. Knows taints and selectors, no resources."""

from __future__ import annotations

from functools import partial

from lab.parts.cache import Caches
from lab.parts.journal import WriteJournal
from lab.parts.knobs import Knobs
from lab.parts.kube import CLAIMS, NODES, PODS, STORAGE_CLASSES, Kube, Object
from lab.parts.loop import Loop

SELECTED_NODE = "volume.kubernetes.io/selected-node"


class Scheduler(Loop):
    """Binds each pod without a node to the first node that fits, in turn."""

    def __init__(self, kube: Kube, caches: Caches, knobs: Knobs, journal: WriteJournal) -> None:
        super().__init__("scheduler", kube, caches)
        self._knobs = knobs
        self._journal = journal
        self._pods = self.cache(PODS)
        self._nodes = self.cache(NODES)
        self._claims = self.cache(CLAIMS)
        self._classes = self.cache(STORAGE_CLASSES)
        self._turn = 0

    def step(self) -> None:
        """Look at every pod that waits for a node."""
        if self._knobs.scheduler_off:
            return
        for pod in self._pods.all():
            meta = pod["metadata"]
            if pod["spec"].get("nodeName") or meta.get("deletionTimestamp") or pod["spec"].get("schedulingGates"):
                continue
            node = self._choose(pod)
            if node is not None and self._claims_ready(pod, node):
                self._bind(pod, node)

    def _bind(self, pod: Object, node: str) -> None:
        meta = pod["metadata"]
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        binding: Object = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "target": target,
        }
        if self.tried("bind", lambda: self.kube.create(PODS, binding, "binding", meta["name"])):
            self._turn += 1
            self._pods.put({**pod, "spec": {**pod["spec"], "nodeName": node}})
            self._journal.wrote("scheduler", f"bind to {node}", f"pod {meta['namespace']}/{meta['name']}")

    def _choose(self, pod: Object) -> str | None:
        fitting = [n["metadata"]["name"] for n in self._nodes.all() if fits(pod, n)]
        return fitting[self._turn % len(fitting)] if fitting else None

    def _claims_ready(self, pod: Object, node: str) -> bool:
        ready = True
        for name in claim_names(pod):
            claim = self._claims.get(name, pod["metadata"]["namespace"])
            if claim is None:
                ready = False
                continue
            if claim.get("status", {}).get("phase") == "Bound":
                continue
            ready = False  # a pod whose claim still waits for its populator must stay Pending
            if self._waits_for_consumer(claim) and SELECTED_NODE not in claim["metadata"].get("annotations", {}):
                change = {"metadata": {"annotations": {SELECTED_NODE: node}}}
                if self.tried("select node", partial(self.kube.patch, CLAIMS, claim, change)):
                    self._journal.wrote("scheduler", f"select {node}", f"claim {claim['metadata']['namespace']}/{name}")
        return ready

    def _waits_for_consumer(self, claim: Object) -> bool:
        storage = self._classes.get(claim["spec"].get("storageClassName") or "")
        return storage is not None and storage.get("volumeBindingMode") == "WaitForFirstConsumer"


def claim_names(pod: Object) -> list[str]:
    """The claims that a pod mounts, also those made for it alone (ephemeral volumes)."""
    names = []
    for volume in pod["spec"].get("volumes") or []:
        if "persistentVolumeClaim" in volume:
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            names.append(f"{pod['metadata']['name']}-{volume['name']}")
    return names


def fits(pod: Object, node: Object) -> bool:
    """Whether the pod may go to the node: cordon, taints, nodeSelector, required node affinity."""
    spec = pod["spec"]
    tolerations = spec.get("tolerations") or []
    taints = node["spec"].get("taints") or []
    if any(
        t["effect"] in ("NoSchedule", "NoExecute") and not any(_tolerates(x, t) for x in tolerations) for t in taints
    ):
        return False
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
