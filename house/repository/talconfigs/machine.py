"""What Git tells the machines themselves: their resolvers, clocks, image mirrors, and what their API servers serve besides.

Reads talconfig and its patches as far as these few settings go: strategic merges, JSON 6902 lists and the documents that Talos has
had beside its machineconfig since 1.12. Renders nothing, and says nothing of what a patch takes away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from house.files import yamlfile
from house.files.problems import Steps, shown
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document, YamlInvalid
from house.repository.talconfigs.patches import parts_of, patches_at


class Tells(Enum):
    """What a setting is about."""

    NAMESERVER = "nameserver"
    TIME = "time server"
    MIRROR = "image mirror"
    """Of a registry: `of` is that registry's host, `value` the mirror's URL."""
    ONLY_MIRROR = "image mirror without the registry behind it"
    SERVES = "runtime-config"
    """`group/version=true` of an API server."""
    SERVICES = "network of Services"


@dataclass(frozen=True)
class MachineSetting:
    """One value that some or all nodes are given, and where it stands (`file:line`)."""

    tells: Tells
    value: str
    declared_in: str
    of: str = ""


_LISTS: tuple[tuple[Tells, Steps], ...] = (
    (Tells.NAMESERVER, ("machine", "network", "nameservers")),
    (Tells.TIME, ("machine", "time", "servers")),
)
_MIRRORS: Steps = ("machine", "registries", "mirrors")
_SERVES: Steps = ("cluster", "apiServer", "extraArgs", "runtime-config")


def machine_settings(root: Path, file: Path) -> tuple[MachineSetting, ...]:
    """Everything that these settings say in the talconfig `file` of the repository at `root`, and in patches beside it, in the
    order of the files. () where there is no talconfig."""
    try:
        documents = yamlfile.load(file, shown(file, root))
    except YamlInvalid:
        return ()
    found: list[MachineSetting] = []
    for document in documents[:1]:
        body = mapping(document.value)
        for where, part in parts_of(body):
            found += _texts(document, (*where, "nameservers"), part.get("nameservers"), Tells.NAMESERVER)
            for name, line, text in patches_at(document, where, part, root, file.parent):
                # A block's text begins on the line below its key, or on that of the key: nobody can tell which, and one is near.
                found += _of_text(text, name, line if name == document.name else 0)
        found += _texts(document, ("clusterSvcNets",), body.get("clusterSvcNets"), Tells.SERVICES)
    return tuple(dict.fromkeys(found))


def _of_text(text: str, name: str, inline: int) -> Iterator[MachineSetting]:
    try:
        documents = yamlfile.parse(text, name)
    except YamlInvalid:
        return
    for document in documents:
        for one in _of_document(document):
            yield MachineSetting(one.tells, one.value, f"{name}:{inline}", one.of) if inline else one


def _of_document(document: Document) -> Iterator[MachineSetting]:
    if isinstance(document.value, list):
        for index, item in enumerate(document.value):
            yield from _of_operation(document, index, mapping(item))
        return
    body = mapping(document.value)
    kind = body.get("kind")
    if kind == "ResolverConfig":
        for index, item in enumerate(sequence(body.get("nameservers"))):
            yield _setting(document, ("nameservers", index), Tells.NAMESERVER, mapping(item).get("address", item))
    elif kind == "TimeSyncConfig":
        yield from _texts(document, ("ntp", "servers"), mapping(body.get("ntp")).get("servers"), Tells.TIME)
    elif kind == "RegistryMirrorConfig":
        yield from _mirror(document, (), body, str(body.get("name") or ""))
    elif kind is None:
        for tells, where in _LISTS:
            yield from _texts(document, where, _at(body, where), tells)
        for registry, mirror in mapping(_at(body, _MIRRORS)).items():
            yield from _mirror(document, (*_MIRRORS, registry), mapping(mirror), str(registry))
        yield from _serves(document, _SERVES, _at(body, _SERVES))


def _of_operation(document: Document, index: int, item: dict[str, Any]) -> Iterator[MachineSetting]:
    """One operation of a JSON 6902 patch, as if it were a merge."""
    if item.get("op") not in ("add", "replace"):
        return
    steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in str(item.get("path") or "").strip("/").split("/"))
    value, where = item.get("value"), (index, "value")
    for tells, at in _LISTS:
        if steps == at:
            yield from _texts(document, where, value, tells)
        elif steps[:-1] == at:
            yield _setting(document, where, tells, value)
    if steps == _SERVES:
        yield from _serves(document, where, value)
    elif steps == _SERVES[:-1]:
        yield from _serves(document, where, mapping(value).get("runtime-config"))
    if steps == _MIRRORS:
        for registry, mirror in mapping(value).items():
            yield from _mirror(document, (*where, registry), mapping(mirror), str(registry))
    elif steps[:-1] == _MIRRORS:
        yield from _mirror(document, where, mapping(value), steps[-1])


def _mirror(document: Document, where: Steps, mirror: dict[str, Any], registry: str) -> Iterator[MachineSetting]:
    tells = Tells.ONLY_MIRROR if mirror.get("skipFallback") is True else Tells.MIRROR
    for index, endpoint in enumerate(sequence(mirror.get("endpoints"))):
        url = mapping(endpoint).get("url", endpoint)
        yield _setting(document, (*where, "endpoints", index), tells, url, registry)


def _serves(document: Document, where: Steps, value: Any) -> Iterator[MachineSetting]:
    """`runtime-config` is one text with commas, or a list of such."""
    for text in value if isinstance(value, list) else [value]:
        for part in str(text or "").split(","):
            if part.strip():
                yield _setting(document, where, Tells.SERVES, part.strip())


def _texts(document: Document, where: Steps, value: Any, tells: Tells) -> Iterator[MachineSetting]:
    for index, item in enumerate(sequence(value)):
        yield _setting(document, (*where, index), tells, item)


def _setting(document: Document, where: Steps, tells: Tells, value: Any, of: str = "") -> MachineSetting:
    return MachineSetting(tells, str(value or ""), f"{document.name}:{document.line(where)}", of)


def _at(body: dict[str, Any], where: Steps) -> Any:
    found: Any = body
    for step in where:
        found = mapping(found).get(str(step))
    return found
