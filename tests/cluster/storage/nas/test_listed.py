"""What an export shows to this machine is told beside the NAS's word for it, and goes before that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.nas.results import Dataset, Listed, NasLook, NfsExport, SmbShare
from cluster.storage.findings import Finding, Weight
from cluster.storage.nas.judge import Part, findings, source_findings
from house.settings.references import SecretRef
from house.values.nas import Export, Nas, NasExport

WANTED = NasExport(Export.NFS, "/mnt/tank/backup", "VolSync's movers", movers=True)
NAS = Nas(
    "nas", "nas.lan", 443, "", "/ca.pem", "b", SecretRef(("env:K",)),
    exports=(WANTED, NasExport(Export.SMB, "media", "media/films")),
)  # fmt: skip
GIB = 2**30


def look(*listed: Listed, used: int | None = GIB, path: str = "/mnt/tank/backup") -> NasLook:
    backup = Dataset("tank/backup", "tank", locked=False, mountpoint="/mnt/tank/backup", mounted=True, used=used)
    media = Dataset("tank/media", "tank", locked=False, mountpoint="/mnt/tank/media", mounted=True, used=used)
    return NasLook(
        datasets=(backup, media), nfs=(NfsExport(path, enabled=True, locked=False),),
        smb=(SmbShare("media", "/mnt/tank/media", enabled=True, locked=False),), listed=listed,
    )  # fmt: skip


def nfs(shown: bool | None, entries: int | None = None, why: str = "", way: str = "showmount") -> Listed:
    return Listed("NFS /mnt/tank/backup", way, shown, entries, why)


def of(seen: NasLook, nas: Nas = NAS) -> Finding:
    return findings(Part.EXPORTS, nas, seen, 0.0, (), ssh=False)[0]


@pytest.mark.parametrize(("listed", "weight", "told"), [
    ((), Weight.FINE, "is on, by the NAS's word: not listed from here"),
    ((nfs(None, why="no answer"),), Weight.FINE, "is on, by the NAS's word: not listed from here (showmount: no answer)"),
    ((nfs(True),), Weight.FINE, "is on, and showmount from here finds it"),
    ((nfs(True), nfs(True, 3, way="SFTP")), Weight.FINE, "is on, and showmount and SFTP from here finds it, 3 names in it"),
    ((nfs(False),), Weight.BLOCKS, "is on by the NAS's word, and showmount from here finds none"),
    # One way that finds it does not outweigh another that does not: movers come by NFS.
    ((nfs(False), nfs(True, 3, way="SFTP")), Weight.BLOCKS, "is on by the NAS's word, and showmount from here finds none"),
    ((nfs(True), nfs(False, way="SFTP", why="no folder")), Weight.BLOCKS,
     "is on by the NAS's word, and SFTP from here finds none (SFTP: no folder)"),
    ((nfs(True, 0, way="SFTP"),), Weight.UNKNOWN,
     "is on, and SFTP from here finds nothing in it, while dataset tank/backup holds 1.0 GiB: what it shows says nothing"),
    ((nfs(None, why="denied"), nfs(True, 0, way="SFTP")), Weight.UNKNOWN,
     "is on, and SFTP from here finds nothing in it, while dataset tank/backup holds 1.0 GiB: what it shows says nothing"),
])  # fmt: skip
def test_what_is_listed_goes_before_the_word_of_the_nas(listed: tuple[Listed, ...], weight: Weight, told: str) -> None:
    found = of(look(*listed))
    assert (found.weight, found.detail) == (weight, told)


def test_an_empty_export_is_empty_only_where_its_dataset_is() -> None:
    empty = nfs(True, 0, way="SFTP")
    assert of(look(empty, used=None)).weight is Weight.UNKNOWN
    assert of(look(empty, used=200 * 1024)).detail == "is on, and SFTP from here finds nothing in it: it is empty"
    assert of(look(empty, used=200 * 1024)).weight is Weight.NOTED
    # A folder of a dataset may be empty while others of it are not.
    below = replace(NAS, exports=(replace(WANTED, place="/mnt/tank/backup/new"),))
    found = of(look(replace(empty, export="NFS /mnt/tank/backup/new"), path="/mnt/tank/backup/new"), below)
    assert (found.weight, found.detail) == (Weight.NOTED, "is on, and SFTP from here finds nothing in it: it is empty")


def test_what_the_nas_says_of_a_dataset_goes_before_an_empty_folder() -> None:
    """A locked or unmounted dataset is said so, whatever is listed there."""
    seen = look(nfs(True, 0))
    for changes, told in (({"mounted": False}, "is not mounted"), ({"locked": True}, "is locked")):
        one = replace(seen, datasets=(replace(seen.datasets[0], **changes),))  # type: ignore[index,arg-type]  # by name
        found = of(one)
        assert found.weight is Weight.UNKNOWN
        assert told in found.detail


def test_a_restore_does_not_begin_on_what_is_not_shown() -> None:
    for listed, weight in ((nfs(False), Weight.BLOCKS), (nfs(True, 0, way="SFTP"), Weight.UNKNOWN), (nfs(None), Weight.FINE)):
        found = source_findings(NAS, look(listed), "/mnt/tank/backup/notes", ssh=False)
        assert [one.weight for one in found if one.part == "export NFS /mnt/tank/backup"] == [weight], listed


def test_one_export_that_is_not_shown_says_nothing_of_another() -> None:
    both = findings(Part.EXPORTS, NAS, look(Listed("SMB media", "smbclient", shown=False)), 0.0, (), ssh=False)
    assert [one.weight for one in both] == [Weight.FINE, Weight.BLOCKS]
