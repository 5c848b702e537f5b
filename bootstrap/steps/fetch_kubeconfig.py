"""Fetch the admin kubeconfig into the state folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from cluster.machines.absent import first_present
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import House


@dataclass(frozen=True)
class FetchKubeconfig(BaseStep):
    """A kubeconfig of this cluster's CA and endpoint, mode 0600."""

    house: House
    system = "workstation"
    id = StepId("talos.fetch-kubeconfig")
    title = "kubeconfig fetched"
    needs: tuple[str, ...] = ("talos.bootstrap-etcd",)

    @property
    def inputs(self) -> str:
        return self.house.cluster.endpoint

    def probe(self, look: LookContext) -> Probe:
        if look.machineconfigs.kubeconfig_ok():
            return satisfied("a kubeconfig of this cluster's CA and endpoint is in the state folder")
        return missing("no kubeconfig of this cluster's CA and endpoint in the state folder")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.talos.fetch_kubeconfig(first_present(act.proxmox, self.house).address)

    def by_hand(self) -> str:
        address = self.house.bootstrap_node.address
        return f"talosctl kubeconfig {self.house.state_dir}/kubeconfig -n {address} -e {address} --merge=false --force"


def steps(house: House) -> Iterator[FetchKubeconfig]:
    """One for the house."""
    yield FetchKubeconfig(house)
