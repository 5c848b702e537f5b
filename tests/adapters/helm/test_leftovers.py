"""What runs that were killed left of the values they had rendered is gone with the next look, however young it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.helm.helmfile import Helmfile
from adapters.process.groups import start_of
from adapters.process.results import Finished
from engine.errors import PermanentError
from engine.secrets import Secret
from engine.waiting import SystemClock
from tests.builders import a_house

NO_ENVIRONMENT: Mapping[str, str | Secret] = {}


class NoReleases:
    """Plays helmfile for a file without releases, and remembers which folders were there while values were written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[str] = []
        self.given: list[dict[str, str | Secret]] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str | Secret] = NO_ENVIRONMENT,
        cwd: Path | None = None,
        stdin: bytes | Secret | None = None,
        timeout_s: float,
        ok: Collection[int] = (0,),
        shielded: bool = False,
    ) -> Finished:
        self.given.append(dict(env))
        if "write-values" in argv:
            self.seen = sorted(path.name for path in self.folder.iterdir())
        return Finished("helmfile", 0, b"[]" if "list" in argv else b"", (), 0.1)


def test_only_the_folders_of_living_runs_stay(tmp_path: Path) -> None:
    folder = tmp_path / "helm"
    folder.mkdir()
    with subprocess.Popen(["/bin/sleep", "60"]) as dead:
        killed = f"values-{dead.pid}@{start_of(dead.pid)}_young"
        dead.kill()
    living = f"values-{os.getpid()}@{start_of(os.getpid())}_beside"
    later = f"values-{os.getpid()}@{start_of(1)}_number-given-out-again"
    for name in (killed, living, later, "values-of-an-older-version"):
        (folder / name).mkdir()
        (folder / name / "apps_demo").write_text("password: hunter2")
    (tmp_path / "helmfile.yaml").write_text("releases: []\n")
    runner = NoReleases(folder)
    house = replace(a_house(), state_dir=tmp_path, helmfile=tmp_path / "helmfile.yaml")
    with pytest.raises(PermanentError, match="no release of the helmfile"):
        Helmfile(runner, house, SystemClock()).digest("apps", "demo")
    mine = [name for name in runner.seen if name != living]
    assert len(mine) == 1 and mine[0].startswith(living.removesuffix("beside"))
    assert [path.name for path in folder.iterdir()] == [living]


@pytest.mark.parametrize(
    ("opens", "named", "given"),
    [(True, (), "a key"), (False, (), None), (True, (("SOPS_AGE_KEY_FILE", "/keys"),), None)],
    ids=["it opens what is encrypted", "it does not", "the settings name another key"],
)
def test_the_age_key_is_for_a_helmfile_that_opens_what_is_encrypted(
    opens: bool, named: tuple[tuple[str, str], ...], given: str | None, tmp_path: Path
) -> None:
    (tmp_path / "helm").mkdir()
    (tmp_path / "helmfile.yaml").write_text("releases: []\n")
    runner = NoReleases(tmp_path / "helm")
    house = replace(
        a_house(), state_dir=tmp_path, helmfile=tmp_path / "helmfile.yaml", helmfile_opens_sops=opens, helmfile_environment=named
    )
    with pytest.raises(PermanentError, match="no release of the helmfile"):
        Helmfile(runner, house, SystemClock(), lambda: Secret("a key")).digest("apps", "demo")
    found = [key.reveal() if isinstance(key := one.get("SOPS_AGE_KEY"), Secret) else key for one in runner.given]
    assert found == [given] * len(found) and found


def test_helmfile_is_given_the_variables_that_the_settings_name_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "helm").mkdir()
    (tmp_path / "helmfile.yaml").write_text("releases: []\n")
    runner = NoReleases(tmp_path / "helm")
    house = replace(
        a_house(), state_dir=tmp_path, helmfile=tmp_path / "helmfile.yaml", helmfile_environment=(("CLUSTER", "main"),)
    )
    with pytest.raises(PermanentError, match="no release of the helmfile"):
        Helmfile(runner, house, SystemClock()).digest("apps", "demo")
    assert runner.given and all(given.pop("CLUSTER") == "main" for given in runner.given)
    assert {name for given in runner.given for name in given} == {"HELMFILE_UPGRADE_NOTICE_DISABLED", "GOGC"}
