"""A number that somebody else wrote: digits of other scripts, thousands of them, or none at all cost an answer, and no run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import adapters
import cluster
import console
from adapters.helm.records import revision_of
from adapters.proxmox.hardware import _start
from adapters.proxmox.properties import number
from adapters.secrets.keys import find, steps_of
from adapters.volsync.trigger import numbered
from house.files.grammar import LARGEST, number_of

ODD = ["\u00b2", "\u0663", "9" * 5000, "", "-", "--5", "1_0", " 1", "1e9", "0x1", str(LARGEST + 1)]


@pytest.mark.parametrize("text", ODD)
def test_it_is_none(text: str) -> None:
    assert number_of(text) is None
    assert number(text) == 0
    assert find({"keys": ["a", "b"]}, steps_of(f"keys[{text}]") if text else ("keys", "")) is None
    assert numbered("restore", f"restore-again-{text}") == "restore-again-1"
    assert revision_of({"metadata": {"labels": {"version": text}}}) == 0
    assert _start(f"order={text},up={text}") == (-1, -1, -1)


def test_numbers_are_read() -> None:
    assert [number(one) for one in (7, "7", "-7", 7.9, True, "07")] == [7, 7, -7, 7, 1, 7]
    assert [number(one) for one in (float("inf"), float("nan"), None, [])] == [0, 0, 0, 0]
    assert find({"keys": ["a", "b"]}, steps_of("keys[1]")) == "b" and find({"keys": ["a"]}, steps_of("keys[1]")) is None
    assert numbered("restore", "restore-again-7") == "restore-again-8"
    assert _start("order=2,down=9") == (2, -1, 9)


OURS = {"groups.py", "kin.py", "keeper.py", "client.py", "unprotected.py", "bases.py", "server.py", "reading.py"}
"""What is asked for names of /proc and files of ours, or without making a number of it."""


def test_digits_are_read_in_one_way() -> None:
    asks = re.compile(r"\.is(digit|decimal|numeric)\(\)")
    folders = [Path(str(module.__file__)).parent for module in (adapters, cluster, console)]
    found = {file.name for folder in folders for file in folder.rglob("*.py") if asks.search(file.read_text(encoding="utf-8"))}
    assert found <= OURS, "house.files.grammar has number_of: int() fails on what these call digits"
