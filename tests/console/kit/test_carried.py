"""The kit in an empty folder, with one key: the house comes back from it, and a rehearsal runs from it (modelled)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from adapters.context import ActContext
from adapters.drilled import drilled
from adapters.git.bundle import GitBundles
from adapters.surface import read_only
from console.ending import guarded
from console.kit.nouns import FromKit
from console.kit.opening import Sealed, house_of, unpack
from console.kit.rooms import PREFIX, sweep, workroom
from console.opened.building import builder
from console.opened.journals import REHEARSE
from console.session import Session
from console.verbs.dr import kit as verbs
from console.verbs.dr.kit import handed
from console.verbs.dr.rehearse import Asked, reached, rehearse, rehearse_of
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, EvidenceChanged, PermanentError, SettingsInvalid
from engine.journal import Journal
from engine.waiting import SystemClock
from engine.workers import Threads
from house.loader import load
from house.model import House
from lab.houses.make import make_house
from lab.houses.nouns import SHAPES, Block, HouseFolder
from lab.ports.faulty import faulty
from lab.ports.machines.machineconfigs import ModelledHouse
from rehearsal.choosing import Budget
from tests.console.kit.carried import KEY, carry_every_secret
from tests.console.modelled_doors import Desk, ModelledDoors
from tests.console.printed import Printed, last_line
from tests.contract.apiserver import needed
from tests.scenario.running import Running

pytestmark = pytest.mark.programs
CLAIM = "selfhosted/notes"
ASKED = Asked(CLAIM)
KIT = FromKit("home.kit.age", "2026-11-01T00:00:00Z", "0123456789abcdef", 86400.0)


@dataclass
class Carried:
    """A kit, the key that opens it, and a house in a folder that is far away by then."""

    kit: Path
    key: Path


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Carried:
    """Made once. The house's own folder is gone afterwards: what is left is the file and the key."""
    needed("age", "age-keygen", "sops", "talhelper", "kubectl")
    place = tmp_path_factory.mktemp("carried")
    folder = HouseFolder(place / "one-node")
    make_house(SHAPES["one-node"], folder, Block("127.101.250"))
    key = carry_every_secret(folder)
    kit = place / "home.kit.age"
    assert verbs.kit(str(folder.settings), False, str(kit), "", "", "", "", "") == EXIT_OK
    shutil.rmtree(folder.root)
    return Carried(kit, key)


@pytest.fixture(scope="module")
def laid_out(carried: Carried, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, House]:
    """The kit opened in an empty folder by its verb, and the house as every other verb loads it from there."""
    into = tmp_path_factory.mktemp("empty")
    found = unpack(Sealed(carried.kit, carried.key), into)
    assert not found.lacking
    return into, load(found.settings, builder())


def test_the_house_comes_back_from_the_kit_and_one_key_alone(laid_out: tuple[Path, House]) -> None:
    into, house = laid_out
    assert house.state_dir.is_relative_to(into)
    running = Running(into / "journal", house)
    running.backed_up()
    assert running.apply(running.bootstrap).converged
    assert running.apply(running.restore).converged
    assert running.verify(running.restore).converged


def test_the_clone_trusts_its_server_as_before(laid_out: tuple[Path, House]) -> None:
    """A Git server of one's own has an authority that only the clone's own configuration names."""
    into, house = laid_out
    told = subprocess.run(["git", "-C", house.root, "config", "http.sslCAInfo"], check=True, capture_output=True, text=True).stdout
    assert told.strip() == f"{into}/house/pki/ca.crt"
    assert "BEGIN CERTIFICATE" in Path(told.strip()).read_text()


