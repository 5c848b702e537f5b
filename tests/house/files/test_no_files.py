"""What is no file in the place of one: it is told and never waited for, in whatever part of a repository it lies."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from console.opened.real_doors import holder_of
from engine.errors import SettingsInvalid
from engine.files.content import LARGEST, content_of
from house.files.paths import is_file, is_folder, is_link, is_there
from house.flux.reads import Reads
from house.repository.talconfigs import patches as read_patches
from house.repository.tree import Tree
from tests.adapters.backups.test_places import nobody
from tests.house.reading import load, read_repository, write_settings
from tests.house.small_house import write_repository

APP = "kubernetes/apps/apps/notes/app"
PLACES = {
    "talos/talconfig.yaml": "is a named pipe", "bootstrap/helmfile.yaml": "is a named pipe",
    "talos/patches/kubelet.yaml": "", ".sops.yaml": "is a named pipe", f"{APP}/kustomization.yaml": "kustomization.yaml",
    "kubernetes/apps/apps/notes/ks.yaml": "cannot be read (it is a named pipe)", "Taskfile.yaml": "", "scripts/up.sh": "",
    f"{APP}/pipe.yaml": "", "talos/talenv.yaml": "",
}  # fmt: skip


@pytest.mark.parametrize("place", list(PLACES))
def test_a_pipe_is_not_waited_for(tmp_path: Path, place: str) -> None:
    write_repository(tmp_path).unlink()
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).unlink(missing_ok=True)
    os.mkfifo(tmp_path / place)
    read = read_repository(tmp_path)
    told = [*map(str, read.problems), *map(str, read.unread), *map(str, read.notes)]
    if PLACES[place]:
        assert any(place in line and PLACES[place] in line for line in told), told


def a_pipe(file: Path) -> None:
    os.mkfifo(file)


def too_large(file: Path) -> None:
    with file.open("wb") as out:
        out.truncate(LARGEST + 1)


@pytest.mark.parametrize("make", [a_pipe, Path.mkdir, lambda file: file.symlink_to("/dev/zero"), too_large])
def test_only_a_file_that_a_person_could_have_written_is_read(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "file")
    with pytest.raises(OSError, match=r"named pipe|a device|directory|more than 32 MiB"):
        content_of(tmp_path / "file")
    (tmp_path / "good").write_bytes(b"a: 1\n")
    assert content_of(tmp_path / "good") == b"a: 1\n"


def test_the_settings_of_a_house_with_odd_files_are_written_all_the_same(tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    for name in ("kubernetes/apps/loop.yaml", "scripts", "bootstrap/up.sh"):
        (tmp_path / name).symlink_to(Path(name).name)
    (tmp_path / "kubernetes" / "up").symlink_to("..")
    (tmp_path / "kubernetes" / "apps" / os.fsdecode(b"caf\xe9")).mkdir()
    (tmp_path / "kubernetes" / "apps" / os.fsdecode(b"caf\xe9/no text \xff.txt")).write_text("a: 1\n")
    assert write_settings(tmp_path).problems == ()


def test_a_folder_that_cannot_be_listed_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to everybody else
        root = Path(name)
        root.chmod(0o755)
        (root / "clusters" / "home").mkdir(parents=True)
        (root / "apps.yaml").write_text("a: 1\n")
        tree = Tree(root)
        with nobody(root / "clusters"):
            assert [file.name for file in tree.manifests()] == ["apps.yaml"]
        assert [str(note) for note in tree.notes] == [
            "clusters: cannot be listed (Permission denied); mend its permissions, or take it out"
        ]


def test_names_that_are_no_text_are_names(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    settings = write_repository(folder)
    app = folder / APP / os.fsdecode(b"x\xff.yaml")
    app.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    house = load(settings)
    assert house.claims
    reads = Reads("apps", {os.fsdecode(b"x\xff.yaml"): b""}, {os.fsdecode(b"y\xff"): "z"})
    assert len(reads.digest()) == 64
    assert "\\udce9" in holder_of(house)


LONG = "x" * 300
KUSTOMIZATION = f"{APP}/kustomization.yaml"
NAMED = {
    "component": (KUSTOMIZATION, f'components: ["./{LONG}"]'),
    "file": (KUSTOMIZATION, f"configMapGenerator: [{{name: a, files: [{LONG}]}}]"),
    "patch": (KUSTOMIZATION, f"patches: [{{path: {LONG}.yaml}}]"),
    "talos": ("talos/talconfig.yaml", f'extraManifests: ["@./{LONG}"]'),
    "script": ("scripts/up.sh", f"#!/bin/sh\nkubectl apply -k ./{LONG}\nsops -d {LONG}.sops.yaml | kubectl apply -f -\n"),
    "settings": ("blackstart.yaml", ""),
}


@pytest.mark.parametrize("where", list(NAMED))
def test_a_name_that_no_file_system_takes_is_not_there(tmp_path: Path, where: str) -> None:
    """Python's own Path.exists and the like raise for one of 300 letters."""
    settings = write_repository(tmp_path)
    file, more = tmp_path / NAMED[where][0], NAMED[where][1]
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as out:
        out.write(f"{more}\n")
    if where == "settings":
        settings.write_text(settings.read_text().replace("repository: .", f"repository: {LONG}").replace("ca.pem", LONG))
    settings_read = pytest.raises(SettingsInvalid) if where not in ("file", "script") else nullcontext()
    with settings_read:
        load(settings)
    settings.unlink()
    assert write_settings(tmp_path).file.is_file()


def test_what_this_user_may_not_look_at_is_told_and_is_not_called_absent() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to everybody else
        closed = Path(name) / "closed"
        closed.mkdir()
        (closed / "file").write_text("")
        with nobody(closed):
            for asks in (is_there, is_file, is_folder, is_link):
                with pytest.raises(SettingsInvalid, match="this user may not"):
                    asks(closed / "file")


@pytest.mark.parametrize("asks", [is_there, is_file, is_folder, is_link])
def test_what_its_disk_does_not_show_is_not_called_absent(asks: Callable[[Path], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr(Path, "stat", broken)
    with pytest.raises(SettingsInvalid, match="cannot be looked at: Input/output error"):
        asks(Path("/somewhere"))


def test_the_house_asks_after_files_in_one_way() -> None:
    house, own = Path(read_patches.__file__).parents[1], re.compile(r"\.(is_file|is_dir|exists|is_symlink)\(\)")
    asked = {file.name for file in house.rglob("*.py") if own.search(file.read_text(encoding="utf-8"))}
    assert asked == {"remotes.py"}, "house.paths has is_file, is_folder, is_there and is_link"
