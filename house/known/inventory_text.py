"""The inventory as a file: one line for each VM, volume and replica set, so that a change of one is a change of one line in Git."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

from house.files.scalars import in_quotes, plain
from house.files.whole import write_file
from house.known.inventory import Inventory

_HEAD = """# Written by `invoke cluster.inventory --write`: what the house was made of then, for when nobody can be asked.
# No secret is in it: no keyring, no password. Commit it; do not edit it.
"""


def inventory_text(inventory: Inventory) -> str:
    """The whole file."""
    return _HEAD + "".join(f"{line}\n" for line in _lines(inventory))


def write_inventory(file: Path, inventory: Inventory) -> None:
    """Write it in one piece. Raises SettingsInvalid where it cannot be written."""
    write_file(file, inventory_text(inventory))


def _lines(inventory: Inventory) -> Iterator[str]:
    yield f"house: {_flow(inventory.house)}"
    if inventory.image is not None:
        yield f"image: {_flow(inventory.image)}"
    for name in ("machines", "cluster"):
        section = getattr(inventory, name)
        if section is None:
            continue
        yield f"{name}:"
        for part in fields(section):
            value = getattr(section, part.name)
            if not value or not is_dataclass(value[0]):
                yield f"  {part.name}: {_flow(value)}"
                continue
            yield f"  {part.name}:"
            yield from (f"    - {_flow(one)}" for one in value)


def _flow(value: object) -> str:
    """A value on one line; of a record what is not as it is anyway."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if is_dataclass(value):
        said = {part.name: getattr(value, part.name) for part in fields(value)}
        usual = {part.name: part.default for part in fields(value) if part.default is not MISSING}
        told = (f"{name}: {_flow(one)}" for name, one in said.items() if name not in usual or usual[name] != one)
        return f"{{{', '.join(told)}}}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return plain(text) if text and "\n" not in text else in_quotes(text)
