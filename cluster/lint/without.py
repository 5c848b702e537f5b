"""Which runs still work without one host, the internet, a NAS or a cloud vault: out of what their stages need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from cluster.lint.given import Given
from cluster.lint.needs import Means, Need, Stage
from engine.text.words import number, some


class Run(Enum):
    """A run, by the verb that makes it."""

    AUDIT = "dr.audit"
    BOOTSTRAP = "cluster.bootstrap"
    RESTORE = "dr.restore"
    REHEARSE = "dr.rehearse"


STAGES = {
    Run.AUDIT: (Stage.BACKUPS,),
    Run.BOOTSTRAP: (Stage.HOSTS, Stage.IMAGE, Stage.MACHINES, Stage.RELEASES, Stage.FLUX),
    Run.RESTORE: (Stage.FLUX, Stage.SECRETS, Stage.BACKUPS),
    Run.REHEARSE: (Stage.BACKUPS,),
}
"""What each goes through: a restore into a cluster that was just built, a rehearsal beside one that lives."""


class Standing(Enum):
    """Whether a run works without something."""

    WORKS = "works"
    PARTLY = "partly"
    UNKNOWN = "unknown"
    NO = "no"


@dataclass(frozen=True)
class Without:
    """One run without one thing, and why it does not work, in a few words."""

    without: str
    run: Run
    standing: Standing
    why: str = ""


def without(given: Given, needs: tuple[Need, ...]) -> tuple[Without, ...]:
    """Every run without each thing that a house may lose, in the order: hosts, the internet, NAS, vaults."""
    found: list[Without] = []
    for host in dict.fromkeys(node.host for node in given.house.vms):
        found += [_without_host(given, needs, host, run) for run in Run]
    untold = {n for n in needs if n.means is Means.UNTOLD and n.item}
    # A folder that movers mount is in the home network, whatever the variable in its server's name stands for.
    beyond = {n for n in untold if "${" not in n.host}
    lost: list[tuple[str, set[Need], set[Need]]] = [
        ("the internet", {n for n in needs if n.means in (Means.INTERNET, Means.VAULT)}, beyond),
        *((f"NAS {nas.name}", {n for n in needs if n.means is Means.NAS and n.of == nas.name}, untold) for nas in given.house.nas),
        *((vault, {n for n in needs if n.means is Means.VAULT and n.of == vault}, set[Need]()) for vault in _vaults(needs)),
    ]
    for name, gone, maybe in lost:
        for run in Run:
            judged = _judged(name, run, needs, gone)
            unsure = _judged(name, run, needs, gone | maybe)
            # Worse with what nobody knows the place of: then nobody knows this either.
            found.append(judged if unsure.standing is judged.standing else Without(name, run, Standing.UNKNOWN, _nobody(maybe)))
    return tuple(found)


def _nobody(maybe: set[Need]) -> str:
    return f"on which machine {some(sorted({need.host for need in maybe}))} is, where backups are, nobody says"


def _vaults(needs: tuple[Need, ...]) -> Iterator[str]:
    yield from dict.fromkeys(need.of for need in needs if need.means is Means.VAULT)


def _judged(name: str, run: Run, needs: tuple[Need, ...], gone: set[Need]) -> Without:
    """What a run comes to when these needs are not met. Needs of one item stand for each other."""
    wanted = [need for need in needs if need.stage in STAGES[run] and (run is Run.AUDIT or not need.audited)]
    items: dict[tuple[Stage, str, str], list[Need]] = {}
    for need in wanted:
        items.setdefault((need.stage, need.what, need.item), []).append(need)
    shut = {key for key, each in items.items() if (all if each[0].any_of else any)(need in gone for need in each)}
    stops = list(dict.fromkeys(what for stage, what, item in items if (stage, what, item) in shut and not item))
    if stops:
        return Without(name, run, Standing.NO, some(stops))
    claims = {item for _, _, item in items if item}
    lost = {item for _, _, item in shut if item}
    if not lost:
        return Without(name, run, Standing.WORKS)
    if lost == claims:
        return Without(name, run, Standing.NO, "every backup")
    return Without(name, run, Standing.PARTLY, f"{number(len(lost), 'backup')} of {len(claims)}: {some(sorted(lost))}")


def _without_host(given: Given, needs: tuple[Need, ...], host: str, run: Run) -> Without:
    """A host takes its nodes with it, and the NAS whose VM is on it."""
    name = f"host {host}"
    of_nas, maybe = _nas_on(given, host)
    judged = _judged(name, run, needs, {n for n in needs if n.means is Means.NAS and n.of in of_nas})
    if judged.standing is not Standing.WORKS:
        return judged
    there = [node for node in given.house.vms if node.host == host]
    planes = [node for node in there if node.control_plane]
    every = len(given.house.control_planes)
    if run is Run.BOOTSTRAP and planes:
        return Without(name, run, Standing.NO, f"no new etcd is made while {some([n.name for n in planes])} may come back")
    if run in (Run.RESTORE, Run.REHEARSE) and every - len(planes) < every // 2 + 1:
        return Without(name, run, Standing.NO, "etcd has no majority")
    untold = {n for n in needs if n.stage in STAGES[run] and n.stage is Stage.BACKUPS and n.means is Means.UNTOLD and n.item}
    if untold:
        return Without(name, run, Standing.UNKNOWN, _nobody(untold))
    hanging = [nas for nas in maybe if any(n.of == nas and n.stage in STAGES[run] for n in needs)]
    if hanging:
        return Without(name, run, Standing.UNKNOWN, f"NAS {some(hanging)} is a VM, and which host it is on nobody has said")
    if there and run is not Run.AUDIT:
        return Without(name, run, Standing.PARTLY, f"without {some([node.name for node in there])}")
    return judged


def _nas_on(given: Given, host: str) -> tuple[set[str], list[str]]:
    """NAS that are known to be on this host, and those that may be."""
    known = {nas for nas, at in given.nas_hosts.items() if at == host}
    return known, [nas.name for nas in given.house.nas if nas.vm and nas.name not in given.nas_hosts]
