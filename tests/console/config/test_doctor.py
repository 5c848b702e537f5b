"""config.doctor says yes only of what it has looked at, asks no server untold, and names one next command for whatever lacks."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from console.doctor import looking
from console.doctor.looking import Subject
from console.doctor.nouns import Answer, Lack, able
from console.opened import programs
from console.opened.building import builder
from console.session import Session
from console.verbs import config, doctor
from console.verbs.doctor import Reach, doctor_of
from engine.errors import EXIT_DRIFT, Interrupted, SettingsInvalid
from engine.text.words import number
from house.first.writing import write_settings
from house.known.lock import LOCK_FILE
from house.loader import Examined, examine
from house.values.databases import DatabaseArchive
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line
from tests.console.screens.test_screens import Terminal
from tests.house.first.test_init import fill_in
from tests.house.small_house import write_repository

LOOKED = Reach(builder())


@dataclass(frozen=True)
class Sought:
    """What came of looking for a program."""

    usable: bool
    why: str = "it is not there"


def told(settings: str, capsys: Printed, reach: Reach = LOOKED) -> tuple[int, dict[str, Any]]:
    code = doctor_of(settings, True, reach)
    result = last_line(capsys)
    assert (result["verb"], result["exit_code"]) == ("config.doctor", code)
    return code, result | {"by": {one["verb"]: one for one in result["verbs"]}}


def lacks(row: dict[str, Any]) -> str:
    return "\n".join(lack["told"] for lack in row["lacks"])


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A repository whose settings were just written by config.init."""
    write_repository(tmp_path).unlink()
    return write_settings(tmp_path, builder(), lambda: "5f1d7c2a9e").file


