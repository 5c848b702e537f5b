"""The simulated scheduler: puts pods on nodes with room for them once their claims are bound, and says why it does not."""

from __future__ import annotations

from functools import partial

from lab.parts.cache import Caches
from lab.parts.events import warn
from lab.parts.journal import WriteJournal
from lab.parts.knobs import Knobs
from lab.parts.kube import CLAIMS, NODES, PODS, STORAGE_CLASSES, Kube, Object
from lab.parts.loop import Loop
from lab.parts.pods.fitting import IN_ONE_POD, UNBOUND, is_over, objections, told, without_claim
from lab.parts.pods.podstatus import stamp

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
            node, why = self._choose(pod)
            if node is None:
                self._refuse(pod, why)
            elif self._claims_ready(pod, node):
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

    def _choose(self, pod: Object) -> tuple[str | None, str]:
        """The node that the pod goes to, or None and why it goes nowhere."""
        nodes, pods = self._nodes.all(), self._pods.all()
        reasons = [objections(pod, node, pods) for node in nodes]
        if self._in_another_pod(pod, pods):
            reasons = [reason or [IN_ONE_POD] for reason in reasons]
        fitting = [n["metadata"]["name"] for n, reason in zip(nodes, reasons, strict=True) if not reason]
        return (fitting[self._turn % len(fitting)], "") if fitting else (None, told(reasons))

    def _in_another_pod(self, pod: Object, pods: list[Object]) -> bool:
        """Whether a claim that only one pod may use is used by another, that has a node and has not ended."""
        meta = pod["metadata"]
        alone = {name for name in claim_names(pod) if self._is_for_one_pod(name, meta["namespace"])}
        return any(
            alone.intersection(claim_names(other))
            for other in pods
            if alone
            and other["metadata"]["namespace"] == meta["namespace"]
            and other["metadata"]["uid"] != meta["uid"]
            and other["spec"].get("nodeName")
            and not is_over(other)
        )

    def _is_for_one_pod(self, name: str, namespace: str) -> bool:
        claim = self._claims.get(name, namespace)
        return claim is not None and "ReadWriteOncePod" in (claim["spec"].get("accessModes") or [])

    def _refuse(self, pod: Object, why: str) -> None:
        """Say once why the pod has no node, as a condition and as an event."""
        meta = pod["metadata"]
        said: Object = next((c for c in (pod.get("status") or {}).get("conditions") or [] if c["type"] == "PodScheduled"), {})
        if said.get("message") == why:
            return
        condition = {
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why, "lastTransitionTime": stamp(),
        }  # fmt: skip
        rest = [c for c in (pod.get("status") or {}).get("conditions") or [] if c["type"] != "PodScheduled"]
        change: Object = {"status": {"conditions": [*rest, condition]}}
        if self.tried("refuse", lambda: self._pods.put(self.kube.patch(PODS, pod, change, "status"))):
            self._journal.wrote("scheduler", "refuse", f"pod {meta['namespace']}/{meta['name']}")
            self.tried("tell", lambda: warn(self.kube, pod, "default-scheduler", "FailedScheduling", why))

    def _claims_ready(self, pod: Object, node: str) -> bool:
        ready = True
        for name in claim_names(pod):
            claim = self._claims.get(name, pod["metadata"]["namespace"])
            if claim is None:
                self._refuse(pod, without_claim(f'persistentvolumeclaim "{name}" not found', len(self._nodes.all())))
                ready = False
                continue
            if claim.get("status", {}).get("phase") == "Bound":
                continue
            ready = False  # a pod whose claim still waits for its populator must stay Pending
            if not self._waits_for_consumer(claim):
                self._refuse(pod, without_claim(UNBOUND, len(self._nodes.all())))
            elif SELECTED_NODE not in claim["metadata"].get("annotations", {}):
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
