"""Programs of dead runs are ended by number and start time, or the run does not begin."""

from __future__ import annotations

import json

import pytest

from engine.errors import PermanentError
from engine.programs import Programs, end_leftovers
from engine.secrets import Secret


def test_only_what_was_alive_is_told() -> None:
    alive = {(10, "boot:1")}
    notes = [json.dumps([10, "boot:1", "helm upgrade"]), json.dumps([11, "boot:2", "kubectl get"])]
    assert end_leftovers(notes, lambda group, started: (group, started) in alive) == ("helm upgrade",)


def test_what_cannot_be_ended_is_named_with_the_command_that_ends_it() -> None:
    def end_group(group: int, started: str) -> bool:
        raise PermissionError("not ours")

    with pytest.raises(PermanentError) as caught:
        end_leftovers([json.dumps([10, "boot:1", "helm upgrade"])], end_group)
    assert "helm upgrade" in caught.value.evidence[0] and caught.value.next_command == "kill -KILL -- -10"


def test_what_is_shown_is_redacted_and_a_refusal_reaches_who_starts_the_program() -> None:
    word = Secret("hunter2-in-argv").reveal()
    noted: list[str] = []
    programs = Programs()
    programs.bind(noted.append)
    programs.noted(10, "boot:1", f"restic --password {word}")
    assert json.loads(noted[0]) == [10, "boot:1", "restic --password •••"]

    def refuse(text: str) -> None:
        raise PermanentError("the journal cannot be written")

    programs.bind(refuse)
    with pytest.raises(PermanentError):
        programs.noted(10, "boot:1", "helm")
