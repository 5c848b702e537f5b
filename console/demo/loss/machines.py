"""Scenes of machines: a host dead, etcd without its majority, etcd's disks gone, the house off on purpose, wiped on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bootstrap.checks.etcd.recoverable import newest
from bootstrap.course import course as bootstrap_course
from bootstrap.power import start_course, stop_course
from bootstrap.recover_etcd import course as recover_course
from bootstrap.recover_etcd import saving
from bootstrap.replace_node import course as replace_course
from console.demo.loss.ground import Ground, problems
from console.demo.story import Act
from engine.errors import EXIT_HELD, EXIT_OK
from lab.modelled.lost import LOSER, NEIGHBOUR
from lab.modelled.neighbours import SCHEDULE_S
from lab.world.store import a_file
from recovery.course import course as recovery_course
from recovery.courses.checkpoint import checkpoint_course

if TYPE_CHECKING:
    from house.model import Node

DEAD_HOST, LOST = "pve-2", "cp-2"
ELSEWHERE = ("pve-1", 8005)


def host_dead(ground: Ground, act: Act) -> None:
    """A host has no power any more: its node is made anew on another, once the settings say where."""
    before, watch = ground.voters(), ground.watch(LOSER, NEIGHBOUR)
    ground.home.proxmox.host_down(DEAD_HOST)
    node = ground.house.node(LOST)
    line = ground.lives.plan(replace_course(ground.house, node))[f"preflight.lost/{LOST}"]
    ground.show(act, "in blackstart.yaml" in line.hint, f"cluster.replace-node {LOST} refuses: {line.detail}. {line.hint}")
    moved = replace(node, host=ELSEWHERE[0], vm_id=ELSEWHERE[1])
    nodes = tuple(moved if one.name == LOST else one for one in ground.house.nodes)
    ground.house = replace(ground.house, nodes=nodes)
    report = ground.run(replace_course(ground.house, moved), consented=True)
    ground.clock.sleep(SCHEDULE_S)
    after = ground.voters()
    same = {one for one in before if after.get(one) == before[one]}
    anew = after.keys() == before.keys() and same == before.keys() - {LOST}
    told = problems(report) or f"VM {ELSEWHERE[1]} on {ELSEWHERE[0]}; etcd lists {', '.join(sorted(after))}, {LOST} as a new member"
    ground.show(act, report.converged and anew, f"with that in the settings, approved: {told}")
    ground.show_data(act, LOSER, NEIGHBOUR)
    ground.show_undisturbed(act, watch.end())


def quorum_lost(ground: Ground, act: Act) -> None:
    """Two of three control planes are gone: the third one's disk has all that was written."""
    ground.home.kube.objects().namespaces.add("of-today")
    watch = ground.watch(LOSER, NEIGHBOUR)
    ground.lose("cp-2", "cp-3")
    ground.clock.sleep(60)
    report = ground.run(saving(ground.house))
    kept = newest(ground.home.look().etcd.kept())
    ground.show(act, kept is not None, f"cluster.save-etcd: {kept.name if kept else problems(report)}")
    _recovered(ground, act, ground.house.node("cp-1"))
    there = "of-today" in ground.home.kube.objects().namespaces
    ground.show(act, there, f"what was written last is {'there' if there else 'GONE'}")
    ground.show_data(act, LOSER, NEIGHBOUR)
    probed = [f"{'/'.join(key)}: {one.restarts} restarts, {one.missed_probes} of {one.probes} probes missed"
              for key, one in watch.end().items()]  # fmt: skip
    quiet = all(not one.restarts and not one.missed_probes for one in watch.counts.values())
    ground.show(act, quiet, f"what ran went on without an API server; {'; '.join(probed)}")


def disks_gone(ground: Ground, act: Act) -> None:
    """All of etcd's disks are gone, the data disks live: a snapshot of before, and data that are newer than it."""
    assert ground.run(saving(ground.house)).converged
    ground.clock.sleep(2 * 3600)
    ground.write(LOSER, a_file("notes/late.md", "written after the snapshot of etcd\n"))
    ground.back_up(ground.claim(LOSER))
    ground.home.kube.objects().namespaces.add("of-the-last-hour")
    ground.lose("cp-1", "cp-2", "cp-3")
    ground.clock.sleep(60)
    first = ground.house.node("cp-1")
    words = _recovered(ground, act, first)
    ground.show(act, "what was written after that is lost" in words, f"the consent said: {words}")
    gone = "of-the-last-hour" not in ground.home.kube.objects().namespaces
    ground.show(act, gone, "as it said: an object of after that is not there any more")
    ground.show_data(act, LOSER, NEIGHBOUR)


