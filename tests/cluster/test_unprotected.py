"""What has no backup: Git's, and a living cluster's besides; a cluster that is not there is told, and no fault."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.kubernetes.results import SeenClaim
from cluster.backups.unprotected import audit_data
from engine.errors import TransientError
from house.data.nouns import DeclaredData, Holder, Keeps, Space, Unprotected
from house.model import House
from tests.builders import a_house

DATA = DeclaredData(
    holders=(
        Holder("tools", "films", Keeps.CLAIM, "2Ti", "fast", "a.yaml:1"),
        Holder("tools", "data-db", Keeps.TEMPLATE, "1Gi", "fast", "a.yaml:2"),
        Holder("tools", "pg", Keeps.DATABASE, "1Gi", "fast", "a.yaml:3"),
        Holder("tools", "kps.grafana", Keeps.CHART, "1Gi", "fast", "a.yaml:4"),
        Holder("tools", "data-two", Keeps.TEMPLATE, "1Gi", "fast", "a.yaml:5"),
        Holder("tools", "plex-media", Keeps.NFS, "", "nas:/tank", "a.yaml:6"),
    ),
    protected=frozenset({(Space.CLAIM, "apps/notes"), (Space.DATABASE, "tools/pg"), (Space.TEMPLATE, "tools/data-two")}),
    unprotected=(
        Unprotected(Holder("tools", "films", Keeps.CLAIM, "2Ti", "fast", "a.yaml:1")),
        Unprotected(Holder("tools", "data-db", Keeps.TEMPLATE, "1Gi", "fast", "a.yaml:2")),
        Unprotected(Holder("tools", "plex-media", Keeps.NFS, "", "nas:/tank", "a.yaml:6"), "bought on discs"),
    ),
    charts=("tools/kps", "tools/loki"),
)


@dataclass
class Claims:
    """The one look that is needed of a cluster."""

    seen: tuple[SeenClaim, ...] = ()
    silent: bool = False

    def claims(self) -> tuple[SeenClaim, ...]:
        if self.silent:
            raise TransientError("the API server does not answer")
        return self.seen


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "kubeconfig").write_text("")
    return a_house(state_dir=tmp_path, data=DATA, unprotected=(("tools/cache", "made anew"),))


def test_every_living_claim_is_a_row_unless_it_is_one_already_or_backed_up(house: House) -> None:
    seen = (
        SeenClaim("apps", "notes", "1Gi", "fast"),
        SeenClaim("tools", "films", "2Ti", "fast"),
        SeenClaim("tools", "data-db-0", "1Gi", "fast"),
        SeenClaim("tools", "data-db-x", "1Gi", "fast"),
        SeenClaim("tools", "pg-1", "1Gi", "fast", database="pg"),
        SeenClaim("tools", "pg-1-wal", "1Gi", "fast", database="other"),
        SeenClaim("tools", "grafana", "1Gi", "fast", release="kps"),
        SeenClaim("tools", "storage-loki-0", "9Gi", "slow", release="loki"),
        SeenClaim("apps", "volsync-notes-src", "1Gi", "fast", passing=True),
        SeenClaim("tools", "cache", "1Gi", "fast"),
    )
    found = audit_data(Claims(seen), house)  # type: ignore[arg-type]  # one look of it
    assert [(one.holder.key, one.holder.size, one.reason) for one in found.bare] == [
        ("tools/films", "2Ti", ""), ("tools/data-db", "1Gi", ""), ("tools/plex-media", "", "bought on discs"),
        ("tools/data-db-x", "1Gi", ""), ("tools/pg-1-wal", "1Gi", ""),
        ("tools/storage-loki-0", "9Gi", ""), ("tools/cache", "1Gi", "made anew"),
    ]  # fmt: skip
    assert len(found.faults) == 5
    assert found.not_asked == ""


def test_a_living_claim_is_a_row_whatever_else_has_its_name(tmp_path: Path) -> None:
    """A database's, a mount's, a template's, and a claim that a template which is backed up has not any more."""
    (tmp_path / "kubeconfig").write_text("")
    said = (("tools/plex-media", "bought on discs"), ("tools/pg (claim)", "a cache"))
    house = a_house(state_dir=tmp_path, data=DATA, unprotected=said)
    names = ("pg", "plex-media", "data-db", "data-two", "data-two-7")
    found = audit_data(Claims(tuple(SeenClaim("tools", name, "1Gi", "fast") for name in names)), house)  # type: ignore[arg-type]  # one look of it
    more = found.bare[len(DATA.unprotected):]
    assert [(one.holder.name, one.reason) for one in more] == [(name, "a cache" if name == "pg" else "") for name in names]
    assert [one.said_as for one in more if one.holder.name == "plex-media"] == ["tools/plex-media (claim)"]


def test_a_cluster_that_is_silent_or_not_there_leaves_unknown_what_only_it_can_tell(house: House, tmp_path: Path) -> None:
    asked = audit_data(Claims(), house)  # type: ignore[arg-type]  # one look of it
    assert (asked.silent, asked.charts) == (False, ())
    silent = audit_data(Claims(silent=True), house)  # type: ignore[arg-type]  # one look of it
    assert (silent.not_asked, len(silent.faults)) == ("the API server does not answer", 2)
    assert (silent.silent, silent.charts) == (True, ("tools/kps", "tools/loki"))
    (tmp_path / "kubeconfig").unlink()
    none = audit_data(Claims(silent=True), house)  # type: ignore[arg-type]  # one look of it
    assert none.not_asked == "there is no kubeconfig in the state folder"
    assert (none.silent, none.charts) == (False, ("tools/kps", "tools/loki"))
