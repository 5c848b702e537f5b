"""The house switched off on purpose, and on again: applications and nodes, in the order a person would tell it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bootstrap import checks
from bootstrap.steps import hold_ceph, start_hosts, start_vm, stop_hosts, stop_nodes, undo_stop
from cluster import running
from cluster.after import After
from cluster.course import Course, HouseCheck
from cluster.hold import held_check
from cluster.machines.parting import Parting
from cluster.steps import lift_reservation, rest_app, rest_database, start_nas, wake_app, wake_database
from cluster.storage.nas.starting import may_start, to_start
from engine.step import if_any
from house.model import House

WORKERS, CONTROL_PLANES = "workers", "control-planes"


def stop_course(house: House, going: Parting | None = None) -> Course:
    """Everything off but the hosts; with `going` these as well. Wherever it is cut off, the same goes on, and `start_course` undoes
    it. Where all else is off already, and some hosts with it, only hosts are left to tell of."""
    if going is not None and going.resumed:
        return hosts_course(house, going)
    workers = tuple(node for node in house.nodes if not node.control_plane)
    first = ("preflight.switch-off", "preflight.ceph-flags", *(checks.hosts_off.ids(house, going) if going is not None else ()))
    rested = (*first, if_any("stop.app/*"))
    quiet = (*rested, "proxmox.lift-reservation", if_any("stop.database/*"), "stop.movers", "stop.volumes")
    held = (*quiet, "stop.ceph")
    nodes = [stop_nodes.StopNodes(house, workers, WORKERS, held)] if workers else []
    last = (*held, if_any(f"stop.nodes/{WORKERS}"))
    hosts = hosts_course(house, going, (f"stop.nodes/{CONTROL_PLANES}",)) if going is not None else Course((), ())
    return Course(
        checks=(
            checks.switch_off.check(house),                          # by consent, which names what stops and what goes off
            *hosts.checks,                                           # and what goes off with each host
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
            *hosts.steps,
        ),
    )


def hosts_course(house: House, going: Parting, needs: tuple[str, ...] = ()) -> Course:
    """The hosts off, and each NAS that is a VM before its own; `needs`: after what."""
    consents = checks.hosts_off.ids(house, going)
    return Course(tuple(checks.hosts_off.checks(house, going)), tuple(stop_hosts.steps(house, going, (*consents, *needs))))


def start_course(house: House, begun: Collection[str] = (), *, hosts: bool = False) -> Course:
    """The same house on again, each part once what it stands on is sound. What was scaled is put back as it was.

    `begun`: steps that the journal holds for in flight; those of a stop that was cut off are undone with it. With `hosts` all of
    them are woken, or waited for, before anything else is looked at.
    """
    waked = ("start.hosts",) if hosts else ()
    nas, on = to_start(house, house.claims, mounts=True), ("proxmox.start-vm/*",)
    booted_s = house.limits.boot_s + house.limits.api_s
    sound = ("kubernetes.nodes", "start.storage", if_any("nas.start/*"))
    return Course(
        checks=(
            *_after(waked, [checks.privileges.check(house)]),
            checks.quorum.check(house),
            *checks.host.checks(house),
            *checks.metal.checks(house),
            *_after(waked, may_start(house, nas)),
            After(checks.etcd_healthy.EtcdHealthy(house), on, booted_s),
            After(checks.api_servers.check(house), on, booted_s),
            After(checks.nodes.check(house), ("kubernetes.api-servers",)),
            checks.storage_up.check(house, ("kubernetes.nodes",)),
            *running.checks(house, house.claims, (if_any("start.app/*"),), held_may_rest=True),
            held_check.HeldClaims((if_any("start.app/*"),)),
        ),
        steps=(
            *([start_hosts.StartHosts(house)] if hosts else []),
            *lift_reservation.steps(house, waked if nas else ("preflight.quorum",)),
            *start_nas.steps(house, nas),
            *(start_vm.StartVm(house, node, _before(node.host), after_a_stop=True) for node in house.vms),
            hold_ceph.LetCeph(sound),                        # nobody waits for it: what it holds up is no application
            *wake_database.steps(house, sound),
            *wake_app.steps(house, house.claims, (*sound, if_any("start.database/*"))),
            *undo_stop.steps(begun),
        ),
    )


def _after(needs: tuple[str, ...], them: Iterable[HouseCheck]) -> Iterable[HouseCheck]:
    return [After(each, needs) for each in them] if needs else them


def _before(host: str) -> tuple[str, ...]:
    return ("preflight.privileges", "preflight.quorum", f"preflight.host/{host}", "proxmox.lift-reservation")
