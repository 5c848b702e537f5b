"""The house switched off on purpose, and on again: applications and nodes, in the order a person would tell it."""

from __future__ import annotations

from collections.abc import Collection

from bootstrap import checks
from bootstrap.steps import hold_ceph, start_vm, stop_nodes, undo_stop
from cluster import running
from cluster.after import After
from cluster.course import Course
from cluster.hold import held_check
from cluster.steps import lift_reservation, rest_app, rest_database, start_nas, wake_app, wake_database
from cluster.storage.nas.starting import may_start, to_start
from engine.step import if_any
from house.model import House

WORKERS, CONTROL_PLANES = "workers", "control-planes"


def stop_course(house: House) -> Course:
    """Everything off but the hosts. Wherever it is cut off, the same goes on, and `start_course` undoes it."""
    workers = tuple(node for node in house.nodes if not node.control_plane)
    first = ("preflight.switch-off", "preflight.ceph-flags")
    rested = (*first, if_any("stop.app/*"))
    quiet = (*rested, "proxmox.lift-reservation", if_any("stop.database/*"), "stop.movers", "stop.volumes")
    held = (*quiet, "stop.ceph")
    nodes = [stop_nodes.StopNodes(house, workers, WORKERS, held)] if workers else []
    last = (*held, if_any(f"stop.nodes/{WORKERS}"))
    return Course(
        checks=(
            checks.switch_off.check(house),                          # by consent, which names what stops and what goes off
            checks.ceph_flags.check(house),                          # told while a person can still say no
            checks.movers.check(house, rested),                      # a mover that dies with its node leaves its lock
            checks.attached.check(house, (*rested, if_any("stop.database/*"))),  # even replicas need no rebuilding later
        ),
        steps=(
            *lift_reservation.steps(house),                          # what a dead run left; another machine's by consent
            *rest_app.steps(house, house.claims, first),                # whoever waits for another one first
            *rest_database.steps(house, rested),                     # and what those wrote to
            hold_ceph.HoldCeph(house, quiet),                        # before the first OSD goes
            *nodes,
            stop_nodes.StopNodes(house, house.control_planes, CONTROL_PLANES, last),
        ),
    )


def start_course(house: House, begun: Collection[str] = ()) -> Course:
    """The same house on again, each part once what it stands on is sound. What was scaled is put back as it was.

    `begun`: steps that the journal holds for in flight; those of a stop that was cut off are undone with it.
    """
    nas, on = to_start(house, house.claims, mounts=True), ("proxmox.start-vm/*",)
    booted_s = house.limits.boot_s + house.limits.api_s
    sound = ("kubernetes.nodes", "start.storage", if_any("nas.start/*"))
    return Course(
        checks=(
            checks.privileges.check(house),
            checks.quorum.check(house),
            *checks.host.checks(house),
            *checks.metal.checks(house),
            *may_start(house, nas),
            After(checks.etcd_healthy.EtcdHealthy(house), on, booted_s),
            After(checks.api_servers.check(house), on, booted_s),
            After(checks.nodes.check(house), ("kubernetes.api-servers",)),
            checks.storage_up.check(house, ("kubernetes.nodes",)),
            *running.checks(house, house.claims, (if_any("start.app/*"),)),
            held_check.HeldClaims((if_any("start.app/*"),)),
        ),
        steps=(
            *lift_reservation.steps(house, () if nas else ("preflight.quorum",)),
            *start_nas.steps(house, nas),
            *(start_vm.StartVm(house, node, _before(node.host), after_a_stop=True) for node in house.vms),
            hold_ceph.LetCeph(sound),                        # nobody waits for it: what it holds up is no application
            *wake_database.steps(house, sound),
            *wake_app.steps(house, house.claims, (*sound, if_any("start.database/*"))),
            *undo_stop.steps(begun),
        ),
    )


def _before(host: str) -> tuple[str, ...]:
    return ("preflight.privileges", "preflight.quorum", f"preflight.host/{host}", "proxmox.lift-reservation")
