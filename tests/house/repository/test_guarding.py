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


CIPHER = '"ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]"'
CERT = "crt: Y3J0, key"
RULE = "sops: {version: 3.9.0, encrypted_regex: ^(data|stringData)$}\n"


@pytest.mark.parametrize(
    ("bundle", "left"),
    [
        (f"cluster: {{id: abc, secret: c2VjcmV0}}\ncerts: {{os: {{{CERT}: a2V5}}}}\n", "2 secrets in plain text: cluster.secret"),
        (f"cluster: {{id: abc, secret: {CIPHER}}}\ncerts: {{os: {{{CERT}: a2V5}}}}\n", "1 secret in plain text: certs.os.key"),
        (f"secrets: {{bootstraptoken: abc.def, secretboxencryptionsecret: {CIPHER}}}\n", "secrets.bootstraptoken"),
        (f"cluster: {{id: {CIPHER}, secret: {CIPHER}}}\n", ""),
        (f"cluster: {{id: abc, secret: {CIPHER}}}\ncerts: {{os: {{{CERT}: {CIPHER}}}}}\n", ""),
    ],
)
def test_a_bundle_is_encrypted_value_by_value_and_not_by_its_block(tmp_path: Path, bundle: str, left: str) -> None:
    settings = write_repository(tmp_path)
    for old in (tmp_path / "talos").glob("talsecret*"):
        old.unlink()
    (tmp_path / "talos" / "talsecret.sops.yaml").write_text(bundle + RULE)
    house = load(settings)
    assert house.cluster.plain_bundle is bool(left)
    told = notes(settings, "talos/talsecret.sops.yaml")
    assert len(told) == bool(left) and left in "".join(told)
    assert "c2VjcmV0" not in "".join(told) and "a2V5" not in "".join(told)


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
