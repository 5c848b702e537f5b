"""The demo of what stands under the data holds from end to end, and says that it is modelled."""

from __future__ import annotations

import pytest

from console.demo.modelled import MODELLED
from console.verbs import lab
from engine.errors import EXIT_OK, EXIT_STEP_FAILED

Printed = pytest.CaptureFixture[str]


def test_all_of_it_holds_and_the_degraded_pool_is_told(capsys: Printed) -> None:
    code = lab.demo(modelled=False, part="storage")
    told = capsys.readouterr().out
    assert "DOES NOT HOLD" not in told, told
    assert code == EXIT_OK
    lines = told.splitlines()
    assert lines[0] == lines[-1] == MODELLED.mark + MODELLED.banner
    for words in (
        "VM 105 nas is off, on pve-2; backups that wait for it: apps/notes", "pool tank: is DEGRADED",
        "apps/notes, from the NAS: 40 files", "apps/wiki, from the bucket: 25 files", "its rows: first, second, third",
    ):  # fmt: skip
        assert words in told


def test_a_part_that_there_is_not_is_refused(capsys: Printed) -> None:
    assert lab.demo(modelled=False, part="etcd") == EXIT_STEP_FAILED
    told = capsys.readouterr()
    assert "the demo has no part etcd" in told.out + told.err