def _recovered(ground: Ground, act: Act, on: Node) -> str:
    """cluster.recover-etcd from the newest file, as a person runs it: looked at, then approved. Answers what was consented to."""
    snapshot = newest(ground.home.look().etcd.kept())
    course = recover_course(ground.house, snapshot, on)
    ground.run(course)
    course = recover_course(ground.house, newest(ground.home.look().etcd.kept()), on)
    acts = ground.lives.plan(course).acts
    report = ground.run(course, consented=True)
    voters = sorted(ground.voters())
    whole = not report.root_causes and voters == ["cp-1", "cp-2", "cp-3"]
    ground.show(act, whole, f"cluster.recover-etcd, approved: {problems(report) or 'etcd lists ' + ', '.join(voters)}")
    past = report["etcd.moved-past"]
    ground.show(act, bool(past.detail), f"told at the end: {'; '.join((past.detail, *past.evidence))}")
    ground.clock.sleep(60)
    return acts[0].words if acts else ""


def off_and_on(ground: Ground, act: Act) -> None:
    """The house is switched off for a day and on again."""
    report = ground.run(stop_course(ground.house), consented=True)
    ours = {node.vm_id for node in ground.house.nodes}
    on = sorted(vm.vm_id for vm in ground.home.proxmox.vms.values() if vm.running and vm.vm_id in ours)
    told = problems(report) or ("every VM is off" if not on else f"still on: {on}")
    ground.show(act, report.exit_code == EXIT_OK and not on, f"cluster.stop, approved: {told}")
    ground.clock.sleep(86400)
    report = ground.run(start_course(ground.house))
    ready = [key for key in (LOSER, NEIGHBOUR) if ground.home.kube.objects().claims[key].app_ready]
    told = problems(report) or f"{len(ready)} of 2 applications run"
    ground.show(act, report.exit_code == EXIT_OK and len(ready) == 2, f"a day later cluster.start: {told}")
    ground.show_data(act, LOSER, NEIGHBOUR)
    newest_before = {key: ground.repository(ground.claim(key)).snapshots[-1].time for key in ready}
    for key in ready:
        ground.back_up(ground.claim(key))
    on_again = [key for key in ready if ground.repository(ground.claim(key)).snapshots[-1].time > newest_before[key]]
    ground.show(act, len(on_again) == 2, f"backups go on: {len(on_again)} of 2 made since")


def rebuilt(ground: Ground, act: Act) -> None:
    """A planned rebuild: saved at rest, wiped, built and restored, and not one write is missing."""
    for key in (LOSER, NEIGHBOUR):
        ground.write(key, a_file(f"{key[1]}/last.md", f"{key[1]}: the last write, in no backup\n"))
    report = ground.run(checkpoint_course(ground.house, {}), consented=True)
    safe = report["checkpoint.safe"].detail if report.exit_code == EXIT_OK else problems(report)
    ground.show(act, report.exit_code == EXIT_OK, f"dr.checkpoint, approved: {safe}")
    ground.home.lose_every_vm()
    ground.lose(*(node.name for node in ground.house.nodes if node.vm_id in ground.home.proxmox.vms))
    ground.clock.sleep(3600)
    report = ground.run(bootstrap_course(ground.house, {}))
    held = sorted(one.key for one in ground.home.look().hold.record().claims if one.state.value == "held")
    built = report.exit_code in (EXIT_OK, EXIT_HELD) and len(held) == 2
    ground.show(act, built, f"every VM wiped, cluster.bootstrap: {problems(report) or 'held: ' + ', '.join(held)}")
    report = ground.run(recovery_course(ground.house, ground.house.claims))
    ground.show(act, report.exit_code == EXIT_OK, f"dr.restore: {problems(report) or 'both are released'}")
    ground.show_data(act, LOSER, NEIGHBOUR)
