"""The controllers that every cluster of the lab runs: kube-controller-manager, and snapshot-controller where a pod asks for it."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import httpx

from lab.parts.plane.pki import ClusterKeys, issue, write_private
from lab.parts.pods.images import Controller
from lab.parts.programs import find
from lab.parts.supervisor import Program, Rank, Supervisor

# Each one is needed for a restore to end and to be cleaned up, for the objects that Flux and Helm make, or to tell that a node is
# dead. Left out on purpose: eviction from dead nodes, certificate signing, ttl.
CONTROLLERS = (
    "job-controller",
    "cronjob-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-attach-detach-controller",
    "persistentvolumeclaim-protection-controller",
    "persistentvolume-protection-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "namespace-controller",
    "node-lifecycle-controller",
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "disruption-controller",
    "clusterrole-aggregation-controller",
    "root-ca-certificate-publisher-controller",
    "resourcequota-controller",
)

SNAPSHOT_CONTROLLER = Controller(
    "snapshot-controller", ("--leader-election=false", "--retry-interval-start=200ms"), kubeconfig_flag=True
)


DEAD_AFTER_S = 30
"""A node whose Lease was not renewed for so long is told as NotReady; in a house after 50 s."""


class ControllerManager:
    """The one kube-controller-manager of a cluster, a client of the cluster's endpoint."""

    program = "kube-controller-manager"

    def __init__(self, supervisor: Supervisor, address: str, server: str, keys: ClusterKeys, folder: Path) -> None:
        self._supervisor = supervisor
        self._address = address
        self._folder = folder
        user = "system:kube-controller-manager"
        certificate, key = issue(keys.kubernetes, user, organisations=(user,)).write(folder, "client")
        issue(keys.kubernetes, "kube-controller-manager", addresses=(address,)).write(folder, "server")
        self._authority = folder / "ca.crt"
        self._authority.write_bytes(keys.kubernetes.certificate)
        write_private(folder / "service-account.key", keys.service_account)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": {"server": server, "certificate-authority": str(self._authority)}}],
            "users": [{"name": user, "user": {"client-certificate": str(certificate), "client-key": str(key)}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user}}],
            "current-context": "lab",
        }
        write_private(folder / "kubeconfig", json.dumps(config).encode())

    def start(self) -> None:
        """Start it; returns when it says it is healthy."""
        folder = self._folder
        argv = (
            str(find("kube-controller-manager")),
            f"--kubeconfig={folder / 'kubeconfig'}",
            "--leader-elect=false",
            f"--bind-address={self._address}",
            "--secure-port=10257",
            f"--tls-cert-file={folder / 'server.crt'}",
            f"--tls-private-key-file={folder / 'server.key'}",
            f"--service-account-private-key-file={folder / 'service-account.key'}",
            f"--root-ca-file={self._authority}",
            # The built-in roles are bound to each controller's own account, not to the one user.
            "--use-service-account-credentials=true",
            "--authentication-skip-lookup=true",
            f"--controllers={','.join(CONTROLLERS)}",
            f"--node-monitor-grace-period={DEAD_AFTER_S}s",
            f"--node-monitor-period={DEAD_AFTER_S // 10}s",
        )
        self._supervisor.start(Program(self.program, argv, Rank.CONTROLLER, ready=self._healthy))

    def stop(self) -> None:
        """End it at once."""
        self._supervisor.stop(self.program, 0.0)

    def _healthy(self) -> bool:
        context = ssl.create_default_context(cafile=str(self._authority))
        try:
            url = f"https://{self._address}:10257/healthz"
            return httpx.get(url, verify=context, timeout=2.0, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
