"""The port of Ceph's flags, of a Ceph that Rook runs: `ceph` in Rook's toolbox, else in its operator's pod, by kubectl exec.

Our mark is an annotation of the CephCluster: it is read without Ceph. What Rook's operator calls its own files is from its source
(pkg/daemon/ceph/client/command.go): /var/lib/rook/NAMESPACE/NAMESPACE.config, and client.admin.keyring beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.ceph.results import OsdFlags
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import CEPH_CLUSTER, POD
from adapters.kubernetes.objects import Obj, condition, dig, name_of, namespace_of, text
from adapters.process.results import ProgramFailed, Runner
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.text.jsontext import Malformed, read

MARK = "blackstart/ceph-flags"
_LIMIT_S = 60.0
_PATIENCE = "--connect-timeout=20"


class RookFlags:
    """See port.Flags."""

    def __init__(self, clients: Clients, runner: Runner) -> None:
        self._clients, self._runner = clients, runner

    def flags(self) -> tuple[OsdFlags, ...]:
        """See port.FlagsView."""
        client = self._clients.main()
        found = (one for one in client.list_if_served(CEPH_CLUSTER) or () if dig(one, "spec", "external", "enable") is not True)
        return tuple(self._seen(client, one) for one in sorted(found, key=lambda one: (namespace_of(one), name_of(one))))

    def put(self, namespace: str, name: str, flags: tuple[str, ...]) -> None:
        """See port.Flags."""
        client = self._clients.main()
        there = self._ceph(client, namespace, "osd", "dump", "--format", "json")
        ours = _marked(self._cluster(client, namespace, name))
        mine = sorted(ours | (set(flags) - _set(there)))
        self._mark(client, namespace, name, mine)
        for flag in mine:
            self._ceph(client, namespace, "osd", "set", flag)

    def drop(self, namespace: str, name: str) -> None:
        """See port.Flags."""
        client = self._clients.main()
        for flag in sorted(_marked(self._cluster(client, namespace, name))):
            self._ceph(client, namespace, "osd", "unset", flag)
        self._mark(client, namespace, name, [])

    def _seen(self, client: ApiClient, obj: Obj) -> OsdFlags:
        namespace, name, ours = namespace_of(obj), name_of(obj), _marked(obj)
        try:
            there = _set(self._ceph(client, namespace, "osd", "dump", "--format", "json"))
        except BlackstartError as error:
            return OsdFlags(namespace, name, ours=ours, silent="; ".join((error.what, *error.evidence[-1:])))
        return OsdFlags(namespace, name, there, ours)

    def _cluster(self, client: ApiClient, namespace: str, name: str) -> Obj:
        found = client.get(CEPH_CLUSTER, name, namespace)
        if found is None:
            raise PermanentError(f"There is no CephCluster {namespace}/{name}")
        return found

    def _mark(self, client: ApiClient, namespace: str, name: str, flags: Sequence[str]) -> None:
        patch = {"metadata": {"annotations": {MARK: ",".join(flags) or None}}}
        client.merge(CEPH_CLUSTER, name, patch, namespace)

    def _ceph(self, client: ApiClient, namespace: str, *words: str) -> str:
        """What it answers. PermanentError where no pod of this cluster has the program and a key, TransientError for no answer."""
        pod, more = self._way(client, namespace)
        config = str(self._clients.kubeconfig())
        argv = ["kubectl", "--kubeconfig", config, "-n", namespace, "exec", pod, "--", "ceph", _PATIENCE, *more, *words]
        try:
            return self._runner.run(argv, timeout_s=_LIMIT_S).stdout.decode("utf-8", "replace")
        except ProgramFailed as error:
            told = f"the Ceph of Rook's {namespace} gives no answer in pod {pod}"
            raise TransientError(told, evidence=error.evidence[-3:]) from error

    def _way(self, client: ApiClient, namespace: str) -> tuple[str, tuple[str, ...]]:
        """A pod that runs, and what `ceph` must be told there."""
        folder = f"/var/lib/rook/{namespace}"
        own = (f"--conf={folder}/{namespace}.config", "--name=client.admin", f"--keyring={folder}/client.admin.keyring")
        for app, more in (("rook-ceph-tools", ()), ("rook-ceph-operator", own)):
            pods = client.list_objects(POD, namespace, labels=f"app={app}")
            if found := next((name_of(pod) for pod in pods if condition(pod, "Ready").get("status") == "True"), ""):
                return found, more
        raise PermanentError(
            f"no pod in {namespace} could ask Ceph: neither Rook's toolbox nor its operator is ready there",
            hint="Rook's toolbox (rook-ceph-tools) is a chart value: toolbox.enabled",
        )


def _marked(obj: Obj) -> frozenset[str]:
    return frozenset(filter(None, text(obj, "metadata", "annotations", MARK).split(",")))


def _set(dump: str) -> frozenset[str]:
    """The flags in `ceph osd dump`: a line with commas in every release, and a list besides in newer ones."""
    try:
        return read(dump, lambda told: frozenset(str(told["flags"]).split(",")) - {""})
    except Malformed as error:
        raise TransientError("Ceph's answer about its OSD map cannot be read", evidence=(str(error),)) from error
