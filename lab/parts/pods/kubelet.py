"""The simulated kubelet of one node: registers the node, looks after the pods that are bound to it, serves their logs and
`kubectl exec` into those that run in a sandbox."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path

from lab.parts.cache import Caches
from lab.parts.kube import ATTACHMENTS, NODES, PODS, Kube, Object
from lab.parts.loop import Loop
from lab.parts.plane.pki import Pair, issue
from lab.parts.pods import podstatus
from lab.parts.pods.attached import Attached
from lab.parts.pods.execdoor import Command
from lab.parts.pods.images import program_name, short_name
from lab.parts.pods.logserver import LogServer
from lab.parts.pods.nodes import RENEWED_EVERY_S, NodeSpec, register, renew, report, static_pods
from lab.parts.pods.podspec import NotYet
from lab.parts.pods.podwork import Host, PodWork

_TOGETHER_S = 0.1
"""Pods whose time comes within this are looked at together."""


class Kubelet(Loop):
    """One node's kubelet. Stopping it leaves the pods' processes alone (a simulator that restarts adopts them)."""

    def __init__(
        self, spec: NodeSpec, kube: Kube, caches: Caches, host: Host, authority: Pair, folder: Path,
        left: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        """`left` are programs of pods that the node's last kubelet left running: those that no pod here wants are ended."""
        super().__init__(f"kubelet {spec.name}", kube, caches)
        self.spec = spec
        self._left = left
        self._host = host
        self._pods = self.cache(PODS)
        self._nodes = self.cache(NODES)
        self.cache(ATTACHMENTS)  # a pod that waits for its volume is looked at when that has come
        self._attached = Attached(caches, spec.name)
        self._works: dict[str, PodWork] = {}
        self._wrote: dict[str, str] = {}
        self._seen: dict[str, tuple[Object, float]] = {}
        self._renewed = 0.0
        self._networked = False
        certificate, key = issue(authority, spec.name, addresses=(spec.address,), names=(spec.name,)).write(
            folder, "kubelet"
        )
        (folder / "ca.crt").write_bytes(authority.certificate)
        self._door = LogServer(spec.address, certificate, key, folder / "ca.crt", host.knobs, self._log_of, self._into)

    def start(self) -> None:
        """Open the log door and begin."""
        self._door.start()
        super().start()

    def stop(self) -> None:
        """Close the door and end the loop; the pods' processes go on."""
        super().stop()
        self._door.stop()

    @property
    def programs(self) -> frozenset[str]:
        """Names of what runs for its pods."""
        return frozenset(work.name for work in self._works.values()) | self._left

    def kill_pods(self) -> None:
        """End every process of this node's pods at once, as a power cut does. To be called after `stop`."""
        for name in self.programs:
            self._host.supervisor.stop(name, 0.0)

    def step(self) -> None:
        """Report the node, then look after each of its pods."""
        node = self._nodes.get(self.spec.name) or register(self.kube, self.spec)
        if time.monotonic() - self._renewed >= RENEWED_EVERY_S:
            renew(self.kube, self.spec)
            self._renewed = time.monotonic()
        mine = [p for p in self._pods.all() if p["spec"].get("nodeName") == self.spec.name]
        if report(self.kube, self.spec, node, network=self._has_network(mine)):
            self._host.journal.wrote(self.name, "report", f"node {self.spec.name}")
        for name in self._left - {program_name(pod) for pod in mine}:
            self._host.supervisor.stop(name, 0.0)
        self._left = frozenset()
        self._show_static_pods({p["metadata"]["name"] for p in mine})
        for pod in mine:
            if pod["metadata"].get("deletionTimestamp"):
                self._end(pod)
            elif pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                self._look_after(pod)
        seen = {p["metadata"]["uid"] for p in mine}
        for uid in [u for u in self._works if u not in seen]:
            work = self._works.pop(uid)
            self._wrote.pop(uid, None)
            self._seen.pop(uid, None)
            work.forget()

    def _show_static_pods(self, there: set[str]) -> None:
        for pod in static_pods(self.spec):
            name = pod["metadata"]["name"]
            if name not in there and self._pods.get(name, "kube-system") is None:
                self.tried(f"create {name}", partial(self.kube.create, PODS, pod))

    def _work(self, pod: Object) -> PodWork:
        uid = pod["metadata"]["uid"]
        if uid not in self._works:
            self._works[uid] = PodWork(self.kube, self._host, self._attached, pod, self.spec.address)
        return self._works[uid]

    def _look_after(self, pod: Object) -> None:
        work = self._work(pod)
        seen, due = self._seen.get(work.uid, (None, 0.0))
        left_s = due - time.monotonic()
        # What wakes us is mostly another pod's: one that runs is looked at when it has changed itself, or its time has come.
        if seen is pod and left_s > _TOGETHER_S:
            self.again_in(left_s)
            return
        status = work.advance(pod)
        self.again_in(work.again_s)
        if status is None:
            return
        # Times differ at each look: what counts is whether the pod's state is another than the one written last, or whether
        # somebody else (node-lifecycle, of a node that was away) has said that it is not ready.
        key = _essence(status)
        if self._wrote.get(work.uid) == key and podstatus.is_ready(pod) == podstatus.is_ready({"status": status}):
            if work.runs:
                self._seen[work.uid] = pod, time.monotonic() + work.again_s
            return
        if not self.tried("status", lambda: self._pods.put(self.kube.patch(PODS, pod, {"status": status}, "status"))):
            return
        self._wrote[work.uid] = key
        meta = pod["metadata"]
        ready = "ready" if podstatus.is_ready({"status": status}) else "not ready"
        self._host.journal.wrote(self.name, f"{status['phase']}, {ready}", f"pod {meta['namespace']}/{meta['name']}")

    def _end(self, pod: Object) -> None:
        work = self._work(pod)
        if not work.end():
            self.again_in(work.again_s)
            return
        if self._wrote.get(work.uid) != "deleted" and self.tried(
            "delete", lambda: self.kube.delete(PODS, pod, at_once=True)
        ):
            self._wrote[work.uid] = "deleted"
            meta = pod["metadata"]
            self._host.journal.wrote(self.name, "delete", f"pod {meta['namespace']}/{meta['name']}")

    def _has_network(self, mine: list[Object]) -> bool:
        """Once its agent has put the network's configuration there it stays, whatever becomes of the agent."""
        wanted = self._host.network_images
        self._networked = self._networked or not wanted or any(
            podstatus.is_ready(pod) and any(short_name(c["image"]) in wanted for c in pod["spec"]["containers"])
            for pod in mine
        )
        return self._networked

    def _log_of(self, namespace: str, name: str, container: str) -> Path | None:
        pod = self._pods.get(name, namespace)
        if pod is None or pod["spec"].get("nodeName") != self.spec.name:
            return None
        work = self._works.get(pod["metadata"]["uid"])
        return work.log(container) if work is not None else self._host.supervisor.log(program_name(pod))

    def _into(self, namespace: str, name: str, container: str, words: tuple[str, ...]) -> Command | str:
        pod = self._pods.get(name, namespace)
        work = self._works.get(pod["metadata"]["uid"]) if pod is not None else None
        if pod is None or work is None:
            return f"pod {namespace}/{name} is not on this node"
        try:
            return work.into(pod, container, words)
        except NotYet as refused:
            return f"{refused.reason}: {refused.message}"


def _essence(status: Object) -> str:
    containers = [
        (c["name"], sorted(c["state"]), c["ready"], c["restartCount"], c["state"].get("waiting"))
        for c in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", []))
    ]
    return json.dumps([status["phase"], containers])
