"""A bundle that a merge has spoiled is told in sops' own words, with the last version in Git's history that opens."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from adapters.talos.bundle import BundleUnusable, SecretsBundle
from tests.contract.talos.talos_wire import TalosHouseFiles

pytestmark = pytest.mark.programs


@pytest.fixture
def files(tmp_path: Path) -> TalosHouseFiles:
    return TalosHouseFiles(tmp_path)


def git(files: TalosHouseFiles, *words: str) -> None:
    name = ("-c", "user.name=somebody", "-c", "user.email=somebody@house.invalid")
    subprocess.run(["git", "-C", str(files.house.cluster.secrets_bundle.parent), *name, *words], check=True, capture_output=True)


def spoil(files: TalosHouseFiles) -> None:
    """What a merge of two versions does: a ciphertext that is whole, under another one's MAC."""
    bundle = files.house.cluster.secrets_bundle
    lines = bundle.read_text().splitlines(keepends=True)
    gone = next(line for line in lines if line.strip().startswith("id: ENC["))
    bundle.write_text("".join(line for line in lines if line != gone))


def problem(files: TalosHouseFiles) -> BundleUnusable:
    with pytest.raises(BundleUnusable) as caught:
        SecretsBundle(files.house.cluster.secrets_bundle, files.runner, lambda: files.age_key).load()
    return caught.value


def test_the_last_good_version_in_git_is_named(files: TalosHouseFiles) -> None:
    git(files, "init", "--quiet")
    git(files, "add", files.house.cluster.secrets_bundle.name)
    git(files, "commit", "--quiet", "--message", "good")
    spoil(files)
    git(files, "commit", "--quiet", "--all", "--message", "Merge")
    told = problem(files)
    assert "MAC mismatch" in told.what and "decrypt" not in told.what, "the age key is not to blame"
    assert "none" not in told.evidence[-1]
    commit = told.hint.partition("checkout ")[2].split()[0]
    git(files, "checkout", commit, "--", files.house.cluster.secrets_bundle.name)
    SecretsBundle(files.house.cluster.secrets_bundle, files.runner, lambda: files.age_key).load()


def test_without_history_it_says_so(files: TalosHouseFiles) -> None:
    spoil(files)
    told = problem(files)
    assert told.evidence[-1].endswith("none of the newest") and "backup" in told.hint
