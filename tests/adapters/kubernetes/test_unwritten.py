"""What a kubeconfig holds as data is on no disk while it is read, so a kill leaves nobody's key behind."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path

import pytest

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kubeconfig import load_config
from engine.errors import PermanentError
from lab.wire.pki import LabCA, ServerKeys


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No temporary folder that anything could be written to."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))


@pytest.fixture
def keys(tmp_path: Path) -> tuple[ServerKeys, Path]:
    authority = LabCA(tmp_path / "pki")
    return authority.server("admin", "admin"), authority.ca_file


def _kubeconfig(path: Path, cluster: dict[str, str], user: dict[str, str]) -> Path:
    whole = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], "users": [{"name": "u", "user": user}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1", **cluster}}],
    }  # fmt: skip
    path.write_text(json.dumps(whole))
    return path


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


@pytest.mark.usefixtures("nowhere")
def test_a_client_is_made_of_data_without_a_file(tmp_path: Path, keys: tuple[ServerKeys, Path]) -> None:
    admin, authority = keys
    user = {"client-certificate-data": _data(admin.certificate), "client-key-data": _data(admin.key)}
    ApiClient(load_config(_kubeconfig(tmp_path / "kubeconfig", {"certificate-authority-data": _data(authority)}, user))).close()


@pytest.mark.usefixtures("nowhere")
def test_files_that_are_named_are_read_where_they_lie(tmp_path: Path, keys: tuple[ServerKeys, Path]) -> None:
    admin, authority = keys
    user = {"client-certificate": str(admin.certificate), "client-key": str(admin.key)}
    ApiClient(load_config(_kubeconfig(tmp_path / "kubeconfig", {"certificate-authority": str(authority)}, user))).close()


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("key", ["no base64 at all: é", base64.b64encode(b"no key").decode()], ids=["no base64", "no key"])
def test_what_is_no_key_cannot_be_used(tmp_path: Path, keys: tuple[ServerKeys, Path], key: str) -> None:
    admin, authority = keys
    user = {"client-certificate-data": _data(admin.certificate), "client-key-data": key}
    config = load_config(_kubeconfig(tmp_path / "kubeconfig", {"certificate-authority-data": _data(authority)}, user))
    with pytest.raises(PermanentError, match="The kubeconfig in the state folder cannot be used"):
        ApiClient(config)
