"""`cluster.storage`: one screen of what every storage system says, since when, and what hangs on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.kubernetes.results import StorageClass
from cluster.storage.longhorn.check import DRIVER
from console.verbs.cluster.verify import storage_of
from console.views.folding import fold
from console.views.page import MARK
from engine import errors
from lab.troubles.ceph import CEPH_TROUBLES
from lab.troubles.longhorn import of_volume, pods
from lab.troubles.nas import NAS_FAULTS
from lab.world.cluster.ceph import FSID, LabCeph
from lab.world.cluster.rook import LabRook
from lab.world.nas import LabUser, sample_nas
from tests.builders import a_claim, an_app
from tests.cluster.storage.test_longhorn import WHOLE
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line
from tests.scenario.faults.test_nas import NAS

HOSTED = StorageClass("proxmox-rbd", "rbd.csi.ceph.com", (("clusterID", FSID), ("pool", "rbd")))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A living house with one of each; one claim on Longhorn whose backup is on the NAS, one on the hosts' Ceph."""
    on_nas = a_claim("notes", mover_repository="/repository/notes", open_as="/repository/notes")
    made = Desk(tmp_path, nas=(NAS,), claims=(on_nas, a_claim("wiki")), flux_apps=(an_app("notes"), an_app("wiki")))
    home = made.running.home
    home.plug_nas(sample_nas(made.running.clock.now(), LabUser("blackstart", "3-key")), 105, "pve-2")
    made.running.apply(made.running.bootstrap)
    home.proxmox.ceph = LabCeph.on(home.proxmox.hosts)
    objects = home.kube.objects()
    objects.longhorn = WHOLE
    objects.rook.append(LabRook.healthy(made.running.clock.now()))
    classes = (StorageClass("longhorn", DRIVER, (), default=True), HOSTED, StorageClass("local", "rancher.io/local-path"))
    objects.storage_classes = {one.name: one for one in classes}
    objects.claims["apps", "notes"].storage_class = "longhorn"
    objects.claims["apps", "wiki"].storage_class = HOSTED.name
    return made


def told(desk: Desk, capsys: Printed) -> tuple[int, str]:
    capsys.readouterr()
    code = storage_of(desk.session("cluster.storage"))
    return code, capsys.readouterr().out


def result(desk: Desk, capsys: Printed) -> dict[str, Any]:
    capsys.readouterr()
    storage_of(desk.session("cluster.storage", json=True))
    return last_line(capsys)


def test_each_system_is_told_with_what_hangs_on_it(desk: Desk, capsys: Printed) -> None:
    found = result(desk, capsys)
    assert {one["system"]: (one["claims"], one["backups"]) for one in found["systems"]} == {
        "Longhorn": (["apps/notes"], []),
        "Ceph of the Proxmox hosts": (["apps/wiki"], []),
        "Ceph of Rook in rook-ceph": ([], []),
        "NAS nas": ([], ["apps/notes"]),
    }
    assert found["exit_code"] == errors.EXIT_OK
    assert found["unplaced"] == ""


def ceph(name: str) -> Callable[[Desk], None]:
    def strike(desk: Desk) -> None:
        found = desk.running.home.proxmox.ceph
        assert found is not None
        CEPH_TROUBLES[name].begin(found)

    return strike


def longhorn(desk: Desk) -> None:
    desk.running.home.kube.objects().longhorn = pods(0)(WHOLE)


def faulted(desk: Desk) -> None:
    changed = of_volume(state="detached", robustness="faulted", degraded_since=1_800_000_000.0)
    desk.running.home.kube.objects().longhorn = changed(WHOLE)


def nas(name: str) -> Callable[[Desk], None]:
    return lambda desk: NAS_FAULTS[name].begin(desk.running.home.nas["nas"], desk.running.clock.now())


SICK: list[tuple[str, Callable[[Desk], None], str, str, int]] = [
    ("paused", ceph("ceph-paused"), "Ceph of the Proxmox hosts", "sick", errors.EXIT_DRIFT),
    ("silent", ceph("ceph-silent"), "Ceph of the Proxmox hosts", "unknown", errors.EXIT_STEP_FAILED),
    ("no managers", longhorn, "Longhorn", "sick", errors.EXIT_DRIFT),
    ("a faulted volume", faulted, "Longhorn", "sick", errors.EXIT_DRIFT),
    ("a degraded pool", nas("nas-pool-degraded"), "NAS nas", "sick", errors.EXIT_DRIFT),
    ("a NAS that is off", nas("nas-off"), "NAS nas", "unknown", errors.EXIT_STEP_FAILED),
]


@pytest.mark.parametrize(("strike", "system", "word", "code"), [case[1:] for case in SICK], ids=[case[0] for case in SICK])
def test_a_sick_one_is_told_by_itself_and_ends_as_verify_does(
    desk: Desk, capsys: Printed, strike: Callable[[Desk], None], system: str, word: str, code: int
) -> None:
    strike(desk)
    found = result(desk, capsys)
    said = {one["system"]: one["says"] for one in found["systems"]}
    assert said[system] == word
    assert {word for name, word in said.items() if name != system} <= {"well", "told"}
    assert found["exit_code"] == code


def test_since_when_is_told_where_the_system_says_so(desk: Desk, capsys: Printed) -> None:
    faulted(desk)
    _, page = told(desk, capsys)
    assert "sick     Longhorn, since 2027-01-15T08:00Z" in page


def test_one_finding_is_told_once_however_many_rows_have_it(desk: Desk, capsys: Printed) -> None:
    nas("nas-off")(desk)
    _, page = told(desk, capsys)
    assert page.count("gives no answer") == 1
    assert "backups that wait for it: apps/notes" in page


def test_it_is_one_screen(desk: Desk, capsys: Printed) -> None:
    for strike in (ceph("ceph-paused"), longhorn, nas("nas-pool-degraded")):
        strike(desk)
    lines = [part for line in told(desk, capsys)[1].splitlines() for part in fold(line.removeprefix(MARK), 80)]
    assert len(lines) <= 36, "\n".join(lines)


def test_claims_on_what_nobody_knows_how_to_ask_are_not_called_well(desk: Desk, capsys: Printed) -> None:
    desk.running.home.kube.objects().claims["apps", "wiki"].storage_class = "local"
    code, page = told(desk, capsys)
    assert "not looked at: local (rancher.io/local-path), for apps/wiki\n" in page
    assert "What nobody looks at is no success: ask those yourself." in page
    assert code == errors.EXIT_STEP_FAILED
    assert result(desk, capsys)["outcome"] == "failed"


def test_without_a_cluster_what_hangs_on_what_is_not_known(desk: Desk, capsys: Printed) -> None:
    desk.running.home.kube.api_down |= {node.address for node in desk.running.house.control_planes}
    code, page = told(desk, capsys)
    assert "which claim is on what is not known" in page
    assert "NAS nas" in page
    assert code == errors.EXIT_STEP_FAILED


def test_a_house_without_any_says_so(tmp_path: Path, capsys: Printed) -> None:
    desk = Desk.bootstrapped(tmp_path, claims=())
    code, page = told(desk, capsys)
    assert "no storage system" in page
    assert code == errors.EXIT_OK
    assert result(replace_claims(desk), capsys)["systems"] == []


def replace_claims(desk: Desk) -> Desk:
    desk.running.house = replace(desk.running.house, claims=())
    return desk
