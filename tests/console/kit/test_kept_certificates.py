"""dr.kit keeps the TLS Secrets of the cluster before it packs, and those of before where the cluster cannot be asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.verbs.dr.kit import keep_certificates
from house.known.inventory import certificates_path
from house.values.afterwards import Kit
from tests.builders import a_house
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A house that wants them kept, whose cluster is not there yet."""
    given = a_house(state_dir=tmp_path / "state", settings_file=tmp_path / "blackstart.yaml")
    return Desk(tmp_path, replace(given, kit=Kit(certificates=True)))


def test_they_are_written_beside_the_settings_and_stay_where_nobody_answers(desk: Desk, capsys: Printed) -> None:
    file = certificates_path(desk.running.house)
    assert keep_certificates(desk.session("dr.kit")) != ""
    assert "and none goes along" in capsys.readouterr().out.replace("\n", " ")
    assert not file.exists()
    desk.running.apply(desk.running.bootstrap)
    desk.running.home.kube.objects().tls["web", "wiki-tls"] = desk.running.clock.now() + 86400.0
    assert keep_certificates(desk.session("dr.kit")) == ""
    assert "1 TLS Secret, encrypted" in capsys.readouterr().out.replace("\n", " ")
    kept = file.read_text()
    assert "web/wiki-tls" in kept
    desk.running.home.lose_every_vm()
    assert keep_certificates(desk.session("dr.kit")) != ""
    assert "those that were kept before go along" in capsys.readouterr().out.replace("\n", " ")
    assert file.read_text() == kept


def test_a_house_that_wants_none_kept_is_not_asked(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert keep_certificates(desk.session("dr.kit")) == ""
    assert desk.opened == [] and not certificates_path(desk.running.house).exists()
