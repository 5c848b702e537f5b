"""Fixtures: the modelled house with one claim held, and with it restored and alive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HeldClaim
from lab.world.cluster.volumes import Destination
from tests.hands import only
from tests.scenario.running import Running


class Restoring(Running):
    """A house whose one claim is followed through its restore."""

    @property
    def entry(self) -> HeldClaim:
        """The claim's entry in the hold's record."""
        (entry,) = self.home.look().hold.record().claims
        return entry

    def entry_says(self, **changes: object) -> None:
        """Let the record say something else."""
        record = self.home.kube.objects().record
        assert record is not None
        record[("apps", "notes")] = replace(record[("apps", "notes")], **changes)  # type: ignore[arg-type]  # fields by name

    @property
    def destination(self) -> Destination:
        """The claim's ReplicationDestination."""
        return self.home.kube.objects().destinations[("apps", "notes-bootstrap")]

    @property
    def address(self) -> str:
        """Where its backups are."""
        return self.house.claims[0].mover_repository

    def up_to(self, *verbs: str) -> None:
        """Run the checks and these steps of the restore."""
        report = self.apply(only(self.restore, "preflight.", "hold.", *(f"recovery.{verb}/" for verb in verbs)))
        assert report.converged, report.root_causes


@pytest.fixture
def held(tmp_path: Path) -> Restoring:
    """After a bootstrap: one claim held, its backup an hour old."""
    return Restoring.bootstrapped(tmp_path / "state")


@pytest.fixture
def alive(tmp_path: Path) -> Restoring:
    """After a whole restore."""
    return Restoring.restored(tmp_path / "state")
