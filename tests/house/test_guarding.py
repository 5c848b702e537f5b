"""Secrets that lie in the repository for everybody to read, or for a key that nobody can name, are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.reading import load
from tests.house.small_house import write_repository

PLAIN = "cluster: {id: abc}\n"


def notes(settings: Path, name: str) -> list[str]:
    """What is told of one file of the repository."""
    return [note for note in load(settings).notes if note.startswith(f"{name}: ")]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("talsecret.yaml", "`git mv talos/talsecret.yaml talos/talsecret.sops.yaml && sops --encrypt --in-place talos/"),
        ("talsecret.sops.yaml", "`sops --encrypt --in-place talos/talsecret.sops.yaml`"),
    ],
)
def test_a_bundle_in_plain_text_is_told_with_what_encrypts_it(tmp_path: Path, name: str, command: str) -> None:
    settings = write_repository(tmp_path)
    for bundle in (tmp_path / "talos").glob("talsecret*"):
        bundle.unlink()
    (tmp_path / "talos" / name).write_text(PLAIN)
    house = load(settings)
    assert house.cluster.plain_bundle
    (told,) = notes(settings, f"talos/{name}")
    assert command in told
    (tmp_path / "talos" / name).write_text(PLAIN + "sops: {version: 3.9.0}\n")
    assert not load(settings).cluster.plain_bundle
    assert notes(settings, f"talos/{name}") == []


@pytest.mark.parametrize(("rules", "told"), [(None, "is not there"), ("creation_rules: []\n", "names no age recipient")])
def test_a_repository_that_names_no_age_recipient_says_so(tmp_path: Path, rules: str | None, told: str) -> None:
    settings = write_repository(tmp_path)
    assert notes(settings, ".sops.yaml") == []
    (tmp_path / ".sops.yaml").unlink()
    if rules is not None:
        (tmp_path / ".sops.yaml").write_text(rules)
    (note,) = notes(settings, ".sops.yaml")
    assert told in note
    assert "creation_rules" in note
