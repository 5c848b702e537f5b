"""The exports of a NAS listed by real programs of real servers: sshd (or its stand-in), smbd, Ganesha; or skipped."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.nas.adapter import TrueNas
from adapters.nas.listing import NFS, SFTP, SMB, Listing
from adapters.nas.results import Listed, NasLook
from adapters.process.keeper import Keeper
from adapters.trust import SshTrust
from cluster.storage.findings import Weight
from cluster.storage.nas.judge import Part, findings
from engine.secrets import Secret
from engine.workers import Threads
from house.settings.references import SecretRef
from house.values.nas import Export, Nas, NasExport
from lab.troubles.nas import NAS_FAULTS
from lab.wire.sftp.door import SftpDoor
from lab.wire.sftp.exports import BoxTree
from lab.wire.sftp.keys import SshKeys
from lab.wire.sftp.sshd import login, real_sshd, server_program
from lab.wire.sftp.standin import StandIn
from tests.contract.nas import smbd
from tests.contract.nas.truenas_bench import KEY, NasBench, bench

NOWHERE = SshTrust(Path("/nowhere/known_hosts"))
PLAIN = Nas("nas", "127.0.0.1", 443, "", "/ca.pem", "b", SecretRef(("env:K",)))


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    with Keeper(tmp_path_factory.mktemp("programs")) as made:
        yield made


@dataclass
class Box:
    """One box of the lab, asked by its API and by SFTP."""

    api: NasBench
    door: SftpDoor
    keeper: Keeper

    @property
    def nas(self) -> Nas:
        keys = self.door.keys
        return replace(
            self.api.nas, ssh_host="127.0.0.1", ssh_port=self.door.port, ssh_user=login(), known_hosts=str(keys.known_hosts),
            ssh_key=str(keys.folder / "user"), exports=(NasExport(Export.NFS, "/mnt/tank/backup", "apps/notes"),),
        )  # fmt: skip

    def look(self, **changes: object) -> NasLook:
        nas = replace(self.nas, **changes)  # type: ignore[arg-type]  # fields by name
        return TrueNas(lambda _: Secret(KEY), listing=Listing(self.keeper, Threads(), lambda _: Secret(KEY))).look(nas)

    def told(self, **changes: object) -> tuple[Weight, str]:
        (found,) = findings(Part.EXPORTS, self.nas, self.look(**changes), time.time(), (), ssh=False)
        return found.weight, found.detail


@pytest.fixture(params=["sshd", "stand-in"])
def box(request: pytest.FixtureRequest, tmp_path: Path, keeper: Keeper) -> Iterator[Box]:
    keys = SshKeys(tmp_path / "ssh")
    keys.host  # noqa: B018 - makes the folder
    server = StandIn(keys) if request.param == "stand-in" else real_sshd(keys)
    if server is None:
        pytest.skip("no sshd that could serve here (openssh-server, and mount namespaces)")
    with bench(tmp_path, "25.10.6") as api, closing(SftpDoor(keys, BoxTree(api.box, tmp_path / "mnt"), server=server)) as door:
        yield Box(api, door.start(), keeper)


def test_what_an_export_holds_is_listed_by_sftp_and_told_beside_the_word_of_the_nas(box: Box) -> None:
    assert [one for one in box.look().listed if one.way == SFTP] == [Listed("NFS /mnt/tank/backup", SFTP, shown=True, entries=1)]
    weight, told = box.told()
    assert weight is Weight.FINE
    assert told == "is on, and SFTP from here finds it, 1 name in it"
    NAS_FAULTS["nas-export-not-shown"].begin(box.api.box, time.time())
    weight, told = box.told()
    assert (weight, told.endswith("finds none (SFTP: no folder /mnt/tank/backup)")) == (Weight.BLOCKS, True), told
    box.api.box.nfs[0].shown, box.api.box.nfs[0].bare = True, True
    weight, told = box.told()
    assert weight is Weight.UNKNOWN
    assert "finds nothing in it, while dataset tank/backup holds 100.0 GiB" in told


def test_a_server_that_cannot_be_listed_leaves_the_word_of_the_nas_and_says_why(box: Box, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("")
    for changes in ({"known_hosts": str(tmp_path / "none")}, {"ssh_key": str(tmp_path / "gone")}, {"ssh_port": 1}):
        weight, told = box.told(**changes)
        assert weight is Weight.FINE, changes
        assert "is on, by the NAS's word: not listed from here" in told
        assert "SFTP: " in told
    box.api.box.services["ssh"] = (True, False)
    assert [one.shown for one in box.look().listed if one.way == SFTP] == [None]


@pytest.fixture(scope="module")
def shares(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if why := smbd.lacks():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("smb")
    for name in ("films", "bare"):
        (folder / name).mkdir()
    (folder / "films" / "a film.mkv").write_text("x")
    with smbd.running(folder / "smbd", {"films": folder / "films", "bare": folder / "bare", "gone": folder / "gone"}) as port:
        yield port


def test_a_share_of_a_real_smbd_is_opened_and_listed(shares: int, keeper: Keeper) -> None:
    names = ("films", "FILMS", "bare", "gone", "never")
    nas = replace(PLAIN, exports=tuple(NasExport(Export.SMB, name, "x") for name in names))
    named = replace(nas, smb_user=login(), smb_password=SecretRef(("env:W",)))

    def seen(of: Nas, word: str = smbd.WORD) -> list[tuple[bool | None, int | None]]:
        found = Listing(keeper, Threads(), lambda _: Secret(word), smb_port=shares).of(of, (), NOWHERE)
        assert {one.way for one in found} == {SMB}
        return [(one.shown, one.entries) for one in found]

    assert seen(named) == [(True, 1), (True, 1), (True, 0), (False, None), (False, None)]
    # Nobody is let in, and hears of a name that is none; with a wrong password nothing is known of any.
    assert seen(nas) == [(None, None)] * 4 + [(False, None)]
    assert seen(named, "another-walrus-19") == [(None, None)] * 5


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if missing := [one for one in ("ganesha.nfsd", "rpcbind", "rpcinfo", "showmount") if server_program(one) is None]:
        pytest.skip(f"not on this machine: {', '.join(missing)} (Debian: nfs-ganesha-vfs, rpcbind, nfs-common)")
    if os.geteuid() != 0 or _listens(111):
        pytest.skip("port 111, where every NFS server is asked after, is not ours to take")
    folder = tmp_path_factory.mktemp("nfs")
    (folder / "backup").mkdir()
    with closing(_Ganesha(folder)):
        yield folder / "backup"


class _Ganesha:
    """rpcbind and an NFS server that exports `backup` below the folder."""

    def __init__(self, folder: Path) -> None:
        (folder / "conf").write_text(_GANESHA.format(folder=folder))
        self._log = folder / "log"
        self._started: list[subprocess.Popen[bytes]] = []
        self._start("rpcbind", "-f")
        self._await(lambda: _listens(111))
        self._start("ganesha.nfsd", "-F", "-f", str(folder / "conf"), "-L", str(self._log), "-p", str(folder / "pid"))
        asked = [str(server_program("rpcinfo")), "-p", "127.0.0.1"]
        self._await(lambda: b"mountd" in subprocess.run(asked, capture_output=True, timeout=30).stdout)

    def _start(self, program: str, *words: str) -> None:
        quiet = subprocess.DEVNULL
        self._started.append(subprocess.Popen([str(server_program(program)), *words], stdin=quiet, stdout=quiet, stderr=quiet))

    def _await(self, there: Callable[[], bool]) -> None:
        """Skips where one of them ends by itself, as in a container without its rights; one that runs has to serve."""
        until = time.monotonic() + 90
        while not there():
            ended = [one for one in self._started if one.poll() is not None]
            if ended or time.monotonic() > until:
                self.close()
                log = self._log.read_text().splitlines()[-1:] if self._log.is_file() else []
                (pytest.skip if ended else pytest.fail)(f"the NFS server does not {'start' if ended else 'serve'} here: {log}")
            time.sleep(0.1)

    def close(self) -> None:
        for one in reversed(self._started):
            one.kill()
            one.wait(10)


def test_an_nfs_server_is_asked_what_it_exports(exported: Path, keeper: Keeper) -> None:
    places = (str(exported), f"{exported}/below", f"{exported.parent}/other")
    nas = replace(PLAIN, exports=tuple(NasExport(Export.NFS, place, "x") for place in places))
    found = Listing(keeper, Threads(), lambda _: Secret("x")).of(nas, (), NOWHERE)
    assert [(one.way, one.shown) for one in found] == [(NFS, True), (NFS, True), (NFS, False)], found


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


_GANESHA = """\
NFS_CORE_PARAM {{
  Protocols = 3,4; MNT_Port = 20048; NFS_Port = 20490; Bind_addr = 127.0.0.1; Enable_NLM = false; Enable_RQUOTA = false;
}}
NFSV4 {{ RecoveryRoot = {folder}; Graceless = true; }}
EXPORT {{ Export_Id = 1; Path = {folder}/backup; Pseudo = /backup; Access_Type = RO; SecType = sys; FSAL {{ Name = VFS; }} }}
LOG {{ Default_Log_Level = WARN; }}
"""
