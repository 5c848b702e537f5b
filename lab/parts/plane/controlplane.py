"""The control plane of one node: its etcd member and its kube-apiserver, on the node's own loopback address.

Takes the cluster's keys as they stand in a machineconfig. Knows no kubelet and no controller.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from lab.parts.kube import Access
from lab.parts.pages import listens
from lab.parts.plane.etcd import Etcd
from lab.parts.plane.pki import ClusterKeys, issue, write_private
from lab.parts.programs import find
from lab.parts.supervisor import Program, Rank, Supervisor

API_PORT = 6443


@dataclass(frozen=True)
class ApiSettings:
    """What all API servers of a cluster have in common. `vip` is the address of the cluster's endpoint.

    `admission`: what a machineconfig says under `cluster.apiServer.admissionControl`, plugin by plugin.
    """

    vip: str
    service_subnet: str = "10.96.0.0/16"
    sans: tuple[str, ...] = ()
    admission: Sequence[Mapping[str, Any]] = ()

    @property
    def issuer(self) -> str:
        """The cluster's endpoint: also who issues its service account tokens."""
        return f"https://{self.vip}:{API_PORT}"


class ControlPlane:
    """etcd member and API server of one node. Data live in `folder`, so that stop and start again keep them."""

    def __init__(
        self, supervisor: Supervisor, name: str, address: str, keys: ClusterKeys, settings: ApiSettings, folder: Path
    ) -> None:
        self.name = name
        self.address = address
        self.folder = folder
        self.program = f"kube-apiserver-{name}"
        self._supervisor = supervisor
        self._keys = keys
        self._settings = settings
        self.etcd = Etcd(supervisor, name, address, keys.etcd, folder / "etcd")
        self._tls = folder / "apiserver"
        self._write_files()

    @property
    def server(self) -> str:
        """The base URL of this node's API server."""
        return f"https://{self.address}:{API_PORT}"

    @property
    def running(self) -> bool:
        """Whether the API server's process runs (ready or not)."""
        return self._supervisor.alive(self.program)

    def stop(self) -> None:
        """End etcd and the API server as a power cut does; the data stay."""
        self._supervisor.stop(self.program, grace_s=0.0)
        self.etcd.stop()

    def access(self) -> Access:
        """Administrator's access to this node's own API server."""
        return Access(self.server, self._tls / "ca.crt", self._tls / "admin.crt", self._tls / "admin.key")

    def ready(self) -> bool:
        """Whether the API server says it is ready."""
        if not listens(self.address, API_PORT):
            return False
        try:
            answer = httpx.get(f"{self.server}/readyz", verify=self._context, timeout=3.0, trust_env=False)
        except (httpx.TransportError, OSError):  # OSError: its files went with the machine's disk
            return False
        return answer.status_code == 200

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """What the administrator knows of it. OSError when its files went with the machine's disk."""
        return self.access().tls()

    def start_api(self, *, wait: bool = True) -> None:
        """Start the API server. It gives etcd about 20 s; when etcd comes later than that, it ends and is to be started again."""
        program = Program(self.program, self._argv(), Rank.API, ready=self.ready if wait else None, ready_s=90.0)
        self._supervisor.start(program)

    def _write_files(self) -> None:
        keys, tls, settings = self._keys, self._tls, self._settings
        services = (
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        )
        addresses = [self.address, settings.vip, "127.0.0.1", _first_address(settings.service_subnet)]
        names = [self.name, "localhost", *services]
        for san in settings.sans:
            (addresses if san.replace(".", "").isdigit() or ":" in san else names).append(san)
        issue(keys.kubernetes, "kube-apiserver", addresses=addresses, names=names).write(tls, "server")
        issue(keys.kubernetes, "kube-apiserver-kubelet-client", organisations=("system:masters",)).write(tls, "kubelet")
        issue(keys.kubernetes, "lab-admin", organisations=("system:masters",)).write(tls, "admin")
        issue(keys.aggregator, "front-proxy-client").write(tls, "front-proxy")
        (tls / "ca.crt").write_bytes(keys.kubernetes.certificate)
        (tls / "aggregator-ca.crt").write_bytes(keys.aggregator.certificate)
        (tls / "service-account.pub").write_bytes(keys.service_account_public())
        write_private(tls / "service-account.key", keys.service_account)
        if settings.admission:
            plugins = [{"name": each.get("name"), "configuration": each.get("configuration")} for each in settings.admission]
            whole = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins}
            (tls / "admission.yaml").write_text(json.dumps(whole))  # JSON is YAML
        if keys.secretbox:
            write_private(tls / "encryption.yaml", _ENCRYPTION.format(secret=keys.secretbox).encode())

    def _argv(self) -> tuple[str, ...]:
        tls, settings = self._tls, self._settings
        ca, certificate, key = self.etcd.client_files()
        admission = (f"--admission-control-config-file={tls / 'admission.yaml'}",) if settings.admission else ()
        encryption = (f"--encryption-provider-config={tls / 'encryption.yaml'}",) if self._keys.secretbox else ()
        return (
            str(find("kube-apiserver")),
            f"--bind-address={self.address}",
            f"--secure-port={API_PORT}",
            # Endpoints refuse loopback addresses, and nothing in the lab uses the `kubernetes` Service.
            "--advertise-address=192.0.2.1",
            "--endpoint-reconciler-type=none",
            f"--etcd-servers={self.etcd.url}",  # its own node's member alone, as on a Talos node
            f"--etcd-cafile={ca}",
            f"--etcd-certfile={certificate}",
            f"--etcd-keyfile={key}",
            f"--tls-cert-file={tls / 'server.crt'}",
            f"--tls-private-key-file={tls / 'server.key'}",
            f"--client-ca-file={tls / 'ca.crt'}",
            f"--kubelet-certificate-authority={tls / 'ca.crt'}",
            f"--kubelet-client-certificate={tls / 'kubelet.crt'}",
            f"--kubelet-client-key={tls / 'kubelet.key'}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={tls / 'aggregator-ca.crt'}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={tls / 'front-proxy.crt'}",
            f"--proxy-client-key-file={tls / 'front-proxy.key'}",
            f"--service-cluster-ip-range={settings.service_subnet}",
            f"--service-account-issuer={settings.issuer}",
            f"--service-account-key-file={tls / 'service-account.pub'}",
            f"--service-account-signing-key-file={tls / 'service-account.key'}",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            "--anonymous-auth=false",  # as Talos starts it
            "--profiling=false",
            *admission,
            *encryption,
        )


_ENCRYPTION = """apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - secretbox:
          keys:
            - name: key2
              secret: {secret}
      - identity: {{}}
"""


def _first_address(subnet: str) -> str:
    network = subnet.split(",")[0].split("/")[0].rsplit(".", 1)[0]
    return f"{network}.1"
