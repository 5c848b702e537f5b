"""The scene of a cluster that is lost whole while its volumes lie on: one newer than its backup, one that cannot be read."""

from __future__ import annotations

from dataclasses import replace

from bootstrap.course import course as bootstrap_course
from cluster.inventory import take
from console.demo.loss.ground import Ground, problems
from console.demo.story import Act
from engine.errors import EXIT_HELD, EXIT_OK
from engine.report import Report
from house.known.inventory import inventory_path, known_inventory
from house.known.inventory_text import write_inventory
from lab.modelled.lost import LOSER, NEIGHBOUR
from lab.world.cluster.volumes import Outlived, Sick
from lab.world.store import a_file
from recovery.course import course as recovery_course
from recovery.courses.surviving import looking_course, with_survivors
from recovery.points.survivors import outlived, winners
from recovery.selection import select


def outlived_them(ground: Ground, act: Act) -> None:
    """Every VM is gone, the volumes are not: each is held against its backup, and the better of the two comes back."""
    late = a_file("notes/later.md", "written after the last backup\n")
    ground.clock.sleep(3600)
    ground.write(LOSER, replace(late, mtime_ns=int(ground.clock.now() * 1e9)))
    house, file = ground.house, inventory_path(ground.house)
    write_inventory(file, take(ground.home.look(), house).kept(known_inventory(house)))
    volumes = {key: ground.home.kube.objects().claims[key].bound_to for key in (LOSER, NEIGHBOUR)}
    for key, name in volumes.items():
        ground.home.kube.outlived[name] = Outlived(ground.entries(key), Sick.UNREADABLE if key == NEIGHBOUR else None)
    ground.home.lose_every_vm()
    ground.lose(*(node.name for node in house.nodes if node.vm_id in ground.home.proxmox.vms))
    ground.clock.sleep(3600)
    report = ground.run(bootstrap_course(house, {}))
    ground.show(act, report.exit_code in (EXIT_OK, EXIT_HELD), f"cluster.bootstrap: {problems(report) or 'both are held'}")
    there = outlived(ground.home.look(), house, house.claims)
    ground.show(act, len(there) == len(volumes), f"the inventory knows {len(there)} volumes of before")
    report = ground.run(looking_course(house, there, {}))
    words = {one.key: one.found.word.name for one in ground.home.look().kept.volumes() if one.found is not None}
    told = "; ".join(f"{key}: {word.lower()}" for key, word in sorted(words.items()))
    as_they_are = words == {"/".join(LOSER): "NEWER", "/".join(NEIGHBOUR): "UNREADABLE"}
    ground.show(act, report.converged and as_they_are, f"dr.survivors: {problems(report) or told}")
    refused = _restored(ground, consented=False)
    rows = {key: refused[f"recovery.survivor/{'/'.join(key)}"].detail for key in (LOSER, NEIGHBOUR)}
    ground.show(act, "the volume of before wins" in rows[LOSER], f"dr.restore: {'/'.join(LOSER)}: {rows[LOSER]}")
    asks = not refused.converged and "leave something behind" in rows[NEIGHBOUR]
    ground.show(act, asks, f"without consent nothing is left behind: {'/'.join(NEIGHBOUR)}: {rows[NEIGHBOUR]}")
    report = _restored(ground, consented=True)
    ground.show(act, report.exit_code == EXIT_OK, f"dr.restore, approved: {problems(report) or 'both are released'}")
    bound = ground.home.kube.objects().claims[LOSER].bound_to
    ground.show(act, bound == volumes[LOSER], f"{'/'.join(LOSER)} has {bound}, and had {volumes[LOSER]}")
    ground.show_data(act, LOSER, NEIGHBOUR)


def _restored(ground: Ground, *, consented: bool) -> Report:
    """dr.restore of all that is held, as the verb makes its course."""
    look, house = ground.home.look(), ground.house
    won = winners(look, house.claims)
    chosen = select(look, house, "", {}, (), won)
    back = recovery_course(house, chosen.wanted, again=chosen.again, never_backed_up=chosen.never_backed_up)
    return ground.run(with_survivors(back, look, house, house.claims, won, (), 0.0), consented=consented)
