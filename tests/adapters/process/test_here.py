"""A process named for ever, and whether it is gone."""

from __future__ import annotations

import os
import subprocess
import sys

from adapters.process.here import gone, this_process


def test_this_process_is_not_gone_and_another_of_its_number_is() -> None:
    me = this_process()
    assert me.startswith(f"process {os.getpid()} of ")
    assert not gone(me)
    head, _, rest = me.partition(":")
    ticks, _, namespace = rest.partition(" ")
    assert gone(f"{head}:{int(ticks) - 1} {namespace}")


def test_one_that_has_ended_is_gone() -> None:
    told = "from adapters.process.here import this_process; print(this_process())"
    other = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.strip()
    assert other != this_process()
    assert gone(other)


def test_since_the_machine_was_started_anew_none_of_before_lives() -> None:
    boot = this_process().split(" of ")[1].partition(":")[0]
    assert gone(this_process().replace(boot, "00000000-0000"))


def test_of_another_pid_namespace_and_of_words_that_are_none_nothing_is_known() -> None:
    inside, _, _ = this_process().rpartition(" in ")
    assert not gone(f"{inside.replace(str(os.getpid()), '999999')} in 1")
    assert not gone("process 999999")
    assert not gone("")
