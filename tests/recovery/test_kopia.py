"""A claim of kopia's: looked at like any other, restored by nobody here, and told how it is restored by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from console.verbs.dr import audit
from console.verbs.dr import restore as dr
from engine import errors
from house.model import SecretRef, UnsupportedBackup
from recovery.kopia import by_hand, of_kopia
from recovery.selection import named
from tests.builders import a_claim
from tests.console.modelled_doors import Desk
from tests.scenario.running import DATA

Printed = pytest.CaptureFixture[str]
PLACE = "kubernetes/apps/wiki.yaml:3"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    wiki = replace(a_claim("wiki"), engine="kopia", identity="wiki@apps:/data", declared_in=PLACE)
    made = Desk(tmp_path, kopia=(wiki,), unsupported=(UnsupportedBackup("apps", "wiki", "kopia", PLACE),))
    made.running.home.seed_backup(wiki.mover_repository, DATA)
    return made


def test_it_is_audited_and_not_counted_as_left_out(desk: Desk, capsys: Printed) -> None:
    assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_OK
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert [(row["claim"], row["told"]) for row in result["audits"]] == [("apps/notes", "ok (tree)"), ("apps/wiki", "ok (tree)")]
    assert result["left_out"] == [] and result["not_audited"] == []


def test_one_that_is_gone_fails_the_audit(desk: Desk, capsys: Printed) -> None:
    desk.running.home.store.repositories.pop(a_claim("wiki").mover_repository)
    assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
    assert "1 ok, 1 missing" in capsys.readouterr().out


def test_a_restore_of_it_is_refused_with_the_course_by_hand(desk: Desk) -> None:
    (snapshot,) = desk.running.home.store.repositories[a_claim("wiki").mover_repository].snapshots
    with pytest.raises(errors.PreflightRefused) as refused:
        dr.restore_course(desk.session("dr.restore"), "wiki", "")
    assert refused.value.what == "apps/wiki: backed up by kopia, which no run of this tool restores; nothing was done"
    first, *commands = refused.value.evidence
    assert first == f"apps/wiki: snapshot {snapshot.snapshot_id} of {snapshot.pin} (wiki@apps:/data), ok (tree)"
    assert any(line.startswith("KOPIA_PASSWORD=") and f" restore {snapshot.snapshot_id} " in line for line in commands)


def test_where_nothing_can_be_restored_no_command_is_said(desk: Desk) -> None:
    desk.running.home.store.repositories.pop(a_claim("wiki").mover_repository)
    with pytest.raises(errors.PreflightRefused) as refused:
        dr.restore_course(desk.session("dr.restore"), "apps/wiki", "")
    (told,) = refused.value.evidence
    assert told.startswith("apps/wiki: no snapshot that can be restored is known: missing")


def test_without_a_name_it_is_in_no_course(desk: Desk) -> None:
    house = desk.running.house
    assert of_kopia(house, "") == () and "apps/wiki" not in {claim.key for claim in named(house, "")}


def test_no_secret_stands_in_the_commands_and_a_bucket_is_named_in_kopias_words() -> None:
    keys = (("AWS_ACCESS_KEY_ID", SecretRef(("env:A",))), ("AWS_SECRET_ACCESS_KEY", SecretRef(("env:B",))))
    claim = replace(
        a_claim("wiki"), engine="kopia", identity="wiki@apps:/data", open_as="s3:https://s3.lan:9000/backups/kopia",
        environment=keys, password=SecretRef(("file:/etc/pw",)), ca_file="/etc/ca.pem",
    )  # fmt: skip
    first, restore, *_ = by_hand(claim, "ab" * 16)
    secrets = 'KOPIA_PASSWORD="$(cat /etc/pw)" AWS_ACCESS_KEY_ID="$(printenv A)" AWS_SECRET_ACCESS_KEY="$(printenv B)"'
    assert first.startswith(f"{secrets} kopia repository connect ")
    assert "s3 --bucket=backups --endpoint=s3.lan:9000 --prefix=kopia/ --root-ca-pem-path=/etc/ca.pem --readonly" in first
    assert f"kopia restore {'ab' * 16} restored/apps-wiki" in restore
