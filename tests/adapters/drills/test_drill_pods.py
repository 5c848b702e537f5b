"""What a drill's pods do and what is read from their logs: nothing that was not understood is a proof, or a failure of a backup."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from adapters.drills import script, trials
from adapters.drills.fence import forbidden, walls
from adapters.drills.jobs import damage_job, job_name, restore_of
from adapters.drills.results import Damage, Phase, Trouble

CUT_OFF = "? Fatal: dial tcp: i/o timeout\n"
WHOLE = f"t looked\ns failed 1\n{CUT_OFF}k failed 1\n{CUT_OFF}end\n"


@pytest.mark.parametrize("text", [script.RESTORE, script.TRIAL, script.DAMAGE])
def test_scripts_are_shell_that_a_kubelet_leaves_alone(text: str) -> None:
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    assert "$$" not in text
    assert not any(word in text for word in ("restic init", " backup", " forget", " prune", " unlock"))


@pytest.mark.parametrize("damage", [Damage.BYTE_FLIPPED, Damage.FILE_GONE])
def test_damage_hits_one_file_and_nothing_besides(tmp_path: Path, damage: Damage) -> None:
    data, own = tmp_path / "data", tmp_path / "own"
    (data / "in").mkdir(parents=True)
    own.mkdir()
    (data / "in" / "a file").write_bytes(b"abc")
    (data / "in" / "z").write_bytes(b"xyz")
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in (data / "in", *(data / "in").iterdir())}
    text = script.DAMAGE.replace("/tmp/", f"{own}/").replace("cd /data", f"cd {data}")
    done = subprocess.run(["sh", "-c", text], env={"DAMAGE": damage.value, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.stdout == "d in/a file\nend\n", done
    if damage is Damage.BYTE_FLIPPED:
        assert (data / "in" / "a file").read_bytes() == b"bbc"
    assert (data / "in" / "a file").exists() is (damage is Damage.BYTE_FLIPPED)
    for path, (mtime, _) in before.items():
        assert not path.exists() or path.stat().st_mtime_ns // 1000 == mtime // 1000


@pytest.mark.parametrize(
    ("log", "phase", "trouble"),
    [
        ("r ok 12 4096\nend\n", Phase.DONE, None),
        ("r ok 12 4096\n", Phase.FAILED, Trouble.NOT_STARTED),
        ("", Phase.FAILED, Trouble.NOT_STARTED),
        ("r other abcdef0123\nend\n", Phase.FAILED, Trouble.OTHER_REPOSITORY),
        ("r failed 10\n? Fatal: repository does not exist\nend\n", Phase.FAILED, Trouble.NO_REPOSITORY),
        ("r failed 12\n? Fatal: wrong password\nend\n", Phase.FAILED, Trouble.WRONG_PASSWORD),
        ("r failed 124\nend\n", Phase.FAILED, Trouble.UNREACHABLE),
        ("r failed 137\nend\n", Phase.FAILED, Trouble.UNREACHABLE),
        ("r failed 1\n? dial tcp: connection refused\nend\n", Phase.FAILED, Trouble.UNREACHABLE),
        ("r failed 1\n? no matching ID found for prefix\nend\n", Phase.FAILED, Trouble.NO_SNAPSHOT),
        ("r failed 1\n? Access Denied.\nend\n", Phase.FAILED, Trouble.REFUSED),
    ],
)
def test_what_a_restore_says(log: str, phase: Phase, trouble: Trouble | None) -> None:
    assert (restore_of(log).phase, restore_of(log).trouble) == (phase, trouble)


def test_egress_is_proven_by_two_silences_alone() -> None:
    assert trials.egress(WHOLE).proven
    for log in (
        "", WHOLE.replace("end\n", ""), WHOLE.replace("s failed 1", "s reached"),
        WHOLE.replace(f"k failed 1\n{CUT_OFF}", "k failed 1\n? x509: certificate signed by unknown authority\n"),
        WHOLE.replace(f"s failed 1\n{CUT_OFF}", "s failed 1\n? something odd\n"),
        WHOLE.replace(f"s failed 1\n{CUT_OFF}", "s failed 127\n? restic: not found\n"),
    ):  # fmt: skip
        assert not trials.egress(log).proven, log


def test_the_store_is_proven_by_being_reached() -> None:
    assert trials.store(WHOLE.replace("s failed 1", "s reached")).proven
    assert not trials.store(WHOLE).proven
    assert not trials.store("").proven


def test_a_token_that_nobody_looked_for_is_not_absent() -> None:
    assert trials.token(WHOLE, WHOLE).proven
    assert not trials.token(WHOLE, "").proven
    assert not trials.token(WHOLE, "t there\n" + WHOLE).proven


@pytest.mark.parametrize(
    ("answers", "proven"),
    [
        ({"a": 403, "b": 404}, True), ({"a": 403, "b": 201}, False), ({"a": 403, "b": 500}, False), ({"a": 404}, False),
        ({}, False), ({"a": 422, "b": 403}, False),
    ],
)  # fmt: skip
def test_the_quota_is_proven_by_refusals(answers: dict[str, int], proven: bool) -> None:
    assert trials.quota(answers).proven is proven


def test_names_that_controllers_go_by() -> None:
    ours = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "blackstart"}}}
    assert trials.names([ours]).proven
    assert not trials.names([]).proven
    assert not trials.names([ours, {"metadata": {"annotations": {"external-dns.alpha.kubernetes.io/hostname": "x"}}}]).proven


def test_our_own_walls_and_trials_pass_the_names() -> None:
    assert trials.names([wall for _, wall in walls()]).proven
    assert len({body["metadata"]["name"] for _, _, body in forbidden()}) == len(forbidden())


def test_a_job_is_the_same_in_every_process_and_has_no_token() -> None:
    job = damage_job("x", Damage.FILE_GONE, "image", ({}, {}))
    assert job["metadata"]["name"] == job_name("file-gone", "x") != job_name("restore", "x")
    assert job["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
    assert job["spec"]["backoffLimit"] == 0
