"""Named worlds to start a house in. Each is made with the World's own means, never by writing down how it should look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import PermanentError
from lab.house import BUCKET, LabHouse
from lab.past import Past
from lab.wire.s3.damage import break_off_newest
from lab.world.pve_making import Making

# A node that is this far ahead refuses certificates that were made just now on no other machine.
CLOCK_AHEAD_S = 3600.0
# The sample houses' one application with a volume.
APPLICATION = "notes"


@dataclass(frozen=True)
class Scenario:
    """One named world. `make` is None for one that this lab does not model: it is refused, never played as something else."""

    name: str
    what: str
    make: Callable[[LabHouse], None] | None


def _nothing(house: LabHouse) -> None:
    """The house as it was made: hosts, and nothing on them."""


def _wrong_clock(house: LabHouse) -> None:
    """The first node's clock is ahead."""
    with house.world.looking():
        house.talos.at(house.block.node(house.shape.nodes[0])).clock_offset = CLOCK_AHEAD_S


def _all_vms_gone(house: LabHouse) -> None:
    """What is left of a house that was built and used: its images on the hosts, and backups in its store."""
    image, making = house.house.image, Making(house.proxmox)
    with house.world.looking():
        for host in house.proxmox.hosts:
            making.download("root@pam", host, image.storage, image.filename, image.url, image.sha256, "sha256")
    Past(house, APPLICATION).back_up()


def _hosts_lost(house: LabHouse) -> None:
    """New hosts, without even an image, and the backups of the house that was."""
    Past(house, APPLICATION).back_up()


def _backup_half_uploaded(house: LabHouse) -> None:
    """The last backup before everything was lost broke off."""
    _all_vms_gone(house)
    break_off_newest(house.store, BUCKET, APPLICATION)


_ALL = (
    Scenario("empty", "hosts without any VM; no backup anywhere", _nothing),
    Scenario(
        "all-vms-gone",
        "a house that was built and used, whose VMs and disks are gone; its backups are there",
        _all_vms_gone,
    ),
    Scenario("hosts-lost", "new hosts without anything on them; the backups of the house that was are there", _hosts_lost),
    Scenario("backup-half-uploaded", "the same, and the newest backup broke off", _backup_half_uploaded),
    Scenario("wrong-clock", "hosts without any VM; the first node's clock is an hour ahead", _wrong_clock),
    Scenario("one-control-plane-lost", "a built cluster without one of its control planes", None),
    Scenario("etcd-quorum-lost", "a built cluster without two of three control planes", None),
    Scenario("nas-read-only", "a repository on a NAS that takes no writes", None),
)
SCENARIOS = {scenario.name: scenario for scenario in _ALL}


def known(name: str) -> Scenario:
    """The scenario of this name. PermanentError for an unknown one, and for one that is not modelled here."""
    scenario = SCENARIOS.get(name)
    playable = ", ".join(s.name for s in _ALL if s.make is not None)
    if scenario is None:
        raise PermanentError(f"there is no scenario {name}", hint=f"known: {', '.join(SCENARIOS)}")
    if scenario.make is None:
        raise PermanentError(
            f"{name} ({scenario.what}) is not modelled as a start",
            hint=f"these are: {playable}; lab.fault leads to the others from a running house (vm-gone, vm-off)",
        )
    return scenario


def play(name: str, house: LabHouse) -> None:
    """Bring a house that was just opened into this world."""
    make = known(name).make
    assert make is not None  # known() refuses those
    make(house)
