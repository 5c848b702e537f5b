"""A NAS that is a VM on the hosts whose house it holds the backups of: who loses the hosts loses both."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.inside import sections
from cluster.lint.needs import host_of, mover_servers, nas_of
from engine.text.words import number, some
from house.values.nas import Nas

NAME = "nas-on-its-hosts"


def _find(given: Given) -> Iterator[Finding]:
    for nas in given.house.nas:
        held, alone = _held(given, nas)
        if nas.vm and held:
            yield _virtual(given, nas, held, alone)
    yield from _unnamed(given)


def _held(given: Given, nas: Nas) -> tuple[list[str], list[str]]:
    """What is backed up to this NAS, and what of it to nothing else."""
    held, alone = [], []
    for claim in given.house.claims:
        places = [nas_of(given, one) == nas for one in claim.sources]
        held += [claim.key] if any(places) else []
        alone += [claim.key] if all(places) else []
    for key, server in _of_others(given):
        if server.lower() in nas.names:
            held.append(key)
            alone.append(key)
    archived = [one.key for one in given.house.archives if host_of(one.place).lower() in nas.names]
    return held + archived, alone + archived


def _of_others(given: Given) -> Iterator[tuple[str, str]]:
    """What other engines back up to an NFS server: kopia's movers with a volume of their own, and kopiur's repositories."""
    for one in given.rendered.objects:
        if (one.group == "volsync.backube" and one.kind == "ReplicationSource") or "kopiur" in one.group:
            for path, section in sections(one.spec):
                if path[-1:] == ("nfs",) and section.get("server"):
                    claim = one.spec.get("sourcePVC")
                    yield f"{one.namespace}/{claim}" if claim else f"{one.kind} {one.name}", str(section["server"])


def _virtual(given: Given, nas: Nas, held: list[str], alone: list[str]) -> Finding:
    host = given.nas_hosts.get(nas.name, "")
    on = f"host {host}" if host else "one of the Proxmox hosts"
    only = "nothing else holds" if len(alone) == len(held) else f"of which {number(len(alone), 'is', 'are')} nowhere else"
    what = f"NAS {nas.name} is VM {nas.vm} on {on}, and holds the backups of {some(held)}"
    return Finding(
        NAME, Weight.PARADOX if alone else Weight.RISK, f"NAS {nas.name}",
        f"{what}, which {only}" if alone and len(alone) == len(held) else f"{what}, {only}" if alone else f"{what} as well",
        given.said_at("nas", nas.name, "vm"),
        "a rebuild of the hosts takes the machine away that the data come back from; its own disks must outlive its VM",
        f"back up to one more place that is no VM of these hosts; until then know how it comes up by hand: qm start {nas.vm}",
    )  # fmt: skip


def _unnamed(given: Given) -> Iterator[Finding]:
    """Repositories on an NFS server that is no NAS of the settings: whether it is a VM here nobody says."""
    paths = [one.key for one in given.house.claims if one.mover_repository.startswith("/") and nas_of(given, one) is None]
    server, where = next(iter(mover_servers(given)), ("", ""))
    if paths and server:
        vms = [f"NAS {nas.name}, VM {nas.vm}" for nas in given.house.nas if nas.vm]
        maybe = f"; it may be {' or '.join(vms)}" if vms else ""
        yield Finding(
            NAME, Weight.UNKNOWN, f"NFS server {server}",
            f"the backups of {some(paths)} lie on {server}, and no NAS of the settings is called so{maybe}", where,
            "where it is a VM on these hosts, a rebuild of them takes the backups away",
            "name it under `nas:` in the settings: `also: [NAME]`, the folder under `exports:`, and where it is a VM `vm: ID`",
        )  # fmt: skip


RULE = Rule(NAME, "Is the NAS with the backups a VM on the hosts that a rebuild begins with?", _find)
