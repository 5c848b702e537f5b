"""New secrets are encrypted before they touch the disk: sops' rules decide, and one that leaves a secret readable is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.talos.newbundle import make_bundle
from engine.errors import PermanentError
from tests.contract.talos_wire import TalosHouseFiles

pytestmark = pytest.mark.programs


@pytest.fixture
def files(tmp_path: Path) -> TalosHouseFiles:
    made = TalosHouseFiles(tmp_path)
    made.house.cluster.secrets_bundle.unlink()
    return made


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


def test_a_rule_that_leaves_secrets_readable_is_refused(files: TalosHouseFiles) -> None:
    rule(files, "path_regex: talos/.*\n    encrypted_regex: ^token$")
    with pytest.raises(PermanentError, match="sops would leave secrets") as refused:
        make_bundle(files.house.cluster.secrets_bundle, files.runner, lambda: files.age_key)
    assert "certs.os.key" in refused.value.evidence
    assert "trustdinfo.token" not in refused.value.evidence
    assert left(files) == []


def test_no_rule_for_the_file_is_told(files: TalosHouseFiles) -> None:
    rule(files, "path_regex: kubernetes/.*")
    with pytest.raises(PermanentError, match="sops cannot encrypt") as refused:
        make_bundle(files.house.cluster.secrets_bundle, files.runner, lambda: files.age_key)
    assert ".sops.yaml needs a rule" in refused.value.hint
    assert left(files) == []


def test_what_the_age_key_cannot_open_is_not_kept(files: TalosHouseFiles, tmp_path: Path) -> None:
    other = files.runner.run(["age-keygen"], timeout_s=20).stdout.decode()
    theirs = next(line.split()[-1] for line in other.splitlines() if "public key" in line)
    (files.folder / ".sops.yaml").write_text(f"creation_rules:\n  - age: {theirs}\n")
    with pytest.raises(PermanentError, match="does not decrypt"):
        make_bundle(files.house.cluster.secrets_bundle, files.runner, lambda: files.age_key)
    assert left(files) == []
