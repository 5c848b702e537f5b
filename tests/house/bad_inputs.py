"""Tables of inputs that are refused or noted, each by a change to the small house of small_house.py. Shared by the tests of them.

A row has `name`; `file` (blackstart.yaml where it is left out) with `old` and `new`, or with `new` alone for the whole file; or
`changes`, a list of such; or `absent`; `links`: path → target. Then `says`: the one message, or `notes`: the one more note.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from house.files import yamlfile
from tests.house.small_house import write_repository

Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    """The rows of a table beside this file."""
    found: list[Row] = yamlfile.load(Path(__file__).with_name(name))[0].value
    return found


def made(root: Path, row: Row) -> Path:
    """The small house with this row's changes; answers the settings file."""
    settings = write_repository(root)
    if "absent" in row:
        (root / row["absent"]).unlink()
    for name, target in row.get("links", {}).items():
        link = root / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    for change in row.get("changes", [row] if "new" in row else []):
        _change(root, change)
    return settings


def _change(root: Path, change: Row) -> None:
    file = root / change.get("file", "blackstart.yaml")
    if "old" in change:
        text = file.read_text(encoding="utf-8")
        assert change["old"] in text, f"the change of {file.name} changes nothing"
        new = text.replace(change["old"], change["new"], 1)
    else:
        new = change["new"]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(new, encoding="utf-8")
