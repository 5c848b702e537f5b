"""A mirror of images inside the cluster whose machines pull from it."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.needs import host_of
from cluster.lint.programs import Program
from house.repository.talconfigs.machine import MachineSetting, Tells

NAME = "mirror-inside"
PEERS = ("spegel", "kraken", "dragonfly-stack")
"""Charts of mirrors that hold what the machines hold."""


_ITSELF = ("localhost", "127.0.0.1", "::1")


def _find(given: Given) -> Iterator[Finding]:
    for program in given.charts(*PEERS):
        yield Finding(
            NAME, Weight.PARADOX, program.told, f"{program.told} mirrors images among the nodes of this very cluster",
            program.declared_in,
            "after a rebuild no node has an image that it could give to another: every one comes from the internet, at the rate "
            "that the registries allow, and without the internet none does",
            "keep what a rebuild pulls on a machine outside (a pull-through registry on the NAS), and name it under "
            "`machine.registries.mirrors`; know that a power cut keeps the nodes' images, and a new disk does not",
        )  # fmt: skip
    for setting, told in mirrors(given):
        only = setting.tells is Tells.ONLY_MIRROR
        yield Finding(
            NAME, Weight.PARADOX, setting.value,
            f"the machines pull images of {setting.of} from {setting.value}, which {told} serves", setting.declared_in,
            "nothing starts that would serve the image that starts it" if only
            else "a machine that boots waits for it in vain, then asks the registry: each image comes late, and from outside",
            "serve it from a machine that is not of the cluster" + ("; until then leave `skipFallback` out" if only else ""),
        )  # fmt: skip


def mirrors(given: Given) -> Iterator[tuple[MachineSetting, str]]:
    """Each mirror of the machines that the cluster serves, and by what."""
    for setting in given.house.machine:
        if setting.tells in (Tells.MIRROR, Tells.ONLY_MIRROR):
            host = host_of(setting.value)
            server = given.inside.of(host)
            if server is not None:
                yield setting, server.told
            elif host in _ITSELF:
                yield setting, "a Pod on each node"


def peers(given: Given) -> list[Program]:
    """The mirrors among the nodes."""
    return list(given.charts(*PEERS))


RULE = Rule(NAME, "Where do images come from when no node has any?", _find)
