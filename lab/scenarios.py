"""Named worlds to start a house in. Each is made with the World's own means, never by writing down how it should look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import PermanentError
from lab.houses.nouns import HouseShape
from lab.running.house import LabHouse
from lab.running.past import Past
from lab.troubles import named as troubles
from lab.world.pve.images import Volumes

# The sample houses' one application with a volume.
APPLICATION = "notes"


@dataclass(frozen=True)
class Scenario:
    """One named world: `make` leads there from bare hosts, then `troubles` begin, each a name of
    lab/troubles/named.py and its target.

    `built`: between the two somebody must build the house and restore its data. That is the tool under test, which the lab
    does not know: console/demo/built.py drives it.
    """

    name: str
    what: str
    make: Callable[[LabHouse], None]
    troubles: tuple[tuple[str, str], ...] = ()
    built: bool = False

    def fits(self, shape: HouseShape) -> bool:
        """Whether this house has every node that the scenario is about."""
        nodes = {node.name for node in shape.nodes}
        return all(target in nodes for name, target in self.troubles if troubles.TROUBLES[name].target == "node")


def _nothing(house: LabHouse) -> None:
    """The house as it was made: hosts, and nothing on them."""


def _all_vms_gone(house: LabHouse) -> None:
    """What is left of a house that was built and used: its images on the hosts, and backups in its store."""
    image, volumes = house.house.image, Volumes(house.proxmox)
    with house.world.looking():
        for host in house.proxmox.hosts:
            volumes.download("root@pam", host, image.storage, image.filename, image.url, image.sha256, "sha256")
    _hosts_lost(house)


def _hosts_lost(house: LabHouse) -> None:
    """New hosts, without even an image, and the backups of the house that was."""
    for application in house.shape.applications:
        Past(house, application).back_up()


_ALL = (
    Scenario("empty", "hosts without any VM; no backup anywhere", _nothing),
    Scenario(
        "all-vms-gone",
        "a house that was built and used, whose VMs and disks are gone; its backups are there",
        _all_vms_gone,
    ),
    Scenario("hosts-lost", "new hosts without anything on them; the backups of the house that was are there", _hosts_lost),
    Scenario(
        "backup-half-uploaded", "all VMs are gone, and the newest backup broke off", _all_vms_gone,
        (("backup-half-uploaded", APPLICATION),),
    ),
    Scenario(
        "nas-read-only", "all VMs are gone; the store gives the backups it has, and takes no writes", _all_vms_gone,
        (("store-read-only", ""),),
    ),
    Scenario(
        "wrong-clock", "hosts without any VM; the first node's clock is an hour ahead", _nothing,
        (("node-clock-ahead", "cp-1"),),
    ),
    Scenario(
        "one-control-plane-lost", "a house that was built and used, without one of its three control planes", _hosts_lost,
        (("vm-gone", "cp-3"),), built=True,
    ),
    Scenario(
        "etcd-quorum-lost", "a house that was built and used, without two of its three control planes", _hosts_lost,
        (("vm-gone", "cp-2"), ("vm-gone", "cp-3")), built=True,
    ),
)  # fmt: skip
SCENARIOS = {scenario.name: scenario for scenario in _ALL}


def known(name: str, shape: HouseShape) -> Scenario:
    """The scenario of this name. PermanentError for an unknown one, and for one that is about nodes this house does not have."""
    scenario = SCENARIOS.get(name)
    playable = f"{shape.name} can be started as: {', '.join(s.name for s in _ALL if s.fits(shape))}"
    if scenario is None:
        raise PermanentError(f"there is no scenario {name}", hint=playable)
    if not scenario.fits(shape):
        raise PermanentError(f"{shape.name} has not the nodes for {name} ({scenario.what})", hint=playable)
    return scenario


def play(name: str, house: LabHouse) -> None:
    """Bring a house that was just opened into this world; into one that must be built first, up to that building."""
    scenario = known(name, house.shape)
    scenario.make(house)
    if not scenario.built:
        for trouble, target in scenario.troubles:
            troubles.begin(house, trouble, target)
