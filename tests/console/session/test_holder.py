"""Who a machine is in the Lease: names, addresses and paths of two may be the same, and ids of images are empty."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from console.opened import real_doors
from tests.builders import a_house


@pytest.fixture(autouse=True)
def one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two virtual machines or containers with a stock name."""
    monkeypatch.setattr(platform, "node", lambda: "ubuntu")


def holder(folder: Path, monkeypatch: pytest.MonkeyPatch, machine_id: str | None, boot_id: str) -> str:
    """Of a machine with these ids, whose house lies in the same place as everybody else's."""
    places = (folder / "machine-id", folder / "boot_id")
    for place, told in zip(places, (machine_id, boot_id), strict=True):
        place.unlink(missing_ok=True)
        if told is not None:
            place.write_text(f"{told}\n")
    monkeypatch.setattr(real_doors, "MACHINE_IDS", places)
    return real_doors.holder_of(a_house(state_dir=Path("/root/home-ops/state/h")))


@pytest.mark.parametrize(("one", "other"), [("a" * 32, "b" * 32), ("", ""), ("uninitialized", "uninitialized"), (None, None)])
def test_machines_of_one_name_and_one_path_are_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str | None, other: str | None
) -> None:
    first, again = (holder(tmp_path, monkeypatch, one, "boot-1") for _ in range(2))
    assert first == again
    assert holder(tmp_path, monkeypatch, other, "boot-2") != first


def test_a_machine_with_an_id_is_the_same_after_a_boot_and_hides_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = holder(tmp_path, monkeypatch, "c" * 32, "boot-1")
    assert holder(tmp_path, monkeypatch, "c" * 32, "boot-2") == first
    assert "c" * 8 not in first
