"""One node that is lost for good, made anew in a house that lives: given up by consent, then made, configured and joined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bootstrap import checks
from bootstrap.checks.power.replicas import Known, Rebuilt, Spared
from bootstrap.steps import apply_config, create_vm, fetch_image, give_up, grow_disk, render_configs, start_vm
from cluster.course import Course
from cluster.steps import lift_reservation
from cluster.storage.row import StorageRow
from house.model import House, Node


def course(house: House, node: Node, rows: Iterable[StorageRow] = ()) -> Course:
    """The checks and steps of `node` alone. `rows` are those of the storage systems that the cluster has: what only the lost
    node's disks may still hold is asked for first, and what is rebuilt on the new one is told at the end."""
    first, alone, rows = give_up.step(house, node), replace(house, nodes=(node,)), tuple(rows)
    spared = tuple(Spared(house, node, row) for row in rows)
    known = Known(house, node, rows)
    gone = replace(first, spared=(known.id, *(one.id for one in spared)))
    return Course(
        checks=(
            checks.privileges.check(house),      # Proxmox answers, and shows the VMs
            checks.quorum.check(house),          # a majority of its hosts is there
            checks.keys.check(house),            # the secrets bundle opens: our nodes are told from strangers
            checks.machineconfigs.check(house),  # and the new one's machineconfig can be made, before the old one is given up
            checks.versions.check(house),
            checks.strangers.check(house),
            checks.lost.check(house, node),      # the node is lost for certain, and etcd can spare it
            known,                               # every storage that there is was asked
            *spared,                             # no volume's last copy is on its disks, as far as the storage says
            *checks.host.checks(alone),          # where it is made anew: online, on time, with room
            *checks.clocks.checks(alone),
            *checks.room.checks(alone),
            *checks.kept_disks.checks(alone),
            *checks.image.checks(alone),
            checks.joined.check(house, node),    # later: it takes part
            *(Rebuilt(row, node.name) for row in rows),  # and what its storage says then
        ),
        steps=(
            *lift_reservation.steps(house),
            gone,                                # its dead VM, Node object and etcd member, by consent
            *fetch_image.steps(alone),
            *(replace(made, after=(gone.id,)) for made in create_vm.steps(house) if made.node is node),
            *grow_disk.steps(alone),
            *(one for one in start_vm.steps(house) if one.node is node),
            *render_configs.steps(house),
            *(one for one in apply_config.steps(house) if one.node is node),
        ),
        guards={"talos": checks.etcd_healthy.EtcdHealthy(house)},
    )  # fmt: skip
