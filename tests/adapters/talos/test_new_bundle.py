"""New secrets are encrypted before they touch the disk: sops' rules decide, and one that leaves a secret readable is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.talos.newbundle import make_bundle
from engine.errors import PermanentError
from tests.contract.talos.talos_wire import GENSECRET, PlainRunner, TalosHouseFiles, secrets

pytestmark = pytest.mark.programs


@pytest.fixture
def files(tmp_path: Path) -> TalosHouseFiles:
    made = TalosHouseFiles(tmp_path)
    made.house.cluster.secrets_bundle.unlink()
    return made


@pytest.fixture
def refused(files: TalosHouseFiles) -> TalosHouseFiles:
    """The same where nothing is kept of what talhelper makes, so that it need not be made."""
    files.runner = PlainRunner(files.folder, {GENSECRET: secrets()})
    return files


def rule(files: TalosHouseFiles, text: str) -> None:
    (files.folder / ".sops.yaml").write_text(f"creation_rules:\n  - {text}\n    age: {files.recipient}\n")


def left(files: TalosHouseFiles) -> list[str]:
    return sorted(path.name for path in files.house.cluster.secrets_bundle.parent.iterdir() if "talsecret" in path.name)


def test_what_is_made_is_encrypted_private_and_alone(files: TalosHouseFiles) -> None:
    bundle = files.house.cluster.secrets_bundle
    make_bundle(bundle, files.runner, lambda: files.age_key)
    assert left(files) == ["talsecret.sops.yaml"]
    assert bundle.stat().st_mode & 0o777 == 0o600
    text = bundle.read_text()
    assert "sops:" in text
    assert "LS0tLS1CRUdJTi" not in text  # a key or certificate as base64 begins so


def test_a_rule_that_leaves_secrets_readable_is_refused(refused: TalosHouseFiles) -> None:
    rule(refused, "path_regex: talos/.*\n    encrypted_regex: ^token$")
    with pytest.raises(PermanentError, match="sops would leave secrets") as told:
        make_bundle(refused.house.cluster.secrets_bundle, refused.runner, lambda: refused.age_key)
    assert "certs.os.key" in told.value.evidence
    assert "trustdinfo.token" not in told.value.evidence
    assert left(refused) == []


def test_no_rule_for_the_file_is_told(refused: TalosHouseFiles) -> None:
    rule(refused, "path_regex: kubernetes/.*")
    with pytest.raises(PermanentError, match="sops cannot encrypt") as told:
        make_bundle(refused.house.cluster.secrets_bundle, refused.runner, lambda: refused.age_key)
    assert ".sops.yaml needs a rule" in told.value.hint
    assert left(refused) == []


def test_what_the_age_key_cannot_open_is_not_kept(refused: TalosHouseFiles, tmp_path: Path) -> None:
    other = refused.runner.run(["age-keygen"], timeout_s=20).stdout.decode()
    theirs = next(line.split()[-1] for line in other.splitlines() if "public key" in line)
    (refused.folder / ".sops.yaml").write_text(f"creation_rules:\n  - age: {theirs}\n")
    with pytest.raises(PermanentError, match="does not decrypt"):
        make_bundle(refused.house.cluster.secrets_bundle, refused.runner, lambda: refused.age_key)
    assert left(refused) == []