@pytest.fixture
def filled(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same filled in, its keys in the environment, with a house that nothing hinders (kopia and the oddities left out)."""
    folder = fresh.parent
    (folder / "kubernetes/apps/apps/odd/app/all.yaml").write_text("kind: ConfigMap\napiVersion: v1\nmetadata: {name: odd}\n")
    (folder / "talos/talsecret.sops.yaml").write_text("sops: {}\n")
    fresh.unlink()
    file = write_settings(folder, builder(), lambda: "5f1d7c2a9e").file
    fill_in(file)
    for name in ("SOPS_AGE_KEY", "PROXMOX_TOKEN_SECRET", "RESTIC_PASSWORD", "KEY_ID", "KEY"):
        monkeypatch.setenv(name, f"some-{name.lower()}-of-a-test")
    monkeypatch.setattr(looking, "refuse_unfit", lambda house: None)
    return file


def test_in_an_empty_folder_everything_begins_with_a_repository(
    tmp_path: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, result = told("", capsys)
    assert code == EXIT_DRIFT
    assert {one["answer"] for one in result["verbs"]} == {"no"}
    assert result["next"] == "invoke config.init --repo PATH"


def test_beside_a_repository_the_next_thing_is_its_settings(
    tmp_path: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_repository(tmp_path).unlink()
    monkeypatch.chdir(tmp_path)
    _, result = told("", capsys)
    assert result["by"]["config.init"]["answer"] == "yes"
    assert {row["next"] for row in result["verbs"]} == {"invoke config.init --repo ."}
    assert lacks(result["by"]["dr.audit"]) == "there are no settings"
    # An empty file is as none.
    (tmp_path / "blackstart.yaml").write_text("\n")
    assert told("", capsys)[1]["next"] == "invoke config.init --repo ."


def test_what_is_to_be_filled_in_is_counted_for_each_verb_by_what_it_needs(fresh: Path, capsys: Printed) -> None:
    code, result = told(str(fresh), capsys)
    assert code == EXIT_DRIFT
    assert "to fill in: backups" in lacks(result["by"]["dr.audit"]) and "nodes" not in lacks(result["by"]["dr.audit"])
    assert "nodes 4" in lacks(result["by"]["cluster.plan --offline"])
    assert result["next"] == f"invoke config.check --settings {fresh}"


def test_a_filled_in_house_is_yes_offline_and_not_looked_at_elsewhere(filled: Path, capsys: Printed) -> None:
    _, result = told(str(filled), capsys)
    by = result["by"]
    assert (by["cluster.plan --offline"]["answer"], lacks(by["cluster.plan --offline"])) == ("yes", "")
    assert by["cluster.bootstrap"]["answer"] == "not looked at", by["cluster.bootstrap"]
    assert by["cluster.bootstrap"]["next"].startswith("invoke cluster.preflight")
    assert by["dr.restore"]["answer"] == by["dr.rehearse"]["answer"] == "no"
    assert "no cluster of this house is known here" in lacks(by["dr.restore"])


def test_a_lock_that_cannot_be_read_is_a_no_to_all_that_begin_with_it(filled: Path, capsys: Printed) -> None:
    filled.with_name(LOCK_FILE).write_bytes(b"\xff\xfe\x00")
    by = told(str(filled), capsys)[1]["by"]
    for verb in ("cluster.plan --offline", "cluster.bootstrap", "dr.restore", "dr.rehearse"):
        assert (by[verb]["answer"], LOCK_FILE in lacks(by[verb])) == ("no", True), verb
    assert by["cluster.plan --offline"]["next"].startswith("invoke config.check")
    assert by["dr.audit"]["answer"] != "no"


def test_it_asks_no_server_and_says_yes_of_nothing_that_one_would_have_to_say(
    filled: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        assert self.family == socket.AF_UNIX, f"asked {address}"
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    (filled.parent / "state").mkdir()
    _, result = told(str(filled), capsys)
    for verb in ("dr.audit", "cluster.bootstrap", "dr.restore", "dr.rehearse"):
        assert result["by"][verb]["answer"] != "yes"


# A reference that cannot be had, and which verbs that concerns.
GONE = [
    ("RESTIC_PASSWORD", {"dr.audit", "dr.restore", "dr.rehearse"}, "not set, or empty"),
    ("PROXMOX_TOKEN_SECRET", {"cluster.bootstrap"}, "not set, or empty"),
    ("SOPS_AGE_KEY", {"cluster.bootstrap"}, "no such file"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "verbs", "why"), GONE, ids=[name for name, _, _ in GONE])
def test_a_secret_that_is_not_here_is_told_where_it_is_needed(
    name: str, verbs: set[str], why: str, filled: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {verb: lacks(row) for verb, row in told(str(filled), capsys)[1]["by"].items()}
    monkeypatch.delenv(name)
    after = {verb: lacks(row) for verb, row in told(str(filled), capsys)[1]["by"].items()}
    changed = {verb for verb in after if after[verb] != before[verb]}
    assert changed == verbs
    assert all(why in after[verb] or name in after[verb] for verb in verbs)


def test_each_command_on_the_page_is_for_the_house_that_was_asked_for(fresh: Path, capsys: Printed) -> None:
    assert doctor_of(str(fresh), False, LOOKED) == EXIT_DRIFT
    page = "".join(capsys.readouterr().out.split())
    commands = page.count("next:invoke") + page.count("Next:invoke")
    assert commands >= 5 and page.count(f"--settings{fresh}") == commands


def test_a_folder_in_place_of_the_file_is_told_and_nothing_beside_it_looked_at(fresh: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        doctor_of(str(fresh.parent), True, LOOKED)
    assert any("is a folder; name the file in it" in line for line in caught.value.evidence)


def test_settings_that_cannot_be_read_are_none_that_are_not_there(
    fresh: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.files.content.LARGEST", 10)
    _, result = told(str(fresh), capsys)
    assert result["by"]["config.init"]["answer"] == "yes"
    assert "problem" in lacks(result["by"]["dr.audit"])


def test_a_secret_of_1password_is_not_asked_for_and_no_yes(filled: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.write_text(filled.read_text().replace("env:PROXMOX_TOKEN_SECRET", "op://home/proxmox/token"))
    row = told(str(filled), capsys)[1]["by"]["cluster.bootstrap"]
    assert "only 1Password has it, and op is not on this machine" in lacks(row)
    op = filled.parent / "bin" / "op"
    op.parent.mkdir()
    op.write_text("#!/bin/sh\ntouch asked\n")
    op.chmod(0o755)
    monkeypatch.setenv("PATH", f"{op.parent}:/usr/bin:/bin")
    row = told(str(filled), capsys)[1]["by"]["cluster.bootstrap"]
    assert row["answer"] == "not looked at" and "only 1Password has it, which was not asked" in lacks(row)
    assert not (Path.cwd() / "asked").exists()


def test_programs_that_do_not_fit_are_told_with_what_builds_them(
    filled: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfit(house: object) -> None:
        raise programs.PreflightRefused("the programs that a run drives do not fit", evidence=("helm: it is not on PATH",))

    monkeypatch.setattr(looking, "refuse_unfit", unfit)
    row = told(str(filled), capsys)[1]["by"]["cluster.bootstrap"]
    assert "program helm: it is not on PATH" in lacks(row)
    assert row["next"].startswith("invoke tools.check")


def test_engines_that_nobody_here_restores_are_a_no_to_audit_and_bootstrap(tmp_path: Path, capsys: Printed) -> None:
    by = told(str(write_repository(tmp_path)), capsys)[1]["by"]
    assert "1 backup not audited (kopia)" in lacks(by["dr.audit"])
    assert "1 backup not audited (kopiur)" in lacks(by["cluster.plan --offline"])


def test_one_page_of_eighty_columns(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "50")
    monkeypatch.setenv("TERM", "xterm")
    assert doctor_of(str(fresh), False, LOOKED) == EXIT_DRIFT
    lines = screen.screen.splitlines()
    assert len(lines) <= 50
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines if line.startswith("Next: invoke config.check")]
    assert screen.screen.count("to fill in") == 2, "what lacks for several verbs is told once"


def test_asked_it_says_yes_by_what_the_servers_say(tmp_path: Path) -> None:
    from console.doctor import asking

    desk = Desk(tmp_path)
    session = desk.session("config.doctor", json=True)
    assert asking.of_stores(session) == ()
    assert asking.of_preflight(session) == ()
    assert asking.of_restore(session), "there is no cluster yet"
    desk.running.home.store.repositories.clear()
    told = asking.of_stores(session)
    assert told and all(lack.known for lack in told)


def test_a_house_of_kopia_alone_has_backups_and_needs_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = Desk(tmp_path).running.house
    own = tuple(replace(claim, engine="kopia", identity=f"{claim.app}@{claim.namespace}:/data") for claim in house.claims)
    part = Examined(replace(house, claims=(), archives=(), kopia=own), (), ())
    sought: list[str] = []
    monkeypatch.setattr(looking, "look", lambda program: sought.append(program.name) or Sought(program.name != "kopia"))
    row = looking.audit(Subject(tmp_path / "blackstart.yaml", part, part), None)
    told = [lack.told for lack in row.lacks]
    assert sought == ["kubectl", "kopia"]
    assert "program kopia: it is not there" in told
    assert "the stores of the backups" in told
    assert "the repository declares no backup that is looked at" not in told
    assert row.good.startswith(f"{number(len(own), 'backup')} of claims")


def test_asked_it_looks_at_archives_of_databases_too(tmp_path: Path) -> None:
    from console.doctor import asking

    archive = DatabaseArchive("apps/postgres", "s3:https://store.invalid/pg/postgres")
    told = asking.of_archives(Desk(tmp_path, archives=(archive,)).session("config.doctor", json=True))
    assert [lack.told.partition(":")[0] for lack in told] == ["apps/postgres"]
    assert asking.of_archives(Desk(tmp_path / "none").session("config.doctor", json=True)) == ()


def test_who_stops_it_is_obeyed_and_no_verb_lacks_anything_for_that(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (filled.parent / "state").mkdir()

    def stopped(session: object) -> tuple[Lack, ...]:
        raise Interrupted("stopped while it waited")

    monkeypatch.setattr(doctor, "_ASKING", dict.fromkeys(doctor._ASKING, (stopped,)))
    monkeypatch.setattr(looking, "of_programs", lambda names: [])
    with pytest.raises(Interrupted):
        doctor_of(str(filled), True, Reach(builder(), Desk(filled.parent / "desk").doors))


def test_what_several_verbs_hang_on_is_asked_once(filled: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.write_text(filled.read_text().replace("house:\n", "house:\n  state: state\n"))
    house = examine(filled, builder()).house
    assert house is not None and house.state_dir == filled.parent / "state"
    house.state_dir.mkdir()
    (house.state_dir / "kubeconfig").write_text("apiVersion: v1\nkind: Config\n")
    asked = []

    def stores(session: Session) -> tuple[Lack, ...]:
        asked.append(session.house)
        return (Lack("a store that does not open"),)

    monkeypatch.setattr(doctor, "_ASKING", dict.fromkeys(doctor._ASKING, (stores,)))
    monkeypatch.setattr(looking, "of_programs", lambda names: [])
    by = told(str(filled), capsys, Reach(builder(), Desk(filled.parent / "desk").doors))[1]["by"]
    assert all("a store that does not open" in lacks(by[verb]) for verb in ("dr.audit", "dr.restore", "dr.rehearse")), by
    assert len(asked) == 1


def test_an_answer_is_yes_only_of_what_was_looked_at_whole() -> None:
    row = able("v", "", [Lack("seen"), Lack("unseen", known=False)], yes="y", no="n")
    assert (row.answer, row.next) == (Answer.NO, "n")
    assert able("v", "", [Lack("unseen", known=False)], yes="y", no="n").answer is Answer.NOT_LOOKED
    assert able("v", "", [], yes="y", no="n").answer is Answer.YES
    assert config.check  # the command that the page points to is there
