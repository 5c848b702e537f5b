"""`dr.audit` and the lock file: what an operator sees of backups, and what the exit code says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.archives.results import ArchiveLook, ArchiveVerdict
from adapters.backups.results import RestorePoint, Verdict
from bootstrap.course import course
from cluster.backups.audit import ClaimAudit
from console.screens.tables import audit_findings
from console.screens.unlooked import outline
from console.verbs.dr import audit
from console.views.page import MARK
from engine import errors
from house.data.nouns import DeclaredData, Holder, Keeps, Paused, Unprotected
from house.flux.rendered import NotFollowed
from house.known.lock import LockedClaim, lock_path, read_lock, write_lock
from house.values.databases import DatabaseArchive
from house.values.reach import Reach
from lab.world.store import Trouble
from tests.builders import a_claim
from tests.console.modelled_doors import Desk

Printed = pytest.CaptureFixture[str]


class TestAudit:
    def test_every_claim_has_its_verdict_and_one_that_is_not_ok_fails_the_verb(self, tmp_path: Path, capsys: Printed) -> None:
        desk = Desk(tmp_path, claims=(a_claim(), a_claim("photos"), a_claim("mail")))
        repositories = desk.running.home.store.repositories
        del repositories[a_claim("photos").mover_repository]
        repositories[a_claim("mail").mover_repository].trouble = Trouble.REFUSED
        assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_STEP_FAILED
        *told, result = (json.loads(line) for line in capsys.readouterr().out.splitlines())
        result = result["result"]
        assert {(line["event"], line["of"]) for line in told} == {("Audited", 3)} and told[-1]["left_s"] == 0.0
        assert {line["claim"]: line["told"] for line in told}["apps/notes"] == "ok (tree)"
        assert result["counts"] == {"ok": 1, "missing": 1, "refused": 1}
        assert [(row["claim"], row["verdict"]) for row in result["audits"]] == [
            ("apps/notes", "ok"), ("apps/photos", "missing"), ("apps/mail", "refused"),
        ]  # fmt: skip
        assert not lock_path(desk.running.house).exists()

    def test_it_needs_neither_proxmox_nor_a_cluster(self, desk: Desk) -> None:
        for host in list(desk.running.home.proxmox.hosts):
            desk.running.home.proxmox.host_down(host)
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_OK

    def test_a_table_names_what_was_not_audited(self, tmp_path: Path, capsys: Printed) -> None:
        from house.model import UnsupportedBackup

        desk = Desk(tmp_path, unsupported=(UnsupportedBackup("apps", "wiki", "kopia", "kubernetes/apps/wiki.yaml:3"),))
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        told = capsys.readouterr().out
        assert "not audited: apps/wiki (kopia, kubernetes/apps/wiki.yaml:3)" in told
        assert "; 1 backup not audited (kopia). Nothing was changed." in told

    def test_backups_that_nobody_can_audit_are_never_none(self, tmp_path: Path, capsys: Printed) -> None:
        from house.model import UnsupportedBackup

        kopia = tuple(UnsupportedBackup("apps", f"wiki-{n}", "kopia", "kubernetes/apps/wiki.yaml:3") for n in range(27))
        desk = Desk(tmp_path, unsupported=kopia, claims=())
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        told = capsys.readouterr().out
        assert "27 backups not audited (kopia). Nothing was changed." in told
        assert "declared backups" not in told

    def test_what_has_no_backup_is_red_with_size_and_class_until_there_is_a_reason(self, tmp_path: Path, capsys: Printed) -> None:
        films = Holder("tools", "films", Keeps.CLAIM, "2Ti", "fast", "tools/films.yaml:1")
        desk = Desk(tmp_path, data=DeclaredData(unprotected=(Unprotected(films),), charts=("tools/loki",)))
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        out = capsys.readouterr().out
        rows = [line.removeprefix(MARK).split() for line in out.splitlines()]
        assert ["unprotected", "tools/films", "claim", "2Ti", "fast", "tools/films.yaml:1"] in rows
        assert "      tools/films: REASON" in out
        assert "not looked into: the claims of 1 chart," in out
        assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_STEP_FAILED
        result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
        assert (result["counts"]["unprotected"], result["unprotected"][0]["name"]) == (1, "tools/films")
        assert result["cluster_not_asked"] == "there is no kubeconfig in the state folder"
        accepted = DeclaredData(unprotected=(Unprotected(films, "bought on discs"),))
        desk = Desk(tmp_path / "accepted", data=accepted)
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_OK
        assert "none, on purpose" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("engine", "program", "word"),
        [("velero", "", "none is seen"), ("longhorn", "", "none is seen"), ("", "pg_dump", "none is seen"),
         ("kopia", "", "unprotected"), ("kopiur", "", "unprotected"), ("pgbackrest", "", "unprotected"),
         ("mariadb-operator", "", "unprotected")],
    )  # fmt: skip
    def test_what_a_backup_that_nobody_looked_at_may_hold_is_not_told_to_be_lost(
        self, engine: str, program: str, word: str, tmp_path: Path, capsys: Printed
    ) -> None:
        """Longhorn's jobs and velero's schedules name no claim; VolSync's forks and kopiur do, and have no other."""
        from house.model import UnsupportedBackup

        films = Holder("tools", "films", Keeps.CLAIM, "2Ti", "fast", "tools/films.yaml:1")
        unsupported = (UnsupportedBackup("x", "nightly", engine, "x.yaml:1"),) if engine else ()
        desk = Desk(tmp_path, data=DeclaredData(unprotected=(Unprotected(films),)), unsupported=unsupported)
        if program:
            part = NotFollowed("CronJob x/dump", f"runs {program}, which may be a backup", "x.yaml", 1)
            desk.running.house = replace(desk.running.house, not_followed=(part,))
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        out = " ".join(capsys.readouterr().out.replace(MARK, "").split())
        assert f" {word} tools/films claim 2Ti" in out
        assert ("1 unprotected: what is lost of these is lost." in out) is (word == "unprotected")
        seen = "1 without a backup that is seen: lost, unless one that is told above and that nobody looked at has it."
        assert (seen in out) is (word == "none is seen")

    def test_what_leaves_a_namespace_out_holds_nothing_of_it(self, tmp_path: Path, capsys: Printed) -> None:
        from house.model import UnsupportedBackup

        bare = tuple(Unprotected(Holder(space, "films", Keeps.CLAIM, "2Ti", "fast", "a.yaml:1")) for space in ("tools", "apps"))
        velero = UnsupportedBackup("velero", "nightly", "velero", "x.yaml:1", Reach(of=("tools",)))
        desk = Desk(tmp_path, data=DeclaredData(unprotected=bare), unsupported=(velero,))
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        out = " ".join(capsys.readouterr().out.replace(MARK, "").split())
        assert " none is seen tools/films claim" in out and " unprotected apps/films claim" in out
        assert "1 unprotected: what is lost of these is lost. 1 without a backup that is seen: lost, unless" in out

    def test_a_cluster_that_does_not_answer_is_counted_and_no_success(self, tmp_path: Path, capsys: Printed) -> None:
        desk = Desk(tmp_path)
        state = desk.running.house.state_dir
        state.mkdir(parents=True, exist_ok=True)
        (state / "kubeconfig").write_text("")
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        told = " ".join(capsys.readouterr().out.split())
        assert "; the cluster was not asked for its claims (" in told
        assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_STEP_FAILED
        result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
        assert (result["counts"]["cluster_not_asked"], result["outcome"]) == (1, "failed")
        assert [line for line in result["left_out"] if line.startswith("the cluster was not asked for its claims")]

    def test_a_paused_backup_has_a_red_row_with_its_newest_until_there_is_a_reason(self, tmp_path: Path, capsys: Printed) -> None:
        paused = Paused("apps/notes", "ReplicationSource apps/notes", "apps/notes.yaml:3")
        desk = Desk(tmp_path, data=DeclaredData(paused=(paused,)))
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        out = capsys.readouterr().out
        rows = [" ".join(line.removeprefix(MARK).split()) for line in out.splitlines()]
        (row,) = [row for row in rows if row.startswith("paused apps/notes")]
        assert row.endswith("60 min old ReplicationSource apps/notes apps/notes.yaml:3")
        assert "      apps/notes: REASON" in out
        assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_STEP_FAILED
        result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
        assert (result["counts"]["paused"], result["paused"][0]["name"]) == (1, "apps/notes")
        assert result["paused"][0]["newest_age_s"] == result["audits"][0]["age_s"] is not None
        accepted = DeclaredData(paused=(replace(paused, reason="it is moved to another house"),))
        desk = Desk(tmp_path / "accepted", data=accepted)
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_OK
        assert "paused, on purpose" in capsys.readouterr().out

    def test_a_backup_without_a_schedule_has_a_red_row_that_says_so(self, tmp_path: Path, capsys: Printed) -> None:
        by = 'ReplicationSource apps/notes ("0 * * *" has 4 fields, not 5)'
        desk = Desk(tmp_path, data=DeclaredData(paused=(Paused("apps/notes", by, "apps/notes.yaml:3", word="no schedule"),)))
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        out = capsys.readouterr().out
        rows = [" ".join(line.removeprefix(MARK).split()) for line in out.splitlines()]
        (row,) = [row for row in rows if row.startswith("no schedule apps/notes")]
        assert row.endswith(f"60 min old {by} apps/notes.yaml:3")
        assert "1 backup without a schedule: what is written from then on is in none. Mend it, or say why not" in out

    def test_charts_that_nobody_looked_into_are_counted_and_no_success(self, tmp_path: Path, capsys: Printed) -> None:
        desk = Desk(tmp_path, data=DeclaredData(charts=("tools/kps", "tools/loki")))
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        out = capsys.readouterr().out
        assert "claims of 2 charts not looked into (tools/kps, tools/loki)" in " ".join(out.split())
        assert '      "HelmRelease tools/loki": REASON' in out
        assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_STEP_FAILED
        result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
        assert (result["counts"]["charts_not_looked_into"], len(result["charts_not_looked_into"])) == (2, 2)

    def test_a_second_backup_that_nobody_audits_is_no_success(self, tmp_path: Path, capsys: Printed) -> None:
        from house.model import UnsupportedBackup

        desk = Desk(tmp_path, second_backups=(UnsupportedBackup("apps", "notes", "restic", "kubernetes/apps/notes.yaml:9"),))
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        told = capsys.readouterr().out
        assert "not audited: a second backup of apps/notes (restic, kubernetes/apps/notes.yaml:9)" in told
        assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_STEP_FAILED
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["counts"]["second_backups"] == 1

    def test_an_offline_plan_counts_them_too_and_is_no_success(self, tmp_path: Path, capsys: Printed) -> None:
        from house.model import UnsupportedBackup

        second = UnsupportedBackup("apps", "notes", "restic", "kubernetes/apps/notes.yaml:9")
        for number, house in enumerate(({"second_backups": (second,)}, {"data": DeclaredData(charts=("tools/kps",))})):
            desk = Desk(tmp_path / str(number), **house)  # type: ignore[arg-type]  # fields of a House
            session = desk.session("cluster.plan")
            assert outline(session, course(session.house, {})) == errors.EXIT_STEP_FAILED
        out = " ".join(capsys.readouterr().out.split())
        assert "claims of 1 chart not looked into (tools/kps)." in out
        assert "invoke dr.audit names each." in out

    def test_what_hides_backups_is_no_success(self, tmp_path: Path, capsys: Printed) -> None:
        hidden = "kubernetes/apps/kustomization.yaml: is empty, and kustomize refuses that; list its resources"
        desk = Desk(tmp_path, notes=(hidden,), unread=(hidden,))
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        told = " ".join(capsys.readouterr().out.split())
        assert f"not looked at, whatever it declares: {hidden}" in told
        assert "; 1 part of the repository could not be looked at. Nothing was changed." in told
        assert "note:" not in told
        alone = Desk(tmp_path / "alone", notes=(hidden,), unread=(hidden,), claims=())
        assert audit.audit_house(alone.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        told = " ".join(capsys.readouterr().out.split())
        assert "1 part of the repository could not be looked at. Nothing was changed." in told
        assert "declares none" not in told

    def test_an_archive_that_is_too_old_fails_the_verb_and_its_row_has_both_ages_and_limits(
        self, tmp_path: Path, capsys: Printed
    ) -> None:
        archive = DatabaseArchive("apps/pg", "s3:https://s3.invalid/bucket/pg", max_age=49 * 3600.0, max_log_age=6 * 3600.0)
        desk = Desk(tmp_path, archives=(archive,))
        now = desk.running.clock.now()
        old = ArchiveLook(ArchiveVerdict.OK, "", 3, "20250102T030000", now - 400 * 86400, "0" * 24, now - 360)
        desk.running.home.store.archives[archive.place] = old
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_STEP_FAILED
        told = capsys.readouterr().out
        rows = [" ".join(line.removeprefix(MARK).split()) for line in told.splitlines()]
        assert "expired apps/pg 3 20250102T030000 400.0 days 2 d 1 h " + "0" * 24 + " 6 min 6 h" in rows
        assert "expired: archive of apps/pg: the newest base backup is 400 d old, and 2 d 1 h is the limit" in told
        assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_STEP_FAILED
        (row,) = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["databases"]
        assert (row["verdict"], row["max_base_age_s"], row["max_segment_age_s"]) == ("expired", 49 * 3600.0, 6 * 3600.0)
        desk.running.home.store.archives[archive.place] = replace(old, base_time=now - 3600)
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_OK


class TestTheLock:
    def test_what_is_ok_is_written_and_known_from_then_on(self, desk: Desk) -> None:
        assert audit.audit_house(desk.session("dr.audit"), lock=True) == errors.EXIT_OK
        (row,) = read_lock(lock_path(desk.running.house))
        (repository,) = desk.running.home.store.repositories.values()
        assert (row.claim, row.repository_id, row.count) == ("apps/notes", repository.repository_id, 1)
        assert desk.session("cluster.plan").known() == {"apps/notes": repository.repository_id}

    def test_that_it_was_written_is_said(self, desk: Desk, capsys: Printed) -> None:
        file = str(lock_path(desk.running.house))
        audit.audit_house(desk.session("dr.audit"), lock=False)
        told = capsys.readouterr().out
        assert "Nothing was changed." in told and file not in told
        audit.audit_house(desk.session("dr.audit"), lock=True)
        told = capsys.readouterr().out
        assert f"Written: {file}" in told and "Nothing was changed" not in told
        audit.audit_house(desk.session("dr.audit", json=True), lock=True)
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["written"] == [file]

    @pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.OK])
    def test_what_was_known_of_a_claim_that_is_not_ok_now_is_kept(self, desk: Desk, verdict: Verdict) -> None:
        known = LockedClaim("apps/notes", "ab" * 32, 7, 4096, 1_700_000_000.0)
        write_lock(lock_path(desk.running.house), [known])
        point = RestorePoint("cd" * 32, "ef" * 32, 1.0, "1970-01-01T00:00:01Z", "volsync", ("/data",), (), 1, 1)
        found = ClaimAudit(a_claim(), verdict, "cd" * 32, point, 1.0, (point,), "whatever")
        assert audit.locked(desk.session("dr.audit"), [found]) == [known]

    def test_a_claim_that_is_not_in_the_catalog_any_more_is_kept_too(self, desk: Desk) -> None:
        gone = LockedClaim("apps/gone", "ab" * 32, 7, 4096, 1_700_000_000.0)
        write_lock(lock_path(desk.running.house), [gone])
        audit.audit_house(desk.session("dr.audit"), lock=True)
        assert {row.claim for row in read_lock(lock_path(desk.running.house))} == {"apps/gone", "apps/notes"}

    def test_another_repository_than_the_locked_one_is_foreign_and_never_overwrites_it(self, desk: Desk) -> None:
        known = LockedClaim("apps/notes", "ab" * 32, 7, 4096, 1_700_000_000.0)
        write_lock(lock_path(desk.running.house), [known])
        assert audit.audit_house(desk.session("dr.audit"), lock=True) == errors.EXIT_STEP_FAILED
        assert read_lock(lock_path(desk.running.house)) == (known,)


    def test_a_sudden_drop_against_it_is_a_remark_and_no_failure(self, desk: Desk, capsys: Printed) -> None:
        audit.audit_house(desk.session("dr.audit"), lock=True)
        (row,) = read_lock(lock_path(desk.running.house))
        write_lock(lock_path(desk.running.house), [replace(row, count=40, bytes=1 << 30)])
        capsys.readouterr()
        assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_OK
        told = " ".join(capsys.readouterr().out.split())
        assert "apps/notes is ok (tree), and has fewer than half of the snapshots that the lock file knows (1, then 40)" in told
        assert f"less than half of the bytes that the lock file knows ({row.bytes}, then {1 << 30})" in told
        assert audit.audit_house(desk.session("dr.audit", json=True), lock=False) == errors.EXIT_OK
        assert "(1, then 40)" in json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["audits"][0]["detail"]

    def test_a_backup_that_is_too_old_is_not_called_ok_for_what_is_odd_about_it(self) -> None:
        point = RestorePoint("cd" * 32, "ef" * 32, 1.0, "1970-01-01T00:00:01Z", "volsync", ("/data",), (), 1, 1)
        old = ClaimAudit(a_claim(), Verdict.EXPIRED, "cd" * 32, point, 1.0, (point,), "old; 1 stale lock", "1 stale lock")
        assert not any("is ok" in line for line in audit_findings([old]))


def test_an_old_row_of_the_lock_does_not_stop_what_it_agrees_with(desk: Desk) -> None:
    audit.audit_house(desk.session("dr.audit"), lock=True)
    desk.running.house = replace(desk.running.house)
    assert audit.audit_house(desk.session("dr.audit"), lock=False) == errors.EXIT_OK
