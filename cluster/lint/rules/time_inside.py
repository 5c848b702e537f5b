"""A time server inside the cluster whose machines ask it."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from house.repository.talconfigs.machine import Tells

NAME = "time-inside"


def _find(given: Given) -> Iterator[Finding]:
    for setting in given.house.machine:
        server = given.inside.of(setting.value) if setting.tells is Tells.TIME else None
        if server is not None:
            yield Finding(
                NAME, Weight.PARADOX, setting.value, f"the machines ask {setting.value} for the time, which {server.told} serves",
                setting.declared_in,
                "Talos starts neither etcd nor the kubelet before the clock is set: what would set it is started by them",
                "name a time server outside: the router, the Proxmox hosts, or one of the internet by its address",
            )  # fmt: skip


RULE = Rule(NAME, "Who tells machines the time before there is a cluster?", _find)
