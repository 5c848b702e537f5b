"""What a drill's pods do and what is read from their logs: nothing that was not understood is a proof, or a failure of a backup."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from adapters.drills import script, trials
from adapters.drills.canary import found_in
from adapters.drills.fence import SCRATCH, forbidden, walls
from adapters.drills.jobs import held_of, job_name, restore_job, restore_of, seek_job, sentinel_job, trial_job
from adapters.drills.results import Damage, FenceWall, Found, Order, Phase, Trouble
from adapters.drills.store import CANARY
from adapters.volsync.mover import Mover
from adapters.volsync.results import Snapshot

NEVER_THERE = "Fatal: failed to find snapshot: failed to load snapshot [null]:"  # restic 0.18.1, of a whole id that is not there
CUT_OFF = "? Stat(<config/>) returned error: dial tcp 10.9.9.9:6443: i/o timeout\n"
API = ("10.9.9.9:6443", "10.96.0.1:443")
STORE_AT = ("10.9.9.8:9000",)
STORE = f"a store failed 143\n{CUT_OFF}"
SILENCE = "".join(f"a {at} failed 143\n{CUT_OFF}" for at in (*API, *STORE_AT))
WHOLE = f"t looked\n{STORE}{SILENCE}end\n"
MOVERS = WHOLE.replace(STORE, "a store reached\n")


@pytest.mark.parametrize("text", [script.RESTORE, script.TRIAL, script.DAMAGED, script.SENTINEL, script.SEEK])
def test_scripts_are_shell_that_a_kubelet_leaves_alone(text: str) -> None:
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    assert "$$" not in text
    assert not any(word in text for word in ("restic init", " backup", " forget", " prune", " unlock"))


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ("c found 00ff\nend\n", Found("00ff")),
        ("c found \nend\n", Found("")),
        ("c found 00ff\n", Found(None, None, "the pod's log broke off")),
        ("", Found(None, None, "the pod's log broke off")),
        ("c failed 10\n? Fatal: it does not exist\nend\n", Found(None, Trouble.NO_REPOSITORY, "Fatal: it does not exist")),
        ("c failed 124\nend\n", Found(None, Trouble.UNREACHABLE)),
        ("c failed 1\n? Fatal: no snapshot found\nend\n", Found(None, Trouble.NO_SNAPSHOT, "Fatal: no snapshot found")),
    ],
)
def test_what_the_search_for_the_canary_says(log: str, found: Found) -> None:
    assert found_in(log) == found


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"00ff\n", "00ff"), (b"", ""), (b"00ff", "00ff"), (b"00ff\n00ff\n", "00ff?00ff"), (b"00ff\nmore", "00ff????e"),
        (b"0X0ff\n", "0?0ff"), (b"00ff \n", "00ff?"), (b"00\x00ff\n", "00?ff"), (b"0" * 500, "0" * 100),
    ],
)  # fmt: skip
def test_of_the_canarys_file_all_is_told_and_not_the_word_within(tmp_path: Path, content: bytes, word: str) -> None:
    """What stands beside the word was not written by the drill: leaving it out would make another file the one that was sent."""
    (tmp_path / "content").write_bytes(content)
    restic = tmp_path / "restic"
    restic.write_text(f"#!/bin/sh\ncat {tmp_path}/content\n")
    restic.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "OPEN_S": "9"}
    text = script.SEEK.replace("/tmp/", f"{tmp_path}/")
    done = subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, check=False)
    assert found_in(done.stdout) == Found(word), done


@pytest.mark.parametrize("damage", [Damage.BYTE_FLIPPED, Damage.FILE_GONE])
def test_damage_hits_one_file_and_nothing_besides(tmp_path: Path, damage: Damage) -> None:
    data, own = tmp_path / "data", tmp_path / "own"
    (data / "in").mkdir(parents=True)
    own.mkdir()
    (data / "in" / "a file").write_bytes(b"abc")
    (data / "in" / "z").write_bytes(b"xyz")
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in (data / "in", *(data / "in").iterdir())}
    text = f"cd {data}\n" + script.DAMAGED.replace("/tmp/", f"{own}/") + "damaged\n"
    done = subprocess.run(["sh", "-c", text], env={"DAMAGE": damage.value, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.stdout == "d in/a file\n", done
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
        (f"r failed 1\n? {NEVER_THERE} no such file or directory\nend\n", Phase.FAILED, Trouble.NO_SNAPSHOT),
        (f"r failed 1\n? {NEVER_THERE} The specified key does not exist.\nend\n", Phase.FAILED, Trouble.NO_SNAPSHOT),
        ("r failed 1\n? connect: network is unreachable\nend\n", Phase.FAILED, Trouble.UNREACHABLE),
        ("r failed 1\n? connect: connection timed out\nend\n", Phase.FAILED, Trouble.UNREACHABLE),
        ("r failed 1\n? lookup s3.lan: Temporary failure in name resolution\nend\n", Phase.FAILED, Trouble.UNREACHABLE),
    ],
)
def test_what_a_restore_says(log: str, phase: Phase, trouble: Trouble | None) -> None:
    assert (restore_of(log).phase, restore_of(log).trouble) == (phase, trouble)


HELD = "o known\nr ok 1 0\na known\nend 0 0\n"


@pytest.mark.parametrize(
    ("log", "known"),
    [
        (f"r ok 12 4096\nn 5\nend\n{HELD}", True), (f"r ok 12 4096\nd in/a\nend\n{HELD}", True), (f"r ok 12 4096\n{HELD}", False),
        ("r ok 12 4096\nend\n", False), (f"r ok 12 4096\nend\n{HELD[8:]}", False), (f"r ok 12 4096\nend\n{HELD[:-8]}", False),
        (f"r ok 12 4096\nend\n{HELD[:-8]}! Permission denied\n{HELD[-8:]}", False), ("", False),
        (f"r ok 12 4096\nend\n{HELD.replace('r ok 1 0', 'r unable')}", False), (f"r ok 12 4096\nend\nnonsense\n{HELD}", False),
        (f"r ok 12 4096\nend\n{HELD.replace('1 0', 'one none')}", False), (f"r ok 12 4096\nend\nd null\n{HELD}", False),
    ],
)  # fmt: skip
def test_what_a_restores_own_pod_found_counts_only_whole(log: str, known: bool) -> None:
    assert (held_of(log.encode()) is not None) is known
    assert restore_of(log).phase is (Phase.DONE if "\nend\n" in log else Phase.FAILED)


def test_what_is_told_of_the_volume_is_no_word_of_the_restores() -> None:
    state = restore_of(f"r ok 12 4096\nend\n{HELD}d later\nn 7\n? no\n")
    assert (state.damaged, state.received) == ("", None)
    assert restore_of(f"r ok 12 4096\nd in/a file\nn 7\nend\n{HELD}").damaged == "in/a file"


@pytest.mark.parametrize(
    "words",
    [
        "dial tcp 10.9.9.9:6443: i/o timeout", "dial tcp 10.9.9.9:6443: connect: network is unreachable",
        "dial tcp 10.9.9.9:6443: connect: no route to host", "dial tcp 10.9.9.9:6443: connect: operation not permitted",
        "dial tcp 10.9.9.9:6443: connect: connection timed out", "context deadline exceeded",
    ],
)  # fmt: skip
def test_a_silence_proves_that_nothing_gets_out(words: str) -> None:
    log = WHOLE.replace(CUT_OFF, f"? {words}\n")
    assert trials.egress(log, (*API, *STORE_AT)).proven
    assert trials.movers(log, API).proven


ANSWERED = (
    "dial tcp 10.9.9.9:6443: connect: connection refused", "x509: certificate signed by unknown authority",
    "unexpected HTTP response (403): 403 Forbidden", "dial tcp: lookup store.lan on 10.96.0.10:53: no such host",
    "dial tcp: lookup store.lan on 10.96.0.10:53: server misbehaving", "read: connection reset by peer",
    "net/http: TLS handshake timeout", "http: server gave HTTP response to HTTPS client", "unexpected EOF",
)  # fmt: skip


@pytest.mark.parametrize("words", [*ANSWERED, "something odd", "restic: not found", ""])
@pytest.mark.parametrize("at", ["store", *API, *STORE_AT])
def test_an_answer_of_any_kind_is_a_way_out(words: str, at: str) -> None:
    """A refused connection above all: whoever refused has received it."""
    told = f"? {words}\n" if words else ""
    for spoilt in (told, told + CUT_OFF, CUT_OFF + told) if words else (told,):
        log = WHOLE.replace(f"a {at} failed 143\n{CUT_OFF}", f"a {at} failed 124\n{spoilt}")
        if words in (*ANSWERED, "") or spoilt == told:
            assert not trials.egress(log, (*API, *STORE_AT)).proven, log
            assert trials.movers(log, API).proven is (at not in API), log


def test_what_was_not_tried_is_not_silent() -> None:
    for log in ("", WHOLE.replace("end\n", ""), WHOLE.replace(SILENCE, ""), WHOLE.replace(STORE, ""), MOVERS):
        assert not trials.egress(log, (*API, *STORE_AT)).proven, log
    for log in ("", MOVERS.replace("end\n", ""), MOVERS.replace(SILENCE, "")):
        assert not trials.movers(log, API).proven, log
    assert not trials.movers(MOVERS, ()).proven
    assert not trials.egress(WHOLE, ()).proven


def test_which_address_was_reached_is_told() -> None:
    log = WHOLE.replace(f"a {API[1]} failed 143\n{CUT_OFF}", f"a {API[1]} failed 143\n? {ANSWERED[0]}\n")
    assert API[1] in trials.egress(log, (*API, *STORE_AT)).detail
    assert "refused" in trials.egress(log, (*API, *STORE_AT)).detail


def test_the_store_is_proven_by_being_reached() -> None:
    assert trials.store(MOVERS).proven
    assert not trials.store(WHOLE).proven
    assert not trials.store("a store reached\n").proven
    for words in (*ANSWERED, "Fatal: repository does not exist: unable to open config file", "Access Denied."):
        refused = trials.store(MOVERS.replace("a store reached\n", f"a store failed 10\n? {words}\n"))
        assert not refused.proven and words in refused.detail
    assert not trials.store("").proven


def test_a_token_that_nobody_looked_for_is_not_absent() -> None:
    assert trials.token(WHOLE, WHOLE).proven
    assert not trials.token(WHOLE, "").proven
    assert not trials.token(WHOLE, "t there\n" + WHOLE).proven


FORBIDDEN = 'services "trial-1" is forbidden: '
SHUT = f"{FORBIDDEN}exceeded quota: nothing-reaches-out, requested: services=1, used: services=0, limited: services=0"
UNCOUNTED = f"{FORBIDDEN}status unknown for quota: nothing-reaches-out, resources: count/replicationsources.volsync.backube"
LACKING = 'services is forbidden: User "blackstart" cannot create resource "services" in API group ""'
GOING = f"{FORBIDDEN}unable to create new content in namespace blackstart-rehearsal because it is being terminated"


@pytest.mark.parametrize(
    ("answers", "proven"),
    [
        ({"a": (403, SHUT), "b": (404, "")}, True), ({"a": (403, SHUT), "b": (201, "")}, False),
        ({"a": (403, SHUT), "b": (500, "")}, False), ({"a": (404, "")}, False), ({}, False),
        ({"a": (422, "exceeded quota: x"), "b": (403, SHUT)}, False), ({"a": (403, UNCOUNTED)}, True),
        ({"a": (422, UNCOUNTED), "b": (403, SHUT)}, False),
    ],
)  # fmt: skip
def test_the_quota_is_proven_by_refusals(answers: dict[str, tuple[int, str]], proven: bool) -> None:
    assert trials.refused(FenceWall.QUOTA, answers).proven is proven


@pytest.mark.parametrize("words", [LACKING, GOING, "", "status unknown"])
def test_a_refusal_for_another_reason_says_nothing_of_the_quota(words: str) -> None:
    """What we may not make somebody else may: only who would refuse all of them is the wall."""
    trial = trials.refused(FenceWall.QUOTA, {"a Service": (403, SHUT), "an Ingress": (403, words)})
    assert not trial.proven
    assert "an Ingress (HTTP 403" in trial.detail and words in trial.detail


@pytest.mark.parametrize("words", [
    'admission webhook "validate.kyverno.svc" denied the request: no node ports',
    "services \"trial-2\" is forbidden: ValidatingAdmissionPolicy 'no-ports' with binding 'all' denied request: none here",
])  # fmt: skip
def test_an_admission_of_the_houses_own_that_is_first_shuts_it_as_well(words: str) -> None:
    assert trials.refused(FenceWall.QUOTA, {"a Service": (403, SHUT), "a port": (403, words)}).proven


def test_names_that_controllers_go_by() -> None:
    ours = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "blackstart"}}}
    assert trials.names([ours]).proven
    assert not trials.names([]).proven
    assert not trials.names([ours, {"metadata": {"annotations": {"external-dns.alpha.kubernetes.io/hostname": "x"}}}]).proven


def test_our_own_walls_and_trials_pass_the_names() -> None:
    assert trials.names([wall for _, wall in walls()]).proven
    assert len({body["metadata"]["name"] for *_, body in forbidden()}) == len(forbidden())


ORDER = Order("x", "apps", "notes", Snapshot("beef", "12" * 32), 1, damage=Damage.FILE_GONE)
NOBODY: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
JOBS = {
    "restore": restore_job(ORDER, "image", Mover(False, ()), NOBODY),
    "trial": trial_job("image", Mover(False, ()), NOBODY, movers=True, store=True, nowhere=API),
    "sentinel": sentinel_job("00ff", "image", NOBODY),
    "seek": seek_job("notes", "image", Mover(False, ()), NOBODY),
}


@pytest.mark.parametrize(
    ("resources", "restics"),
    [({}, "2"), ({"limits": {"cpu": "1"}}, "2"), ({"requests": {"memory": "1Gi"}}, "2"), ({"limits": {"memory": "1Gi"}}, "1")],
)
def test_a_mover_with_a_limit_of_memory_is_given_one_restic(resources: dict[str, Any], restics: str) -> None:
    """Two need it twice, and a pod that goes over its limit is ended whole."""
    job = restore_job(ORDER, "image", Mover(False, (), resources=tuple(resources.items())), NOBODY)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert {"name": "AT_ONCE", "value": restics} in container["env"]


def test_a_job_is_the_same_in_every_process() -> None:
    assert JOBS["restore"]["metadata"]["name"] == job_name("restore", "x") != job_name("restore", "y")


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_no_pod_of_a_drill_has_a_token_or_runs_for_ever(job: dict[str, Any]) -> None:
    spec = job["spec"]
    assert spec["template"]["spec"]["automountServiceAccountToken"] is False
    assert spec["backoffLimit"] == 0
    assert spec["activeDeadlineSeconds"] <= 6 * 3600


def test_only_the_canarys_word_is_written_outside_of_the_fence() -> None:
    """VolSync makes nothing behind it."""
    assert {what: job["metadata"]["namespace"] for what, job in JOBS.items()} == {
        "restore": SCRATCH, "trial": SCRATCH, "sentinel": CANARY, "seek": SCRATCH,
    }  # fmt: skip