def test_a_key_that_only_the_environment_holds_opens_the_house_too(carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    """As sops has it: nothing of it is written down."""
    monkeypatch.setenv("SOPS_AGE_KEY", carried.key.read_text())
    monkeypatch.delenv("SOPS_AGE_KEY_FILE", raising=False)
    with house_of(handed(str(carried.kit), "", "")) as (house, _):
        assert house.age_key.sources == ("env:SOPS_AGE_KEY",)


def test_what_was_laid_out_of_secrets_is_its_owner_s_alone(carried: Carried, laid_out: tuple[Path, House]) -> None:
    into, house = laid_out
    key = into / "house" / KEY
    assert house.age_key.sources == (f"file:{key}",)
    assert (key.read_text(), key.stat().st_mode & 0o077) == (carried.key.read_text(), 0)


@pytest.fixture(scope="module")
def living(carried: Carried, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The house lives, and this machine knows nothing of it but the kit."""
    with house_of(Sealed(carried.kit, carried.key)) as (house, manifest):
        assert house.age_key.sources == (f"file:{carried.key}",), "no copy of a key is made"
        desk = Desk(tmp_path_factory.mktemp("desk"), given=house)
        assert desk.running.apply(desk.running.bootstrap).converged
        assert desk.running.apply(desk.running.restore).converged
        assert manifest.commit
        yield desk


def begun(desk: Desk, bundle_problem: str = "") -> int:
    """The verb's work, on a machine that has no kubeconfig yet."""
    home = desk.running.home
    home.files = ModelledHouse(desk.running.house, bundle_problem=bundle_problem)

    def named(act: ActContext) -> ActContext:
        return faulty(act, home.world, desk.running.clock)

    desk.spoil = named

    def drills(house: House, run: str, clock: SystemClock, journal: Journal | None) -> ModelledDoors:
        raw = replace(named(home.act(run)), clock=desk.time)
        act, _ = drilled(raw, "an empty machine:rehearsal", Threads())
        return ModelledDoors(read_only(raw), act)

    session = Session(REHEARSE, desk.running.house, drills, True, kit=KIT)
    return guarded(REHEARSE, True, lambda: reached(session, desk.doors, lambda: rehearse_of(session, ASKED, Budget()), ASKED.typed))


def test_it_passes_and_changes_nothing_on_its_way_to_the_cluster(living: Desk, capsys: Printed) -> None:
    assert begun(living) == EXIT_OK
    result = last_line(capsys)
    assert (result["drill"]["verdict"], result["kit"]) == ("PASS", asdict(KIT))
    acted = [name.partition("/")[0] for name in living.running.home.world.faults.reached]
    assert acted[:2] == ["machineconfigs.render", "talos.fetch_kubeconfig"]
    assert {name.partition(".")[0] for name in acted[2:]} == {"drills"}
    assert living.running.home.kube.objects().drill is None


def test_a_cluster_that_cannot_be_reached_is_no_verdict(living: Desk, capsys: Printed) -> None:
    assert begun(living, bundle_problem="the key does not open it") == EXIT_STEP_FAILED
    result = last_line(capsys)
    assert "drill" not in result
    assert result["kit"] == asdict(KIT)
    assert {step["id"]: step["outcome"] for step in result["steps"]} == {
        "talos.render-configs": "failed", "talos.fetch-kubeconfig": "blocked",
    }  # fmt: skip


def opening(carried: Carried, into: Path, capsys: Printed, **more: str) -> tuple[int, dict[str, Any]]:
    """dr.kit --open: its exit code, and its last line."""
    capsys.readouterr()
    told = {"kit": str(carried.kit), "key": str(carried.key), **more}
    code = verbs.kit("", True, "", "", "", "", told["key"], "", sealed=told["kit"], into=str(into))
    return code, last_line(capsys)


def test_a_folder_that_is_used_is_left_as_it_is(carried: Carried, tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "mine").write_text("x")
    for into in (tmp_path, tmp_path / "mine", tmp_path / "no" / "such"):
        assert opening(carried, into, capsys)[0] == SettingsInvalid.exit_code
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_kit_that_does_not_open_leaves_nothing(carried: Carried, tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "torn").write_bytes(carried.kit.read_bytes()[:-1])
    (tmp_path / "there").mkdir()
    for name in ("there", "new"):
        assert opening(carried, tmp_path / name, capsys, kit=str(tmp_path / "torn"))[0] == PermanentError.exit_code
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there", "torn"]
    assert list((tmp_path / "there").iterdir()) == []


def test_a_repository_at_another_commit_than_the_kit_says_is_refused_to_a_rehearsal_too(
    carried: Carried, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfold = GitBundles.unfold

    def other(git: GitBundles, bundle: Path, folder: Path, url: str) -> str:
        return unfold(git, bundle, folder, url)[::-1]

    monkeypatch.setattr(GitBundles, "unfold", other)
    sealed = Sealed(carried.kit, carried.key)
    with pytest.raises(EvidenceChanged, match="holds the repository at"), house_of(sealed):
        pass
    with pytest.raises(EvidenceChanged, match="holds the repository at"):
        unpack(sealed, tmp_path)


@pytest.mark.parametrize("words", [
    {"sealed": "a"}, {"into": "a"}, {"sealed": "a", "into": "b", "check": "c"},
])  # fmt: skip
def test_half_of_what_is_needed_is_refused(words: dict[str, str], capsys: Printed) -> None:
    given = {"check": "", **words}
    assert verbs.kit("", True, "", "", "", given.pop("check"), "", "", **given) == SettingsInvalid.exit_code
    assert "--open FILE --into FOLDER" in last_line(capsys)["problem"]["what"]


@pytest.mark.parametrize(("words", "told"), [
    ({"identity": "key"}, "--from-kit FILE besides"), ({"kept": "folder"}, "--from-kit FILE besides"),
    ({"settings": "other.yaml", "from_kit": "k"}, "--settings"), ({"from_kit": "k", "identity": "/no/such"}, "/no/such"),
])  # fmt: skip
def test_what_does_not_go_together_is_refused(words: dict[str, str], told: str, capsys: Printed) -> None:
    given = {"settings": "", **words}
    assert rehearse(given.pop("settings"), True, "", "", "", "", False, False, **given) == SettingsInvalid.exit_code
    assert told in last_line(capsys)["problem"]["what"]


def test_what_a_killed_run_left_of_a_kit_goes_with_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, strange = tmp_path / f"{PREFIX}dead", tmp_path / f"{PREFIX}unmarked"
    for room in (dead, strange):
        (room / "state").mkdir(parents=True)
    (dead / ".in-use").touch()
    with workroom() as (room, _):
        assert sorted(tmp_path.iterdir()) == sorted([room, strange])
        sweep(tmp_path)
        assert room.is_dir(), "one that is in use"
    assert list(tmp_path.iterdir()) == [strange]
