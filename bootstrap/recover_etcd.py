"""etcd without a majority: saved, and made again from a snapshot while machines and data disks live."""

from __future__ import annotations

from dataclasses import replace

from adapters.etcd.results import EtcdSnapshot
from bootstrap import checks
from bootstrap.steps import (
    apply_config,
    create_vm,
    fetch_image,
    grow_disk,
    recover_etcd,
    render_configs,
    save_etcd,
    start_vm,
)
from cluster.course import Course
from cluster.steps import lift_reservation
from house.model import House, Node


def saving(house: House) -> Course:
    """etcd as it is now, into the state folder."""
    return Course(
        checks=(checks.keys.check(house), checks.saved.check(house)),  # the second at the end: something was
        steps=(*render_configs.steps(house), *save_etcd.steps(house)),
    )


def course(house: House, snapshot: EtcdSnapshot | None, on: Node) -> Course:
    """From `snapshot` (None: there is none, and the course says so), begun on `on`: a control plane that answers, if any does."""
    planes = replace(house, nodes=house.control_planes)
    recover = recover_etcd.step(house, snapshot, on)
    later = {node.name: () if node is on else (recover.id,) for node in planes.nodes}
    return Course(
        checks=(
            checks.privileges.check(house),
            checks.quorum.check(house),
            checks.keys.check(house),                  # our nodes are told from strangers, and our snapshots too
            checks.versions.check(house),
            checks.strangers.check(house),
            checks.standstill.check(house),            # nobody has a majority, and nobody can come back with one
            checks.recoverable.check(house, snapshot),  # whole, ours, the newest
            *checks.host.checks(planes),
            *(replace(one, after=later[one.node.name]) for one in checks.metal.checks(planes)),  # as VMs: set up for the new etcd
            *checks.clocks.checks(planes),
            *checks.room.checks(planes),
            *checks.kept_disks.checks(planes),
            *checks.image.checks(planes),
            *(replace(checks.joined.check(house, node), after=(recover.id,)) for node in planes.nodes),  # later: each takes part
            checks.moved_past.check(house, snapshot),  # and what is newer than the snapshot
        ),
        steps=(
            *lift_reservation.steps(house),
            *render_configs.steps(house),
            recover,                                   # by consent: the old data wiped, a new etcd from the snapshot
            *fetch_image.steps(planes),
            *(replace(one, after=later[one.node.name]) for one in create_vm.steps(house) if one.node in planes.nodes),
            *grow_disk.steps(planes),
            *(one for one in start_vm.steps(house) if one.node in planes.nodes),
            *(one for one in apply_config.steps(house) if one.node in planes.nodes),
        ),
        guards={"talos": checks.etcd_healthy.EtcdHealthy(house)},
    )  # fmt: skip
