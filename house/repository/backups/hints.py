"""What a repository tells of its backups' password and store without telling all: comments for a first settings file.

Decides nothing: no verb reads these, only a person does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from house.files.shapes import mapping, sequence
from house.flux.rendered import Rendered, RenderedObject

_NFS = re.compile(r"""\bnfs\b.*?\bserver:\s*"([^"]+)".*?\bpath:\s*"([^"]+)\"""", re.DOTALL)


@dataclass(frozen=True)
class Hints:
    """Lines that each end with the place they were read from: where the restic password comes from in the cluster, and what
    is mounted into movers."""

    passwords: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()


def hints(rendered: Rendered) -> Hints:
    """What the objects tell, each line once."""
    passwords: dict[str, None] = {}
    stores: dict[str, None] = {}
    for found in rendered.objects:
        if found.kind == "ExternalSecret":
            passwords.update(dict.fromkeys(_passwords(found)))
        elif found.kind == "MutatingAdmissionPolicy":
            stores.update(dict.fromkeys(_stores(found)))
    return Hints(tuple(passwords), tuple(stores))


def _passwords(found: RenderedObject) -> Iterator[str]:
    """The items of the secret store that an ExternalSecret makes RESTIC_PASSWORD of."""
    store = mapping(found.spec.get("secretStoreRef")).get("name") or "its store"
    template = mapping(mapping(mapping(found.spec.get("target")).get("template")).get("data"))
    for entry in sequence(found.spec.get("data")):
        remote = mapping(mapping(entry).get("remoteRef"))
        if mapping(entry).get("secretKey") == "RESTIC_PASSWORD" and remote.get("key"):
            yield f"item {remote['key']} of {store} ({found.declared_in})"
    if "RESTIC_PASSWORD" in template:
        for entry in sequence(found.spec.get("dataFrom")):
            key = mapping(mapping(entry).get("extract")).get("key")
            if key:
                yield f"item {key} of {store} ({found.declared_in})"


def mover_mounts(rendered: Rendered) -> Iterator[tuple[str, str, str]]:
    """Server, path and the place it was read from of every NFS folder that a policy mounts into VolSync's movers."""
    for found in rendered.objects:
        if found.kind == "MutatingAdmissionPolicy":
            yield from _mounts(found)


def _stores(found: RenderedObject) -> Iterator[str]:
    for server, path, where in _mounts(found):
        yield f"NFS {server}:{path} ({where})"


def _mounts(found: RenderedObject) -> Iterator[tuple[str, str, str]]:
    text = str(found.spec)
    if "volsync" not in text:
        return
    for mutation in sequence(found.spec.get("mutations")):
        for patch in ("jsonPatch", "applyConfiguration"):
            expression = str(mapping(mapping(mutation).get(patch)).get("expression") or "")
            for server, path in _NFS.findall(expression):
                yield server, path, found.declared_in
