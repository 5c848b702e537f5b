"""Building programs with a Go that is a script: order, stamps, going on after failures and interruptions, one at a time."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.tools.stubs import FakeGo, program_saying
from tools.build import Order, build, left_s, main, order
from tools.errors import BuildFailed, BuildRefused
from tools.locate import look
from tools.manifest import Need, named, needed_by
from tools.places import CHECKOUT, Places, read_stamp

_ALL = [program.name for program in needed_by(None)]
_COMPILED = [program.name for program in needed_by(None) if program.source and not program.source.script]


def _quiet(line: str) -> None:
    """Where the lines go that a test does not read."""


def test_everything_is_built_in_order_and_then_at_hand(checkout: Places, fake_go: FakeGo) -> None:
    built = build(out=_quiet, places=checkout, environment=fake_go.environment)
    assert [one.name for one in built] == _ALL
    assert fake_go.built() == _COMPILED
    for name in _ALL:
        located = look(named(name), places=checkout, path="")
        assert located.usable
        assert located.current
    assert not [path for path in checkout.unfinished.rglob("*") if path.is_file()]


def test_a_second_build_does_nothing_and_asks_no_go(checkout: Places, fake_go: FakeGo) -> None:
    build(out=_quiet, places=checkout, environment=fake_go.environment)
    lines: list[str] = []
    assert build(out=lines.append, places=checkout, environment={"PATH": ""}) == ()
    assert lines == ["All programs are at hand."]


def test_a_run_needs_less_than_the_lab(checkout: Places, fake_go: FakeGo) -> None:
    build(Need.RUN, _quiet, places=checkout, environment=fake_go.environment)
    assert fake_go.built() == [program.name for program in needed_by(Need.RUN)]
    assert not checkout.program("etcd").exists()


def test_what_is_asked_for_by_name_is_built_alone(checkout: Places, fake_go: FakeGo) -> None:
    build("kopia", _quiet, places=checkout, environment=fake_go.environment)
    assert fake_go.built() == ["kopia"]


def test_go_runs_inside_the_module_with_checksums_and_without_cgo(checkout: Places, fake_go: FakeGo) -> None:
    build(out=_quiet, places=checkout, environment=fake_go.environment | {"GOOS": "plan9"})
    call = fake_go.calls("build")[_COMPILED.index("kubectl")]
    assert call["cwd"] == str(checkout.modules / "kubernetes")
    assert call["cgo"] == "0"
    assert call["arguments"][1:4] == ["-mod=readonly", "-trimpath", "-buildvcs=false"]
    flags = call["arguments"][call["arguments"].index("-ldflags") + 1]
    assert flags == "-s -w " + " ".join(
        f"-X k8s.io/component-base/version.{part}" for part in ("gitVersion=v1.36.3", "gitMajor=1", "gitMinor=36")
    )


def test_it_says_first_what_it_will_do_and_then_where_it_is(checkout: Places, fake_go: FakeGo) -> None:
    lines: list[str] = []
    build(Need.RUN, lines.append, places=checkout, environment=fake_go.environment)
    assert lines[0].startswith("To build with Go 1.26.8: restic, sops, age, age-keygen, kubectl, ")
    assert "about 25 minutes" in lines[1]
    assert "interrupted and continued" in lines[1]
    assert "[1/9] restic v0.18.1: building (about 2 min with empty caches; about " in "\n".join(lines)
    assert any(line.endswith(" left in all)") and line.startswith("[9/9] helmfile") for line in lines)
    assert lines[-1].startswith("[9/9] helmfile v1.8.0: built in ")


def test_what_is_left_is_told_by_the_pace_of_what_was_built() -> None:
    todo = Order(needed_by(Need.RUN), ())
    first = todo.to_build[0].source
    assert first is not None
    rest = todo.cold_s - first.cold_s
    assert left_s(todo, 0, 0.0) == todo.cold_s, "nothing is known yet: as with empty caches"
    assert left_s(todo, 1, first.cold_s * 2.0) == rest * 2.0, "a machine of half the speed"
    assert left_s(todo, 1, 0.0) == 0.0, "Go has built everything before"
    assert left_s(todo, len(todo.to_build), 99.0) == 0.0


def test_a_fitting_program_on_path_is_not_built(checkout: Places, fake_go: FakeGo) -> None:
    program_saying(fake_go.programs / "helm", "v3.20.0")
    program_saying(fake_go.programs / "etcd", "etcd Version: 3.4.23")
    lines: list[str] = []
    build(out=lines.append, places=checkout, environment=fake_go.environment)
    assert "On PATH at 3.20.0: helm." in lines
    assert "helm" not in fake_go.built()
    assert "etcd" in fake_go.built()


def test_a_changed_module_builds_its_programs_again_and_no_others(checkout: Places, fake_go: FakeGo) -> None:
    build(out=_quiet, places=checkout, environment=fake_go.environment)
    with (checkout.modules / "kubernetes" / "go.mod").open("a") as module:
        module.write("// another word\n")
    assert [program.name for program in order(places=checkout, path="").to_build] == [
        "kube-apiserver",
        "kubectl",
        "kube-controller-manager",
    ]


def test_a_script_is_taken_out_of_its_module_as_it_is_and_can_be_run(checkout: Places, fake_go: FakeGo) -> None:
    build(out=_quiet, places=checkout, environment=fake_go.environment)
    mover = checkout.program("volsync-mover")
    assert mover.read_text() == "#! /bin/bash\n"
    assert os.access(mover, os.X_OK)
    (asked,) = fake_go.calls("mod")
    assert asked["cwd"] == str(checkout.modules / "volsync")


def test_a_script_that_is_lacking_builds_nothing_else_again(checkout: Places, fake_go: FakeGo) -> None:
    build(out=_quiet, places=checkout, environment=fake_go.environment)
    checkout.program("volsync-mover").unlink()
    assert [one.name for one in build(out=_quiet, places=checkout, environment=fake_go.environment)] == ["volsync-mover"]
    assert fake_go.built() == _COMPILED


def test_a_module_that_has_lost_its_script_is_said_and_nothing_is_put_in_place(checkout: Places, fake_go: FakeGo) -> None:
    (fake_go.state / "cache").mkdir()
    with pytest.raises(BuildFailed, match=r"^1 of \d+ programs could not be built: volsync-mover") as told:
        build(out=_quiet, places=checkout, environment=fake_go.environment)
    assert "mover-restic/entry.sh could not be taken out of github.com/backube/volsync v0.16.0" in told.value.evidence[0]
    assert not checkout.program("volsync-mover").exists()


def test_a_program_that_fails_does_not_keep_the_others_from_being_built(checkout: Places, fake_go: FakeGo) -> None:
    fake_go.fails_on("talosctl")
    with pytest.raises(BuildFailed) as told:
        build(out=_quiet, places=checkout, environment=fake_go.environment)
    assert told.value.what == f"1 of {len(_ALL)} programs could not be built: talosctl."
    assert "talosctl.go:1:1: does not compile" in told.value.evidence[0]
    assert not checkout.program("talosctl").exists()
    assert [program.name for program in order(places=checkout, path="").to_build] == ["talosctl"]
    fake_go.works_again()
    assert [one.name for one in build(out=_quiet, places=checkout, environment=fake_go.environment)] == ["talosctl"]


def test_a_failed_rebuild_keeps_the_program_that_was_there(checkout: Places, fake_go: FakeGo) -> None:
    build(out=_quiet, places=checkout, environment=fake_go.environment)
    before = checkout.program("helm").read_bytes()
    with (checkout.modules / "helm" / "go.mod").open("a") as module:
        module.write("// another word\n")
    fake_go.fails_on("helm")
    with pytest.raises(BuildFailed):
        build(out=_quiet, places=checkout, environment=fake_go.environment)
    assert checkout.program("helm").read_bytes() == before
    assert look(named("helm"), places=checkout, path="").usable


def test_what_a_killed_build_left_is_cleared_away_and_never_put_in_place(checkout: Places, fake_go: FakeGo) -> None:
    left = checkout.unfinished / "1" / "restic"
    left.parent.mkdir(parents=True)
    left.write_text("half a program")
    fake_go.fails_on("restic")
    with pytest.raises(BuildFailed):
        build(Need.RUN, _quiet, places=checkout, environment=fake_go.environment)
    assert not left.exists()
    assert not checkout.program("restic").exists()


def test_an_argument_that_is_not_known_is_refused() -> None:
    assert main(["--everything"]) == 2


def test_without_go_one_sentence_says_so(checkout: Places, tmp_path: Path) -> None:
    with pytest.raises(BuildRefused, match=r"^Go is not on PATH: install Go 1\.26 or newer to build the programs\.$"):
        build(out=_quiet, places=checkout, environment={"PATH": str(tmp_path)})


@pytest.mark.parametrize("version", ["go1.25.10", "go1.9"])
def test_a_go_that_is_too_old_is_refused(checkout: Places, fake_go: FakeGo, version: str) -> None:
    fake_go.is_version(version)
    with pytest.raises(BuildRefused, match=r"is Go 1\.\d+\.\d+; Go 1\.26 or newer is needed"):
        build(out=_quiet, places=checkout, environment=fake_go.environment)
    assert fake_go.built() == []


def test_without_git_one_sentence_says_so(checkout: Places, fake_go: FakeGo) -> None:
    (fake_go.programs / "git").unlink()
    with pytest.raises(BuildRefused, match=r"^git is not on PATH"):
        build(out=_quiet, places=checkout, environment=fake_go.environment)


def test_a_module_that_asks_for_more_go_is_left_to_go_unless_that_is_forbidden(
    checkout: Places, fake_go: FakeGo
) -> None:
    fake_go.is_version("go1.26.0")
    build(Need.RUN, _quiet, places=checkout, environment=fake_go.environment)
    checkout.program("talosctl").unlink()
    fake_go.is_version("go1.26.0", toolchain="local")
    with pytest.raises(
        BuildRefused, match=r"the module talos needs Go 1\.26\.6, .* is Go 1\.26\.0, and GOTOOLCHAIN forbids"
    ):
        build(Need.RUN, _quiet, places=checkout, environment=fake_go.environment)


def test_a_checkout_without_its_sums_is_refused(checkout: Places, fake_go: FakeGo) -> None:
    (checkout.modules / "etcd" / "go.sum").unlink()
    with pytest.raises(BuildRefused, match="the checkout is not whole"):
        build(out=_quiet, places=checkout, environment=fake_go.environment)
    assert "etcd" not in fake_go.built()


def test_a_second_build_waits_for_the_first_and_finds_its_work_done(checkout: Places, fake_go: FakeGo) -> None:
    checkout.lock.parent.mkdir(parents=True)
    waits = threading.Event()
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        waits.set()

    with checkout.lock.open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write("4711\n")
        first.flush()
        arguments = {"places": checkout, "environment": fake_go.environment}
        second = threading.Thread(target=build, args=(Need.RUN, say), kwargs=arguments)
        second.start()
        assert waits.wait(20)
        assert fake_go.built() == []
    second.join(60)
    assert lines[0] == "Another build is running (process 4711); waiting for it."
    assert fake_go.built() == [program.name for program in needed_by(Need.RUN)]


_BUILD = """
import sys, pathlib
from tools.build import build
from tools.places import Places
build(out=lambda line: print(line, flush=True), places=Places(pathlib.Path(sys.argv[1])), environment={"PATH": sys.argv[2]})
"""


def test_an_interrupted_build_ends_go_with_its_compilers_and_goes_on_later(checkout: Places, fake_go: FakeGo) -> None:
    fake_go.hangs_on("etcd")
    with subprocess.Popen(
        [sys.executable, "-c", _BUILD, str(checkout.checkout), str(fake_go.programs)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "etcd v3.6.12: building" in line:
                break
        pids = _wait_for_words(fake_go.state / "hanging", 2)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
    assert not any(_alive(int(pid)) for pid in pids)
    assert not checkout.program("etcd").exists()
    assert read_stamp(checkout, "age") is not None
    fake_go.works_again()
    names = [one.name for one in build(out=_quiet, places=checkout, environment=fake_go.environment)]
    assert names == _ALL[_ALL.index("etcd") :]


def test_the_tests_hear_an_interruption_although_whoever_started_them_ignores_it(tmp_path: Path) -> None:
    """So hear it the programs that they start: what is ignored is inherited, what is handled is not."""
    heard = "import signal\n\n\ndef test_heard():\n    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
    (tmp_path / "test_heard.py").write_text(heard)
    deaf = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.executable, sys.argv[1:])"
    pytest_run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest", str(tmp_path)]
    ended = subprocess.run([sys.executable, "-c", deaf, *pytest_run], cwd=CHECKOUT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout


def _wait_for_words(file: Path, count: int) -> list[str]:
    waiting = threading.Event()
    for _ in range(2000):
        words = file.read_text().split() if file.exists() else []
        if len(words) == count:
            return words
        waiting.wait(0.01)
    raise AssertionError(f"{file} never came")


def _alive(pid: int) -> bool:
    """Whether the process runs; an orphan that nobody has reaped yet is dead too."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
