"""A storage that several hosts share is listed once, through whichever of them can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from adapters.proxmox.backups import vm_backups
from adapters.proxmox.results import Storage
from engine.errors import TransientError
from tests.builders import GIB

HOSTS = {"pve-1": True, "pve-2": True, "pve-3": True}


def look(inactive: tuple[str, ...], silent: tuple[str, ...]) -> tuple[list[str], tuple[str, ...], tuple[str, ...]]:
    """The volumes found, what was listed, what was not."""

    def storages(host: str) -> tuple[Storage, ...]:
        return (Storage("pbs", host, "pbs", frozenset({"backup"}), True, host not in inactive, GIB, GIB),)

    def rows(path: str, doing: str, only: Mapping[str, object]) -> list[dict[str, Any]]:
        if path.split("/")[2] in silent:
            raise TransientError("its storage does not answer")
        return [{"volid": "pbs:backup/vm/105/a", "ctime": 1.0, "size": GIB}]

    seen = vm_backups(105, HOSTS, storages, lambda wanted: (), rows)
    return [one.volume for one in seen.found], seen.listed, seen.unseen


@pytest.mark.parametrize(("inactive", "silent"), [((), ()), (("pve-1",), ()), ((), ("pve-1",)), (("pve-1",), ("pve-2",))])
def test_what_one_host_lists_was_seen_whatever_the_others_say(inactive: tuple[str, ...], silent: tuple[str, ...]) -> None:
    assert look(inactive, silent) == (["pbs:backup/vm/105/a"], ("pbs",), ())


def test_what_none_lists_is_told_once() -> None:
    assert look(("pve-1", "pve-3"), ("pve-2",)) == ([], (), ("pbs: not active",))
    assert look((), tuple(HOSTS)) == ([], (), ("pbs: its storage does not answer",))
