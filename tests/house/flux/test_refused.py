"""A substitution that Flux refuses takes the whole Kustomization with it: said by name, and nothing of it is taken as built."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.loader import Part
from tests.house.reading import load, read_repository
from tests.house.small_house import write_repository

NOTES = "kubernetes/apps/apps/notes/app"
SCRIPT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: script}\ndata: {run.sh: 'echo TEXT'}\n"


def with_script(root: Path, text: str) -> Path:
    settings = write_repository(root)
    (root / NOTES / "deployment.yaml").write_text(SCRIPT.replace("TEXT", text))
    return settings


@pytest.mark.parametrize("text", ["${arr[@]}", "${APP-d}", "${APP:-x", "${!APP}", "${APP:-${arr[@]}}"])
def test_it_is_told_by_name_and_nothing_of_the_kustomization_is_taken_as_built(tmp_path: Path, text: str) -> None:
    settings = with_script(tmp_path, text)
    (problem,) = read_repository(tmp_path).unread
    assert (problem.file, problem.line) == (f"{NOTES}/deployment.yaml", 1)
    assert "ConfigMap script has ${" in problem.what
    assert "Flux refuses the whole Kustomization apps/notes" in problem.what
    assert [claim.key for claim in load(settings, Part.BACKUPS).claims] == ["media/photos", "apps/vault"]
    with pytest.raises(SettingsInvalid):
        load(settings)


@pytest.mark.parametrize("text", ["$${arr[@]}", "${1}", "${1abc}", "$(cmd) $x", "${APP}", "$$$${arr[@]}"])
def test_what_flux_takes_is_built(tmp_path: Path, text: str) -> None:
    assert "apps/notes-data" in [claim.key for claim in load(with_script(tmp_path, text)).claims]


def test_a_name_that_no_variable_can_have_is_noted(tmp_path: Path) -> None:
    (note,) = [note for note in load(with_script(tmp_path, "${1abc}")).notes if "${1abc}" in note]
    assert note.startswith(f"{NOTES}/deployment.yaml:1: ConfigMap script has ${{1abc}}, which Flux fills with nothing")


def test_an_object_that_says_so_is_not_substituted_and_refuses_nothing(tmp_path: Path) -> None:
    settings = with_script(tmp_path, "${arr[@]}")
    file = tmp_path / NOTES / "deployment.yaml"
    off = "annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}"
    file.write_text(file.read_text().replace("name: script", f"name: script, {off}"))
    assert "apps/notes-data" in [claim.key for claim in load(settings).claims]


def test_a_secret_is_not_shown_with_it(tmp_path: Path) -> None:
    write_repository(tmp_path)
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {password: '${hunter!two'}\n"
    (tmp_path / NOTES / "deployment.yaml").write_text(text)
    (problem,) = read_repository(tmp_path).unread
    assert "Secret plain" in problem.what
    assert "hunter" not in str(problem)


@pytest.mark.parametrize("where", ["substitute", "map"])
def test_a_variable_that_flux_lets_nobody_call_so_refuses_it_too(tmp_path: Path, where: str) -> None:
    settings = write_repository(tmp_path)
    if where == "map":
        file = tmp_path / "kubernetes/components/common/settings.yaml"
        file.write_text(file.read_text().replace("BUCKET: backups", "BUCKET: backups, my-var: x"))
    else:
        file = tmp_path / "kubernetes/apps/apps/notes/ks.yaml"
        file.write_text(file.read_text().replace("{APP: *app", "{my-var: x, APP: *app"))
    found = read_repository(tmp_path).unread
    assert found
    assert any("takes a variable called my-var" in one.what and "apps/notes" in one.what for one in found)
    with pytest.raises(SettingsInvalid):
        load(settings)


def test_line_breaks_of_a_value_are_taken_out_as_flux_does(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    file = tmp_path / "kubernetes/components/common/settings.yaml"
    file.write_text(file.read_text().replace("BUCKET: backups", 'BUCKET: "back\\nups\\n"'))
    assert [claim.mover_repository for claim in load(settings).claims if claim.key == "media/photos"] == [
        "s3:https://127.10.0.30:9000/backups/photos"
    ]


WRONG = {
    "an anchor that is nowhere": ("c/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nx: *nobody\n", "c/x.yaml"),
    "no kind": ("c/x.yaml", "metadata: {name: x}\n", "c/x.yaml"),
    "a patch that is none": ("c/kustomization.yaml", "resources: [x.yaml]\npatches: [{patch: 'a: *b'}]\n", "c/kustomization.yaml"),
    "a component that is none": ("a/kustomization.yaml", "components: [../b]\n", "a/kustomization.yaml"),
}


@pytest.mark.parametrize("wrong", list(WRONG))
def test_it_is_told_of_the_file_that_is_at_fault_and_not_of_the_way_there(wrong: str, tmp_path: Path) -> None:
    name, text, at_fault = WRONG[wrong]
    write_repository(tmp_path)
    app = tmp_path / NOTES
    (app / "kustomization.yaml").write_text("resources: [./a]\n")
    files = {
        "a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../c]\n",
        "c/kustomization.yaml": "resources: [x.yaml]\n", "c/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
    }  # fmt: skip
    for path, content in {**files, name: text}.items():
        (app / path).parent.mkdir(exist_ok=True)
        (app / path).write_text(content)
    (problem,) = read_repository(tmp_path).unread
    assert problem.file == f"{NOTES}/{at_fault}"
    assert problem.what.startswith("kustomize refuses it: ")
    assert "recursed accumulation" not in problem.what and "accumulation err" not in problem.what
