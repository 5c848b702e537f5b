"""A NAS whose API cannot be had, asked by midclt over SSH: it sees what the API shows, and each trouble has its own answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import paramiko
import pytest

from adapters.nas.adapter import TrueNas
from adapters.nas.results import NasLook, Trouble, Unheard
from adapters.nas.session import Bounds
from adapters.trust import SshTrust
from cluster.storage.findings import Weight
from cluster.storage.nas.judge import Part, findings
from engine.secrets import Secret
from house.values.nas import Nas
from lab.wire.truenas.shell import TrueNasShell
from lab.world.nas import LabAlert, LabReplication
from tests.adapters.backups.test_sftp import make_key
from tests.contract.nas.truenas_bench import KEY, VERSIONS, NasBench, bench

BOUNDS = Bounds(look_s=20.0, job_s=0.6)


@dataclass
class Both:
    """One box behind both doors."""

    api: NasBench
    shell: TrueNasShell
    folder: Path
    host_key: paramiko.PKey

    @property
    def nas(self) -> Nas:
        return replace(self.api.nas, ssh_host="127.0.0.1", ssh_port=self.shell.port)

    def known(self, key: paramiko.PKey | None) -> Path:
        """A file of known hosts with this key, or without any."""
        file = self.folder / "known_hosts"
        line = f"[127.0.0.1]:{self.shell.port} {key.get_name()} {key.get_base64()}\n" if key is not None else ""
        file.write_text(line)
        return file

    def trust(self, user: str = "user") -> SshTrust:
        return SshTrust(self.known(self.host_key), self.folder / user)

    def look(self, trust: SshTrust | None = None, bounds: Bounds = BOUNDS) -> NasLook:
        """With the API shut, by SSH."""
        self.api.box.users[0].expired = True
        return TrueNas(lambda reference: Secret(KEY), bounds, trust or self.trust()).look(self.nas)

    def by_api(self) -> NasLook:
        self.api.box.users[0].expired = False
        return self.api.look()


def both(folder: Path, version: str) -> Iterator[Both]:
    with bench(folder, version) as api:
        host_key, user_key = make_key(folder / "host"), make_key(folder / "user")
        shell = TrueNasShell(api.box, host_key, user_key, time.time).start()
        try:
            yield Both(api, shell, folder, host_key)
        finally:
            shell.close()


@pytest.fixture(params=VERSIONS)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    yield from both(tmp_path, request.param)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Both]:
    yield from both(tmp_path, "25.10.6")


def alike(look: NasLook) -> NasLook:
    """Without what differs by the way that was taken, and by the second."""
    return replace(look, path="", expires=None, asked_at=0.0, clock=None, up_s=None, instead=None)


def told(look: NasLook) -> str:
    assert look.trouble is not None, look
    assert KEY not in repr(look)
    return look.trouble.detail


def test_it_sees_of_a_box_in_order_and_of_a_sick_one_just_what_the_api_shows(box: Both) -> None:
    assert alike(box.look()) == alike(box.by_api())
    sick = box.api.box
    sick.pool("tank").status, sick.pool("tank").healthy, sick.pool("tank").code = "DEGRADED", False, "FAULTED_DEV_R"
    sick.dataset("tank/media").key_loaded = False
    sick.dataset("tank/backup").mounted = False
    sick.services["nfs"] = (True, False)
    sick.alerts.append(LabAlert("VolumeStatus", "CRITICAL", "Pool <b>tank</b>", time.time() - 60))
    sick.replications.append(LabReplication("to-friend", "tank/media", "x/y", state="ERROR", at=time.time(), error="refused"))
    seen = box.look()
    assert alike(seen) == alike(box.by_api())
    assert {one.name: one.unlocking for one in seen.datasets}["tank/media"] == "tank/media waits for its passphrase"  # type: ignore[union-attr]  # rows
    assert seen.path == "midclt over SSH"


def test_that_the_api_was_not_had_is_told_and_where_it_answers_nobody_logs_in(one: Both) -> None:
    seen = one.look()
    assert seen.instead is not None
    assert seen.instead.trouble is Trouble.EXPIRED
    found = findings(Part.ANSWERS, one.nas, seen, time.time(), (), ssh=False)
    assert [each.weight for each in found] == [Weight.FINE, Weight.NOTED]
    assert "asked by SSH, for its API says that the key is expired" in found[1].detail
    one.shell.asked.clear()
    assert one.by_api().instead is None
    assert one.shell.asked == []


def test_a_server_whose_key_is_another_or_not_known_is_never_logged_in_to(one: Both) -> None:
    another = replace(one.trust(), known_hosts=one.known(make_key(one.folder / "other")))
    assert "shows another SSH key than the one in" in told(one.look(another))
    assert "the SSH key of 127.0.0.1 is not known here" in told(one.look(replace(another, known_hosts=one.known(None))))
    assert one.shell.asked == []


def test_a_key_that_is_not_let_in_a_missing_command_and_a_failed_login_are_three_things(one: Both) -> None:
    make_key(one.folder / "stranger")
    assert "Authentication failed" in told(one.look(one.trust("stranger")))
    one.shell.midclt = False
    assert "midclt cannot be run there: sh: 1: midclt: not found" in told(one.look())
    one.shell.midclt, one.shell.locked_out = True, True
    assert "midclt says that it failed to log in" in told(one.look())
    one.shell.close()
    what = one.look()
    assert what.trouble is not None
    assert what.trouble.trouble is Trouble.EXPIRED, "the first of both is what is told"
    assert "nor by SSH, it gives no answer" in what.trouble.detail


@pytest.mark.parametrize("method", ["pool.query", "pool.dataset.encryption_summary"])
def test_a_connection_that_is_dropped_in_the_middle_says_while_what(box: Both, method: str) -> None:
    box.api.box.dataset("tank/media").key_loaded = False
    box.api.box.weather.drop = method
    assert method in told(box.look())
    box.api.box.weather.drop = ""
    assert box.look().trouble is None


def test_a_large_answer_is_taken_and_one_above_the_limit_is_not(one: Both) -> None:
    one.api.box.alerts.append(LabAlert("VolumeStatus", "INFO", "<p>long</p>", time.time()))
    one.api.box.weather.padding = 2**20
    seen = one.look()
    assert seen.trouble is None
    assert len(seen.alerts[0].text) <= 300  # type: ignore[index]
    assert "alert.list: an answer of more than 0 MiB" in told(one.look(bounds=replace(BOUNDS, answer=2**19)))


def test_a_job_that_never_ends_and_a_question_that_is_never_answered_end_in_their_time(one: Both) -> None:
    one.api.box.dataset("tank/media").key_loaded = False
    one.api.box.weather.stuck = True
    found = {each.name: each for each in one.look().datasets}["tank/media"]  # type: ignore[union-attr]  # rows
    assert found.unlocking.endswith("(encryption_summary) has not ended within 1 s, it is RUNNING")
    one.api.box.weather.hang = "replication.query"
    began = time.monotonic()
    assert "replication.query: no answer within 3 s" in told(one.look(bounds=Bounds(look_s=3.0)))
    assert time.monotonic() - began < 9


def test_a_question_that_is_refused_is_that_questions_own(one: Both) -> None:
    one.api.box.weather.refuse = "pool.query"
    seen = one.look()
    assert isinstance(seen.pools, Unheard)
    assert seen.pools.code == "EACCES"
    assert isinstance(seen.alerts, tuple)


def test_one_who_is_not_root_asks_by_sudo(one: Both) -> None:
    other = replace(one.nas, ssh_user="admin")
    one.look()
    assert TrueNas(lambda reference: Secret(KEY), BOUNDS, one.trust()).look(other).trouble is None


def test_a_server_that_never_says_whether_it_runs_the_question_is_left_in_time(one: Both) -> None:
    one.shell.deaf = True
    began = time.monotonic()
    assert "system.info: no answer within 1 s" in told(one.look(bounds=Bounds(look_s=1.0)))
    assert time.monotonic() - began < 30


def test_an_exit_code_that_comes_before_the_answer_cuts_nothing_off(one: Both) -> None:
    one.shell.code_first = True
    assert alike(one.look()) == alike(one.by_api())
    one.shell.cut = True
    assert "the connection ended without a word while waiting for system.info" in told(one.look())


def test_what_sudo_warns_of_is_no_refusal_and_hides_none(one: Both) -> None:
    one.shell.warns = "sudo: unable to resolve host truenas: Name or service not known\n"
    one.api.box.weather.refuse = "pool.query"
    seen = one.look()
    assert isinstance(seen.pools, Unheard)
    assert seen.pools.code == "EACCES"
    one.shell.midclt = False
    assert "midclt cannot be run there: sh: 1: midclt: not found" in told(one.look())


@pytest.mark.parametrize("line", ["@cert-authority *.example {key}", "nas.example ssh-ed25519 AAA", "odd", "\udcff\udcfe x y"])
def test_a_line_of_known_hosts_that_is_of_no_use_hides_no_other(one: Both, line: str) -> None:
    trust = one.trust()
    before = trust.known_hosts.read_text()
    words = f"{one.host_key.get_name()} {one.host_key.get_base64()}"
    trust.known_hosts.write_text(f"{line.format(key=words)}\n{before}", errors="surrogateescape")
    assert one.look(trust).trouble is None


def test_a_server_that_shows_a_revoked_key_is_never_logged_in_to(one: Both) -> None:
    trust = one.trust()
    with trust.known_hosts.open("a") as file:
        file.write(f"@revoked * {one.host_key.get_name()} {one.host_key.get_base64()}\n")
    assert f"is revoked in {trust.known_hosts}" in told(one.look(trust))
    assert one.shell.asked == []
