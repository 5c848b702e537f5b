"""The demo of the commoner bad days holds from end to end, and says that it is modelled."""

from __future__ import annotations

import pytest

from console.demo.modelled import MODELLED
from console.verbs import lab
from engine.errors import EXIT_OK

Printed = pytest.CaptureFixture[str]


def test_all_of_it_holds(capsys: Printed) -> None:
    code = lab.demo(modelled=True, part="loss")
    told = capsys.readouterr().out
    assert "DOES NOT HOLD" not in told, told
    assert code == EXIT_OK
    lines = told.splitlines()
    assert lines[0] == lines[-1] == MODELLED.mark + MODELLED.banner
    for words in (
        "apps/wiki meanwhile: 0 restarts, 0 of ", "dr.fetch apps/notes notes/today.md: 1 file of 21 bytes",
        "1 of 3 snapshots is left", "VM 8005 on pve-1; etcd lists cp-1, cp-2, cp-3, cp-2 as a new member",
        "what ran went on without an API server", "what was written after that is lost", "every VM is off", "both are released",
    ):  # fmt: skip
        assert words in told, words
