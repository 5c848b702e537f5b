"""The Machineconfigs port's in-process door: plain documents with words in place of keys. Knows no talhelper and no file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from adapters.talos.machineconfig import config_digest
from adapters.talos.results import Authority
from engine.errors import PermanentError
from engine.text.digest import digest
from house.model import House, Node

FAR = 4e9
"""When a good certificate ends, in epoch seconds: far behind any test's clock."""


@dataclass(eq=False)
class ModelledHouse:
    """What lies on the operator's machine: the repository's Talos part and the state folder. It outlives a dead run.

    `bundle` stands for the Talos secrets bundle: every authority's name derives from it, so that another bundle is another
    cluster; "" when there is none. `bundle_problem` and `age_key_problem` say why they cannot be used ("" when they can);
    `edits` counts changes of the repository. Of its clone: `dirty` holds uncommitted paths, `commit` where it stands ("": at
    the branch's commit), and `remote_problem` why the remote cannot be asked. `render_problem` keeps
    rendering from anything; `authorities` are the bundle's.
    """

    house: House
    bundle: str = "bundle-1"
    bundle_problem: str = ""
    age_key_problem: str = ""
    edits: int = 0
    rendered: dict[str, str] = field(default_factory=dict)
    rendered_from: str = ""
    kubeconfig_ca: str = ""
    kubeconfig_endpoint: str = ""
    dirty: tuple[str, ...] = ()
    commit: str = ""
    remote_problem: str = ""
    bundles_made: int = 0
    render_problem: str = ""
    authorities: tuple[Authority, ...] = (Authority("the Talos CA", FAR), Authority("etcd's CA", FAR))

    @property
    def bundle_file(self) -> Path:
        """Where the bundle lies."""
        return self.house.cluster.secrets_bundle

    @property
    def os_ca(self) -> str:
        """The Talos CA's certificate."""
        return f"{self.bundle} talos ca"

    @property
    def k8s_ca(self) -> str:
        """The Kubernetes CA's certificate."""
        return f"{self.bundle} kubernetes ca"

    def wanted(self) -> str:
        """Digest over everything that rendering reads."""
        cluster = self.house.cluster
        nodes = [(n.name, n.address, n.control_plane, n.install_disk) for n in self.house.nodes]
        return digest(self.bundle, self.edits, cluster.name, cluster.endpoint, cluster.talos_version, nodes)

    def render(self, node: Node) -> str:
        """The machineconfig of one node."""
        cluster = self.house.cluster
        key = "private" if node.control_plane else ""
        document = {
            "version": "v1alpha1",
            "machine": {
                "type": "controlplane" if node.control_plane else "worker",
                "ca": {"crt": self.os_ca, "key": key},
                "install": {"disk": node.install_disk},
                "network": {"hostname": node.name},
                "nodeLabels": {"edits": str(self.edits)},
            },
            "cluster": {
                "clusterName": cluster.name,
                "controlPlane": {"endpoint": cluster.endpoint},
                "ca": {"crt": self.k8s_ca, "key": key},
                "etcd": {"ca": {"crt": f"{self.bundle} etcd ca", "key": key}},
            },
        }
        return json.dumps(document, indent=2)


class ModelledMachineconfigs:
    """Machineconfigs port over a ModelledHouse (talos.port.Machineconfigs)."""

    def __init__(self, state: ModelledHouse) -> None:
        self._state = state

    def digest(self, node: str) -> str:
        """See talos.port.MachineconfigsView."""
        text = self._state.rendered.get(node, "")
        return config_digest(text) if text else ""

    def wanted(self) -> str:
        """See talos.port.MachineconfigsView."""
        return self._state.wanted()

    def rendered_from(self) -> str:
        """See talos.port.MachineconfigsView."""
        complete = all(node.name in self._state.rendered for node in self._state.house.nodes)
        return self._state.rendered_from if complete else ""

    def kubeconfig_ok(self) -> bool:
        """See talos.port.MachineconfigsView."""
        ours = (self._state.k8s_ca, self._state.house.cluster.endpoint)
        return (self._state.kubeconfig_ca, self._state.kubeconfig_endpoint) == ours

    def age_key_problem(self) -> str:
        """See talos.port.MachineconfigsView."""
        return self._state.age_key_problem

    def bundle_there(self) -> bool:
        """See talos.port.MachineconfigsView."""
        return bool(self._state.bundle)

    def bundle_problem(self) -> str:
        """See talos.port.MachineconfigsView."""
        return self._state.bundle_problem or ("" if self._state.bundle else f"{self._state.bundle_file.name} is missing")

    def render_problem(self) -> str:
        """See talos.port.MachineconfigsView."""
        return self.bundle_problem() or self._state.render_problem

    def authorities(self) -> tuple[Authority, ...]:
        """See talos.port.MachineconfigsView."""
        if problem := self.bundle_problem():
            raise PermanentError(problem)
        return self._state.authorities

    def render(self) -> None:
        """See talos.port.Machineconfigs."""
        if problem := self.render_problem():
            raise PermanentError(f"machineconfigs not rendered: {problem}")
        self._state.rendered = {node.name: self._state.render(node) for node in self._state.house.nodes}
        self._state.rendered_from = self._state.wanted()

    def make_bundle(self) -> None:
        """See talos.port.Machineconfigs."""
        if self._state.bundle:
            raise PermanentError(f"{self._state.bundle_file.name} is there already, and is never replaced")
        self._state.bundles_made += 1
        self._state.bundle = f"new-bundle-{self._state.bundles_made}"
        self._state.dirty = (*self._state.dirty, f"{self._state.bundle_file.parent.name}/{self._state.bundle_file.name}")
