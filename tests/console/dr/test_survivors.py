"""dr.survivors, and dr.restore after it: volumes that outlived a lost cluster, and which of two restore points wins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HoldState
from adapters.kept.results import KeptState, Word
from adapters.volsync.results import FileEntry
from console.ending import guarded
from console.verbs.dr import restore as dr
from console.verbs.dr import survivors, undo
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, ApprovalMissing, PermanentError, PreflightRefused
from engine.report import Report
from house.known.inventory import (
    CephRecord,
    HouseRecord,
    Inventory,
    LonghornRecord,
    ReplicaRecord,
    Stores,
    VolumeRecord,
    inventory_path,
)
from house.known.inventory_text import write_inventory
from lab.troubles.ceph import CEPH_TROUBLES
from lab.world.cluster.ceph import LabCeph
from lab.world.cluster.longhorn import healthy
from lab.world.cluster.rook import LabRook
from lab.world.cluster.volumes import Outlived, Sick
from lab.world.store import Trouble, a_file
from recovery.courses.undoing import undo_course
from recovery.points.survivors import There, outlived
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line
from tests.scenario.running import DATA

KEY = ("apps", "notes")
VOLUME = VolumeRecord(
    "pvc-before", "apps/notes", "nfs.csi.k8s.io", "nas.lan#tank#notes", "1Gi", "lab", "Delete", ("ReadWriteOnce",), "Filesystem"
)
HANDLE = VOLUME.handle
ASKS = (ApprovalMissing.exit_code, PreflightRefused.exit_code, EXIT_STEP_FAILED)


def written(desk: Desk, *files: FileEntry) -> tuple[FileEntry, ...]:
    """These with the present as the time of their last write: after any backup."""
    return tuple(replace(one, mtime_ns=int(desk.running.clock.now() * 1e9)) for one in files)


def knows(
    desk: Desk, *volumes: VolumeRecord, longhorn: tuple[LonghornRecord, ...] = (), ceph: tuple[CephRecord, ...] = ()
) -> None:
    """The inventory in Git has these volumes."""
    house = desk.running.house
    stores = Stores("2027-01-15T06:00:00Z", volumes, ceph, longhorn)
    write_inventory(inventory_path(house), Inventory(HouseRecord(house.id, house.name), cluster=stores))


def lies(desk: Desk, *files: FileEntry, sick: Sick | None = None) -> None:
    """The NAS still has the volume with these files on it."""
    desk.running.home.kube.outlived[HANDLE] = Outlived(files, sick)


def look(desk: Desk, words: str = "") -> int:
    return survivors.survivors_of(desk.session("dr.survivors", json=True), words)


def restore(desk: Desk, claims: str = "", as_of: str = "", *, consent: bool = False) -> Report:
    """What dr.restore does, approved by the digest of dr.plan where somebody consents."""
    whole = dr.restore_course(desk.session("dr.restore"), claims, as_of)
    return desk.running.apply(whole, desk.running.consent(whole) if consent else None)


@pytest.fixture
def survived(held_desk: Desk) -> Desk:
    """A rebuilt cluster whose one claim is held, and whose volume of before lies on the NAS, written to since the backup."""
    knows(held_desk, VOLUME)
    lies(held_desk, *DATA, *written(held_desk, a_file("notes/three.md", "never backed up")))
    return held_desk


def told(report: Report) -> str:
    """What the run said of the two restore points."""
    return next(one.detail for one in report.steps if one.id == "recovery.survivor/apps/notes")


class TestLook:
    def test_a_volume_of_before_is_written_again_looked_at_and_given_to_nobody(self, survived: Desk, capsys: Printed) -> None:
        desk = survived
        assert look(desk) == EXIT_OK
        said = last_line(capsys)
        changed = [step["id"] for step in said["steps"] if step["outcome"] == "changed"]
        assert changed == ["survivor.bring/apps/notes", "survivor.look/apps/notes"]
        (one,) = said["survivors"]
        assert (one["claim"], one["found"], one["wins"]) == ("apps/notes", Word.NEWER.value, "the volume of before wins")
        (kept,) = desk.running.home.look().kept.volumes()
        assert (kept.state, kept.brought, kept.policy, kept.key) == (KeptState.FREE, True, "Delete", "apps/notes")
        claims = desk.running.home.kube.objects().claims
        assert ("apps", "blackstart-notes") not in claims
        assert not claims[KEY].bound
        assert look(desk) == EXIT_OK
        assert last_line(capsys)["counts"].get("changed", 0) == 0, "what was looked at is not looked at again"

    @pytest.mark.parametrize(("kind", "word"), [
        ("same", Word.SAME), ("older", Word.OLDER), ("empty", Word.DAMAGED), ("unreadable", Word.UNREADABLE),
    ])  # fmt: skip
    def test_each_is_told_by_its_word(self, survived: Desk, kind: str, word: Word) -> None:
        desk = survived
        lies(desk, *{"same": DATA, "older": DATA[:1], "empty": (), "unreadable": DATA}[kind],
             sick=Sick.UNREADABLE if kind == "unreadable" else None)  # fmt: skip
        assert look(desk) == EXIT_OK
        (kept,) = desk.running.home.look().kept.volumes()
        assert kept.found is not None and kept.found.word is word

    def test_one_that_nobody_can_mount_is_not_called_anything(self, survived: Desk) -> None:
        desk = survived
        lies(desk, sick=Sick.GONE)
        assert look(desk) == EXIT_STEP_FAILED
        (kept,) = desk.running.home.look().kept.volumes()
        assert (kept.state, kept.found) == (KeptState.ASIDE, None)

    def test_nothing_is_made_to_look_through_while_nobody_may_see_the_backup(self, survived: Desk) -> None:
        desk = survived
        for repository in desk.running.home.store.repositories.values():
            repository.trouble = Trouble.REFUSED
        assert look(desk) == EXIT_STEP_FAILED
        (kept,) = desk.running.home.look().kept.volumes()
        assert kept.found is None
        assert ("apps", "blackstart-notes") not in desk.running.home.kube.objects().claims

    def test_without_an_inventory_that_is_said_and_nothing_is_done(self, held_desk: Desk, capsys: Printed) -> None:
        code = guarded("dr.survivors", False, lambda: survivors.survivors_of(held_desk.session("dr.survivors"), ""))
        assert code == PermanentError.exit_code
        assert "does not say which volumes the cluster had" in capsys.readouterr().err.replace("\n", " ")

    def test_what_lies_on_a_node_is_looked_at_by_name_alone(self, survived: Desk, capsys: Printed) -> None:
        desk = survived
        knows(desk, replace(VOLUME, driver="local", node="w-1"))
        assert look(desk) == EXIT_OK
        (left,) = last_line(capsys)["not_looked_at"]
        assert (left["claim"], left["by_hand"].split("   #")[0]) == ("apps/notes", "invoke dr.survivors --claims apps/notes")
        assert desk.running.home.look().kept.volumes() == ()
        assert look(desk, "notes") == EXIT_OK
        assert len(desk.running.home.look().kept.volumes()) == 1

    def test_a_volume_of_longhorn_is_there_only_where_longhorn_has_it(self, survived: Desk, capsys: Printed) -> None:
        desk = survived
        bad = ReplicaRecord("w-2", "/var/lib/longhorn", "pvc-bad", failed=True)
        replicas = (bad, ReplicaRecord("w-1", "/var/lib/longhorn", "pvc-a1"))
        knows(
            desk, replace(VOLUME, driver="driver.longhorn.io"), longhorn=(LonghornRecord(HANDLE, "apps/notes", 1 << 30, replicas),)
        )
        assert survivors.survivors_of(desk.session("dr.survivors"), "") == EXIT_OK
        assert "longhornctl export replica --name=pvc-a1" in capsys.readouterr().out.replace("\n", " ")
        look(desk)
        assert last_line(capsys)["survivors"] == []
        there = healthy()
        desk.running.home.kube.objects().longhorn = replace(there, volumes=(replace(there.volumes[0], name=HANDLE),))
        assert look(desk) == EXIT_OK
        assert len(last_line(capsys)["survivors"]) == 1

    def test_a_volume_of_a_ceph_is_there_where_one_of_the_same_fsid_lives(self, survived: Desk, capsys: Printed) -> None:
        desk, rook = survived, LabRook.healthy(1.0)
        volume = replace(VOLUME, driver="rook-ceph.rbd.csi.ceph.com", attributes=(("clusterID", "rook-ceph"),))
        desk.running.home.kube.objects().rook.append(rook)
        for fsid, there in ((rook.cluster.fsid, There.MAYBE), ("00000000-0000-0000-0000-000000000000", There.NO)):
            knows(desk, volume, ceph=(CephRecord("rook-ceph", "rook-ceph", fsid),))
            with desk.session("x").doors(None) as doors:
                (one,) = outlived(doors.look, desk.running.house, desk.running.house.claims)
                assert one.where.there is there
        look(desk)
        (left,) = last_line(capsys)["not_looked_at"]
        assert "no Ceph of that fsid is here" in left["by_hand"]

    @pytest.mark.parametrize(
        ("driver", "cluster", "there"),
        [
            ("rook-ceph.rbd.csi.ceph.com", "rook-ceph", There.UNKNOWN),
            ("rbd.csi.ceph.com", "of-the-attic", There.UNKNOWN),
            ("cephfs.csi.ceph.com", "00000000-0000-4000-8000-0000000000ff", There.UNKNOWN),
            ("rook-ceph.rbd.csi.ceph.com", "00000000-0000-4000-8000-0000000000ff", There.NO),
        ],
    )
    def test_a_ceph_that_the_inventory_does_not_name_or_nobody_here_can_ask_has_lost_nothing(
        self, survived: Desk, driver: str, cluster: str, there: There
    ) -> None:
        desk = survived
        desk.running.home.kube.objects().rook.append(LabRook.healthy(1.0))
        volume = replace(VOLUME, driver=driver, attributes=(("clusterID", cluster),))
        knows(desk, volume, ceph=(CephRecord("rook-ceph", "rook-ceph", ""),))
        with desk.session("x").doors(None) as doors:
            (one,) = outlived(doors.look, desk.running.house, desk.running.house.claims)
        assert one.where.there is there, one.where

    @pytest.mark.parametrize("whose", ["Rook's", "the hosts'", "Longhorn's", "one that does not say which it is"])
    def test_a_storage_system_that_is_silent_has_lost_nothing(self, survived: Desk, capsys: Printed, whose: str) -> None:
        desk = survived
        objects, pve = desk.running.home.kube.objects(), desk.running.home.proxmox
        on_ceph = replace(VOLUME, driver="rook-ceph.rbd.csi.ceph.com", attributes=(("clusterID", "rook-ceph"),), fsid="of-before")
        knows(desk, replace(VOLUME, driver="driver.longhorn.io") if whose == "Longhorn's" else on_ceph)
        objects.forbidden["longhorn"] = 'list resource "nodes" in API group "longhorn.io"'
        if whose == "Rook's":
            objects.forbidden["ceph_clusters"] = 'list resource "cephclusters" in API group "ceph.rook.io"'
        elif whose == "the hosts'":
            pve.ceph = LabCeph.on(pve.hosts)
            CEPH_TROUBLES["ceph-silent"].begin(pve.ceph)
        elif whose != "Longhorn's":
            objects.rook.append(LabRook(replace(LabRook.healthy(1.0).cluster, fsid="")))
        assert look(desk) == EXIT_STEP_FAILED
        said = last_line(capsys)
        assert (said["survivors"], [one["there"] for one in said["not_looked_at"]]) == ([], [There.UNKNOWN.value])
        report = restore(desk)
        assert report.exit_code in ASKS
        assert "is there still, nobody can say" in told(report)
        assert not objects.claims[KEY].bound
        assert restore(desk, consent=True).exit_code == EXIT_OK
        assert objects.claims[KEY].entries == DATA

    def test_a_silence_keeps_nobody_else_from_his_own(self, survived: Desk) -> None:
        """Nobody is asked for what lies on the NAS."""
        desk = survived
        pve = desk.running.home.proxmox
        pve.ceph = LabCeph.on(pve.hosts)
        CEPH_TROUBLES["ceph-silent"].begin(pve.ceph)
        desk.running.home.kube.objects().forbidden["ceph_clusters"] = 'list resource "cephclusters" in API group "ceph.rook.io"'
        with desk.session("x").doors(None) as doors:
            (one,) = outlived(doors.look, desk.running.house, desk.running.house.claims)
        assert one.where.there is There.MAYBE

    def test_of_two_volumes_of_one_claim_none_is_chosen(self, survived: Desk, capsys: Printed) -> None:
        desk = survived
        knows(desk, VOLUME, replace(VOLUME, name="pvc-other", handle="other"))
        look(desk)
        assert last_line(capsys)["survivors"] == []

    def test_a_claim_that_lives_has_no_survivor(self, survived: Desk, capsys: Printed) -> None:
        desk = survived
        desk.running.home.kube.objects().claims[KEY].bound = True
        look(desk)
        assert last_line(capsys)["survivors"] == []


class TestRestore:
    def test_a_newer_and_sound_one_comes_back_without_a_consent_and_that_is_told(self, survived: Desk) -> None:
        desk = survived
        look(desk)
        report = restore(desk)
        assert report.exit_code == EXIT_OK, report.root_causes
        assert "the volume of before wins: volume pvc-before is newer than the backup, and sound" in told(report)
        claim = desk.running.home.kube.objects().claims[KEY]
        assert [one.path for one in claim.entries][-1] == "notes/three.md"
        assert (claim.bound_to, claim.app_ready) == ("pvc-before", True)
        record = desk.running.home.look().hold.record().claim(*KEY)
        assert record is not None and record.state is HoldState.RELEASED
        assert record.depth.startswith("survived: the volume nfs.csi.k8s.io nas.lan#tank#notes of before itself; newer")
        assert desk.running.home.look().kept.volumes() == ()
        assert restore(desk).exit_code == EXIT_OK, "and there is nothing left to do"

    def test_nothing_is_restored_over_one_that_nobody_has_looked_at_but_by_consent(self, survived: Desk) -> None:
        desk = survived
        report = restore(desk)
        assert report.exit_code in ASKS
        assert "nobody has looked" in told(report)
        assert not desk.running.home.kube.objects().claims[KEY].bound
        assert restore(desk, consent=True).exit_code == EXIT_OK
        assert desk.running.home.kube.objects().claims[KEY].entries == DATA
        assert desk.running.home.kube.outlived[HANDLE].entries != DATA, "and it lies where it lay"

    def test_an_older_one_gives_way_to_the_backup_and_stays(self, survived: Desk) -> None:
        desk = survived
        lies(desk, *DATA[:1])
        look(desk)
        report = restore(desk)
        assert report.exit_code == EXIT_OK, report.root_causes
        assert "the backup wins: volume pvc-before is older" in told(report)
        assert desk.running.home.kube.objects().claims[KEY].entries == DATA
        (kept,) = desk.running.home.look().kept.volumes()
        assert (kept.name, kept.state) == ("pvc-before", KeptState.FREE)

    def test_a_damaged_one_is_left_behind_by_consent_alone(self, survived: Desk) -> None:
        desk = survived
        lies(desk, sick=Sick.UNREADABLE)
        look(desk)
        report = restore(desk)
        assert report.exit_code in ASKS
        assert "leave something behind" in told(report)
        assert restore(desk, consent=True).exit_code == EXIT_OK
        assert desk.running.home.kube.objects().claims[KEY].entries == DATA

    def test_another_time_takes_the_backup_by_consent(self, survived: Desk) -> None:
        desk = survived
        look(desk)
        until = "2026-01-01T00:00:00Z"
        assert restore(desk, "notes", until).exit_code in ASKS
        assert restore(desk, "notes", until, consent=True).exit_code == EXIT_OK
        assert desk.running.home.kube.objects().claims[KEY].entries == DATA

    def test_where_there_is_no_backup_it_comes_back_by_consent(self, survived: Desk) -> None:
        desk = survived
        desk.running.home.store.repositories.clear()
        assert look(desk) == EXIT_OK
        (kept,) = desk.running.home.look().kept.volumes()
        assert kept.found is not None and kept.found.word is Word.ALONE
        assert restore(desk).exit_code in ASKS
        assert restore(desk, consent=True).exit_code == EXIT_OK
        assert desk.running.home.kube.objects().claims[KEY].bound_to == "pvc-before"

    def test_a_person_may_take_the_volume_all_the_same(self, survived: Desk, capsys: Printed) -> None:
        desk = survived
        lies(desk, *DATA[:1])
        look(desk)
        undo.undo_of(desk.session("dr.undo", json=True), "notes", "")
        digest = last_line(capsys)["plan"]
        assert digest
        whole = undo_course(desk.running.house, desk.running.house.claims[0], "pvc-before")
        assert desk.running.apply(whole, desk.running.consent(whole)).exit_code == EXIT_OK
        assert desk.running.home.kube.objects().claims[KEY].bound_to == "pvc-before"

    def test_a_house_that_knows_of_none_has_no_such_row(self, held_desk: Desk) -> None:
        session = held_desk.session("dr.restore")
        assert not [one.id for one in dr.restore_course(session, "", "").checks if one.id.startswith("recovery.survivor")]
