"""`cluster.verify --json` in the whole modelled house: the verb's own session, course and JSON lines."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from console.gate import GATES
from console.session import OpenDoors, Session
from console.verbs.cluster.verify import verify_of
from tests.console.modelled_doors import Desk, LentTime
from tests.coverage.whole_house import built, whole_given, written_down
from tests.scenario.running import Running

Row = dict[str, Any]


class WholeDesk(Desk):
    """The whole house behind the console's doors."""

    def __init__(self, folder: Path) -> None:
        given = replace(whole_given(), state_dir=folder / "state", settings_file=folder / "blackstart.yaml")
        self.running = built(Running(folder / "state", given))
        written_down(self.running)
        self.opened = []
        self.time = LentTime(self.running.clock)
        self.spoil = lambda act: act

    def verified(self, gate: str = "") -> Row:
        """The last line of a verify, or of one of its gates."""
        out = io.StringIO()
        doors: OpenDoors = self.doors
        verify_of(Session("cluster.verify", self.running.house, doors, json=True, out=out), GATES[gate] if gate else None)
        found: Row = json.loads(out.getvalue().splitlines()[-1])["result"]
        return found


def blocked(result: Row) -> set[str]:
    """What a verify says nothing of by itself, for it waits for what is red."""
    return {row["id"] for row in result["steps"] if row["outcome"] == "blocked"}


def red(result: Row) -> dict[str, str]:
    """What a verify calls wrong by itself, each with its words; warnings too, for they are told as well."""
    return {row["id"]: row["detail"] for row in result["steps"] if row["outcome"] == "failed"}
