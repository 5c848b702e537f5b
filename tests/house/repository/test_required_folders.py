"""A variable that a helmfile requires and that stands for a folder of the repository is told by what lies there alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.repository.named_files import check_helmfile
from house.scripts import read_scripts
from house.scripts.written import bootstrap_text
from tests.house.small_house import write_repository
from tests.nobody import as_nobody, own_folder

DIR = '{{ requiredEnv "BASE_DIR" }}'
HELMFILE = "bootstrap/helmfile.yaml"
TWO = (f"{DIR}/apps/cilium/values.yaml", f"{DIR}/apps/dns/values.yaml")


def put(root: Path, named: tuple[str, ...], *files: str, more: str = "") -> Path:
    """A house whose helmfile names values behind a variable, and has these files."""
    write_repository(root).unlink()
    values = "".join(f"  - '{one}'\n" for one in named)
    release = "- name: cilium\n  namespace: kube-system\n  chart: cilium/cilium\n  version: 1.10\n"
    text = f"releases:\n{release}  values:\n{values}{more}"
    for name, content in {HELMFILE: text, **dict.fromkeys(files, "a: 1\n")}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


def first(root: Path) -> str:
    """The line of the variable in a first file."""
    return next(line for line in bootstrap_text(read_scripts(root), root).splitlines() if "BASE_DIR:" in line)


def notes(root: Path) -> list[str]:
    return [str(one) for one in check_helmfile(root / HELMFILE, root)[1]]


@pytest.mark.parametrize(("folder", "written"), [("", "."), ("kubernetes/", "./kubernetes"), ("k8s/main/", "./k8s/main")])
def test_it_is_the_one_folder_that_has_all_that_is_named_behind_it(folder: str, written: str, tmp_path: Path) -> None:
    root = put(tmp_path, TWO, f"{folder}apps/cilium/values.yaml", f"{folder}apps/dns/values.yaml", "x/apps/cilium/values.yaml")
    needs = f"{HELMFILE}:7 needs it (requiredEnv)"
    assert first(root) == f'    BASE_DIR: "{written}"  # (usual): all that helmfile names by it is there; {needs}'
    assert notes(root) == []


@pytest.mark.parametrize(
    ("named", "files"),
    [
        (TWO, ("apps/cilium/values.yaml",)),
        (TWO, ("a/apps/cilium/values.yaml", "b/apps/dns/values.yaml")),
        (TWO[:1], ("a/apps/cilium/values.yaml", "b/apps/cilium/values.yaml")),
        ((f"{DIR}/apps/{{{{ .Release.Name }}}}.yaml",), ("apps/cilium.yaml",)),
        (('{{ requiredEnv "BASE_DIR" | quote }}/apps/cilium.yaml',), ("apps/cilium.yaml",)),
        (TWO[:1], ("a/b/c/d/apps/cilium/values.yaml",)),
    ],
    ids=["not all of it", "in two parts", "in two places", "by a template", "by a function", "too far below"],
)
def test_what_is_not_there_whole_or_more_than_once_is_asked_for(
    named: tuple[str, ...], files: tuple[str, ...], tmp_path: Path
) -> None:
    root = put(tmp_path, named, *files)
    assert first(root).startswith("    BASE_DIR: FILL_IN  # ")
    assert len(notes(root)) == len(named)


def test_where_nobody_could_look_at_all_of_it_nothing_is_told() -> None:
    """Another folder may have it too; and no house is unread for a folder that is none of its own."""
    with own_folder() as root:
        put(root, TWO[:1], "apps/cilium/values.yaml", "locked/x")
        for mode, told in ((0o000, 1), (0o444, 1), (0o700, 0)):
            (root / "locked").chmod(mode)
            with as_nobody(root):
                assert len(notes(root)) == told


def test_a_folder_of_thousands_is_not_looked_through(tmp_path: Path) -> None:
    root = put(tmp_path, TWO[:1], "apps/cilium/values.yaml")
    assert notes(root) == []
    for number in range(2_000):
        (root / "apps" / str(number)).mkdir()
    assert len(notes(root)) == 1


def test_what_a_base_s_values_name_counts_as_well(tmp_path: Path) -> None:
    more = "bases: [base.yaml]\n---\n"
    files = {"base.yaml": "environments: {default: {values: [env.gotmpl.txt]}}\n", "env.gotmpl.txt": f"a: {DIR}/talos/x.yaml\n"}
    root = put(tmp_path, TWO[:1], "k8s/apps/cilium/values.yaml", "apps/cilium/values.yaml", "k8s/talos/x.yaml")
    for name, text in files.items():
        (root / "bootstrap" / name).write_text(text)
    helmfile = root / HELMFILE
    helmfile.write_text(more + helmfile.read_text())
    assert first(root).startswith('    BASE_DIR: "./k8s"  # (usual): ')


def test_what_a_comment_names_need_not_be_there(tmp_path: Path) -> None:
    root = put(tmp_path, TWO[:1], "apps/cilium/values.yaml", more=f"  # - '{DIR}/apps/gone.yaml'\n")
    assert first(root).startswith('    BASE_DIR: "."  # (usual): ')
