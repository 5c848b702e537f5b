"""What a repository tells of its backups' password and store without telling all: comments for a first settings file.

Decides nothing: no verb reads these, only a person does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from house.fluxgraph import Applied
from house.kustomize import Found, mapping, sequence

_NFS = re.compile(r"""\bnfs\b.*?\bserver:\s*"([^"]+)".*?\bpath:\s*"([^"]+)\"""", re.DOTALL)


@dataclass(frozen=True)
class Hints:
    """Lines that each end with the place they were read from: where the restic password comes from in the cluster, and what
    is mounted into movers."""

    passwords: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()


def hints(graph: list[Applied]) -> Hints:
    """What the objects of the graph tell, each line once."""
    passwords: dict[str, None] = {}
    stores: dict[str, None] = {}
    for applied in graph:
        for found in applied.objects:
            if found.kind == "ExternalSecret":
                passwords.update(dict.fromkeys(_passwords(applied, found)))
            elif found.kind == "MutatingAdmissionPolicy":
                stores.update(dict.fromkeys(_stores(applied, found)))
    return Hints(tuple(passwords), tuple(stores))


def _passwords(applied: Applied, found: Found) -> Iterator[str]:
    """The items of the secret store that an ExternalSecret makes RESTIC_PASSWORD of."""
    store = applied.text(mapping(found.spec.get("secretStoreRef")).get("name")).text or "its store"
    template = mapping(mapping(mapping(found.spec.get("target")).get("template")).get("data"))
    for entry in sequence(found.spec.get("data")):
        remote = mapping(mapping(entry).get("remoteRef"))
        if mapping(entry).get("secretKey") == "RESTIC_PASSWORD" and remote.get("key"):
            yield f"item {applied.text(remote['key']).text} of {store} ({found.place})"
    if "RESTIC_PASSWORD" in template:
        for entry in sequence(found.spec.get("dataFrom")):
            key = mapping(mapping(entry).get("extract")).get("key")
            if key:
                yield f"item {applied.text(key).text} of {store} ({found.place})"


def _stores(applied: Applied, found: Found) -> Iterator[str]:
    """The NFS folder that a policy mounts into VolSync's movers."""
    text = str(found.spec)
    if "volsync" not in text:
        return
    for mutation in sequence(found.spec.get("mutations")):
        for patch in ("jsonPatch", "applyConfiguration"):
            expression = str(mapping(mapping(mutation).get(patch)).get("expression") or "")
            for server, path in _NFS.findall(expression):
                yield f"NFS {applied.text(server).text}:{applied.text(path).text} ({found.place})"
