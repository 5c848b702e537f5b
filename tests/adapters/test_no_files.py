"""What lies where a secret, a kubeconfig or the bundle should: a pipe keeps nobody waiting, and no shape is a bug of ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.kubernetes.kubeconfig import load_config
from adapters.secrets.resolver import Secrets
from adapters.talos import kubeconfig
from adapters.talos.bundle import BundleUnusable, SecretsBundle
from engine.errors import PermanentError, TransientError
from house.model import SecretRef
from tests.adapters.talos.test_kubeconfig import NoPrograms


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def to_nowhere(path: Path) -> None:
    path.symlink_to("/media/usb/not-mounted")


NO_FILES = [Path.mkdir, os.mkfifo, zero, circle]
SHAPES = [
    b"", b"[1, 2]", b"text", b"\xee\x00", b"current-context: [x]\n", b"contexts: [7]\ncurrent-context: x\n",
    b"a: " + b"[" * 3000 + b"]" * 3000,
    b"clusters: {}\nusers: 7\ncontexts: [{name: x}]\ncurrent-context: x\n", "a: é\n".encode("utf-16"),
    b"{clusters: [{name: a, cluster: [1]}], users: [{name: u, user: 3}], contexts: [{name: x, context: {cluster: a, user: u}}],"
    b" current-context: x}",
]  # fmt: skip


@pytest.mark.parametrize("make", NO_FILES)
def test_a_secret_is_not_waited_for(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "token")
    with pytest.raises(PermanentError) as caught:
        Secrets(NoPrograms(), tmp_path, SecretRef(("file:age.key",)), {}).resolve(SecretRef(("file:token",)))
    assert "cannot be read (" in caught.value.evidence[0]


@pytest.mark.parametrize("make", [*NO_FILES, *map(written, SHAPES)])
def test_no_kubeconfig_is_a_bug_of_ours(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "kubeconfig")
    with pytest.raises(PermanentError) as caught:
        load_config(tmp_path / "kubeconfig")
    assert caught.value.next_command == "invoke cluster.bootstrap"
    assert kubeconfig.read(tmp_path / "kubeconfig") is None, "it is fetched again"


def test_a_kubeconfig_that_names_a_program_is_not_obeyed(tmp_path: Path) -> None:
    """The client library would start it itself, where nothing ends it with the run."""
    user = '{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: fetch-token, args: [x]}}}'
    here = 'clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]\ncontexts: [{name: x, context: {cluster: a, user: u}}]'
    (tmp_path / "kubeconfig").write_text(f"{here}\nusers: [{user}]\ncurrent-context: x\n")
    with pytest.raises(PermanentError, match="names a program") as caught:
        load_config(tmp_path / "kubeconfig")
    assert "fetch-token" in caught.value.evidence[0]


def test_only_one_that_is_not_there_may_still_come(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="no kubeconfig yet"):
        load_config(tmp_path / "kubeconfig")


@pytest.mark.parametrize("make", [*NO_FILES, to_nowhere])
def test_a_file_of_sops_is_not_waited_for(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """sops itself would wait for what a pipe never says."""
    make(tmp_path / "a.sops.yaml")
    with pytest.raises(PermanentError) as caught:
        Secrets(NoPrograms(), tmp_path, SecretRef(("file:age.key",)), {}).resolve(SecretRef(("sops:a.sops.yaml#token",)))
    assert caught.value.evidence[0].startswith(("cannot be read (", "no such file"))


@pytest.mark.parametrize("make", [*NO_FILES, to_nowhere, written(b"\xff\xfe")])
def test_a_bundle_that_cannot_be_read_is_not_missing(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """New secrets in place of what somebody has to mend would fit no node."""
    make(tmp_path / "talsecret.sops.yaml")
    with pytest.raises(BundleUnusable, match="cannot be read") as caught:
        SecretsBundle(tmp_path / "talsecret.sops.yaml", NoPrograms(), lambda: "").load()
    assert "new-secrets" not in caught.value.next_command
