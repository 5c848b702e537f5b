"""Which schematic of an Image Factory a node of talconfig is installed from, by its id. Asks no factory.

A factory calls a schematic by the SHA-256 of its text, so that the same extensions and kernel arguments have one id. The text is
what Go's YAML writes of it, four spaces deep; talhelper's `genurl --offline-mode` counts it in the same way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from house.files.shapes import mapping

_IN_URL = re.compile(r"/([0-9a-f]{64})(?::|@|$)")
_SHOWN_PLAIN = re.compile(r"-?[A-Za-z/][A-Za-z0-9_./=+-]*")
_NO_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
_GROUPS = {True: "controlPlane", False: "worker"}


def schematic_of(cluster: Mapping[str, Any], node: Mapping[str, Any], installer: str, *, control_plane: bool) -> str:
    """The id of what this node is installed from: of its image's address, of its own `schematic`, or of that of all of its kind.
    "" where none of them says, or one says more than is counted here (overlays, meta, secure boot)."""
    if installer:
        found = _IN_URL.search(installer)
        return found[1] if found is not None else ""
    group = mapping(cluster.get(_GROUPS[control_plane]))
    said = node.get("schematic") or group.get("schematic")
    if not said and (address := group.get("talosImageURL")):
        found = _IN_URL.search(str(address))
        return found[1] if found is not None else ""
    return id_of(mapping(said)) if isinstance(said, dict) else ""


def id_of(schematic: Mapping[str, Any]) -> str:
    """The id that a factory gives this schematic, "" where that is not known."""
    try:
        return hashlib.sha256("".join(_text(schematic)).encode()).hexdigest()
    except _Unknown:
        return ""


class _Unknown(Exception):
    """Something in a schematic whose text nobody here knows."""


def _text(schematic: Mapping[str, Any]) -> Iterator[str]:
    custom = _only(schematic, "customization")
    arguments, extensions = _lists(custom)
    if not (arguments or extensions):
        yield "customization: {}\n"
        return
    yield "customization:\n"
    if arguments:
        yield "    extraKernelArgs:\n"
        yield from (f"        - {_plain(one)}\n" for one in arguments)
    if extensions:
        yield "    systemExtensions:\n        officialExtensions:\n"
        yield from (f"            - {_plain(one)}\n" for one in extensions)


def _lists(custom: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    if custom.keys() - {"extraKernelArgs", "systemExtensions"}:
        raise _Unknown
    official = _only(mapping(custom.get("systemExtensions")), "officialExtensions")
    arguments, extensions = custom.get("extraKernelArgs") or [], official or []
    if not (isinstance(arguments, list) and isinstance(extensions, list)):
        raise _Unknown
    return arguments, extensions


def _only(value: Mapping[str, Any], key: str) -> Any:
    """What stands under the one key that may be there."""
    if value.keys() - {key}:
        raise _Unknown
    return value.get(key) or {}


def _plain(value: Any) -> str:
    """A text that needs no quotes: how others are quoted is a question of the writer."""
    if not isinstance(value, str) or _SHOWN_PLAIN.fullmatch(value) is None or value.lower() in _NO_TEXT:
        raise _Unknown
    return value
