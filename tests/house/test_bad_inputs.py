"""Every row of the tables of bad inputs is refused with its one message, or noted, at once and without a traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.loader import Part
from tests.house.bad_inputs import Row, made, rows
from tests.house.reading import load
from tests.house.small_house import write_repository

TABLES = ("bad_talconfig.yaml", "bad_networks.yaml", "bad_together.yaml", "bad_types.yaml")
ROWS = [(table, row) for table in TABLES for row in rows(table)]
SOON_S = 5.0


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[f"{table[:-5]}: {row['name']}" for table, row in ROWS])
def test_is_refused_or_noted(table: str, row: Row, tmp_path: Path) -> None:
    settings = made(tmp_path, row)
    began = time.process_time()
    if "notes" in row:
        assert list(row["notes"].splitlines()) == [note for note in load(settings).notes if note not in USUAL]
    else:
        with pytest.raises(SettingsInvalid) as caught:
            load(settings, Part(row.get("part", "all")))
        assert caught.value.exit_code == 10
        told = caught.value.evidence
        assert row.get("besides") or len(told) == 1, told
        assert any(fits(line, row["says"]) for line in told), told
    assert time.process_time() - began < SOON_S


def fits(told: str, says: str) -> bool:
    """Whether a message is `says`, or has all of its parts between `~` in it and begins with the first."""
    parts = says.split("~")
    if len(parts) == 1:
        return told == says or (told.partition(": ")[2] == says and told.partition(":")[2][0].isdecimal())
    return (told.startswith(parts[0]) and all(part in told for part in parts)) or (
        told.partition(": ")[2].startswith(parts[0]) and all(part in told for part in parts)
    )


@pytest.fixture(scope="module", autouse=True)
def usual_notes(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the small house is noted for as it is."""
    USUAL.extend(load(write_repository(tmp_path_factory.mktemp("usual"))).notes)


USUAL: list[str] = []


def test_names_are_told_apart() -> None:
    names = [(table, row["name"]) for table, row in ROWS]
    assert len(set(names)) == len(names) > 80
