"""The real tool against a running house: faults at every mutation that goes over a wire, kills from outside, no secret spilled.

It comes first in this folder: what is built and restored here is used by the others. `make prove ONLY=lived-in` plays it and the
drill after it, and CI does each time; `python -m tests.crash.wire.soak` does it at length.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path
from random import Random

import pytest

from tests.crash.wire import outside, spilled
from tests.crash.wire.bench import Bench
from tests.crash.wire.faults import DEATHS, mutations
from tests.lab.lived_in.story import SEED, Story, prefix

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long]


def test_every_sampled_fault_and_kill_strikes_and_the_house_converges_with_nothing_doubled(
    bench: Bench, story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\ncluster.bootstrap: {story.bootstrap}\ndr.restore: {story.restore}")  # noqa: T201 - the count is the proof
    assert story.bootstrap.missed == []
    assert story.restore.missed == []
    assert len(story.bootstrap.armed) + len(story.restore.armed) >= 30
    assert {point.at.rpartition("#")[0] for point in story.bootstrap.armed} == set(mutations(bench.shape, prefix(bench)))
    assert story.bootstrap.killed >= 1, "a run may have been over before its kill came, but not all of them"
    assert story.bootstrap.deaths == story.bootstrap.killed + sum(point.fault in DEATHS for point in story.bootstrap.armed)
    assert story.restore.deaths == sum(point.fault in DEATHS for point in story.restore.armed)
    assert story.wrongs == []


def test_the_restored_claim_holds_what_was_backed_up_before_the_house_was_lost(bench: Bench, story: Story) -> None:
    past = bench.folder.root / "past" / "notes" / "data"
    name = outside.kubectl(bench, "get", "pvc", "notes", "-n", "selfhosted", "-o", "jsonpath={.spec.volumeName}")
    volume = bench.folder.parts / "disks" / "volumes" / name
    was = {path.relative_to(past): path.read_bytes() for path in past.rglob("*") if path.is_file()}
    now = {path.relative_to(volume): path.read_bytes() for path in volume.rglob("*") if path.is_file()}
    assert len(was) == 40
    assert now == was
    assert bench.run("dr.audit").code == 0
    assert list(outside.programs(bench)) == []
    assert list(outside.leftovers(bench)) == []


@pytest.mark.parametrize(
    ("verb", "arguments", "state", "good"),
    [
        ("dr.hold", ("--claims", "notes"), "held", (6,)),
        ("dr.release", ("notes", "--unproven", "--reason", "it was a trial"), "released", (0,)),
    ],
)
def test_a_verb_of_one_step_that_is_killed_while_it_acts_is_gone_on_with_by_the_same_again(
    bench: Bench, story: Story, verb: str, arguments: tuple[str, ...], state: str, good: tuple[int, ...]
) -> None:
    killed = bench.begin(verb, *arguments).kill_after_begin(Random(f"{SEED}/{verb}").uniform(0.0, 0.3), group=state == "held")
    if killed.code != -signal.SIGKILL:
        assert killed.code in good, "it was over before its kill came"
    again = bench.converge(verb, *arguments, good=good) if killed.code not in good else killed
    assert again.result["counts"].get("failed", 0) == 0
    record = json.loads(outside.kubectl(bench, "get", "configmap", "hold", "-n", "blackstart", "-o", "json"))["data"]
    assert record["state.selfhosted.notes"] == state
    assert list(outside.programs(bench)) == []
    remembered = bench.run("cluster.status").result
    assert (remembered["counts"]["in_flight"], remembered["in_flight"]) == (0, {})


def test_no_secret_is_in_anything_that_runs_left_or_showed(bench: Bench, story: Story) -> None:
    known = spilled.secrets(bench)
    assert len(known) > 20, sorted(known)
    assert {path.name for path in spilled.searched(bench)} >= {"journal", "events.jsonl", "argv", "daemon.log"}
    assert bench.argv_log.read_text().splitlines().count("helm") > 3
    assert spilled.spilled(bench) == []


def test_the_search_finds_each_secret_in_each_of_its_forms_and_in_each_place(bench: Bench, story: Story) -> None:
    known = spilled.secrets(bench)
    password = known["secrets/restic-password"].encode()
    each = [spilled.forms(text).pop() for text in known.values()]
    planted = {bench.reports / f"secret-{n}": form for n, form in enumerate((*each, *spilled.forms(known["secrets/age.key"])))}
    planted |= {folder / "planted": password for folder in (bench.state, bench.state / "helm", bench.temporary)}
    for path, form in planted.items():
        path.write_bytes(b"before" + form + b"after")
    grown = {path: path.stat().st_size for path in (bench.state / "journal", bench.argv_log, bench.folder.log)}
    try:
        for path in grown:
            with path.open("ab") as file:
                file.write(password)
        outside.kubectl(bench, "create", "configmap", "planted", f"--from-literal=word={password.decode()}")
        found = {line.rpartition(" in ")[2] for line in spilled.spilled(bench)}
    finally:
        outside.kubectl(bench, "delete", "configmap", "planted", "--ignore-not-found")
        for path, size in grown.items():
            os.truncate(path, size)
        for path in planted:
            path.unlink()
    assert found == {str(path) for path in (*planted, *grown)} | {"the cluster's configmaps"}


def test_what_is_meant_to_hold_secrets_only_its_owner_can_read(bench: Bench, story: Story) -> None:
    modes = {str(path.relative_to(bench.state)): stat.S_IMODE(path.stat().st_mode) for path in spilled.meant(bench)}
    assert set(modes) == {"kubeconfig", "machineconfigs/cp-1.yaml", "machineconfigs/talosconfig"}
    assert set(modes.values()) == {0o600}
    assert all(owner_alone(folder) for folder in (bench.state, bench.state / "helm", bench.state / "machineconfigs"))


def owner_alone(folder: Path) -> bool:
    return stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_look_for_survivors_finds_one_that_left_its_group_its_words_and_its_environment(bench: Bench) -> None:
    with subprocess.Popen([*bench.covered(), "/bin/sleep", "60"], env={}, start_new_session=True) as survivor:
        try:
            seen = f"process {survivor.pid} of a run is alive: /bin/sleep 60 "
            deadline = time.monotonic() + 90
            while seen not in (found := list(outside.programs(bench))) and time.monotonic() < deadline:
                time.sleep(0.02)  # until it has become what it is to be
        finally:
            survivor.kill()
    assert found == [seen]
