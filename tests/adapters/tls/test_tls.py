"""What is kept of TLS Secrets, read as outside input; and the port on a real API server with the real age."""

from __future__ import annotations

import base64
import errno
import itertools
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.age.adapter import Age
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import NAMESPACE, SECRET
from adapters.process.keeper import Keeper
from adapters.process.results import Finished, ProgramFailed
from adapters.tls.adapter import KubernetesTls
from adapters.tls.results import NAMED, read, written
from engine.errors import PermanentError, SettingsInvalid
from engine.secrets import Secret
from lab.wire.pki import LabCA
from tests.adapters.cluster_house import house_on
from tests.builders import a_house
from tests.contract.apiserver import ApiServers
from tools.places import Places

TOOLS = Places().programs
NUMBERS = itertools.count()


def a_tls(name: str, crt: str, namespace: str = "web", made: bool = True) -> dict[str, Any]:
    """A Secret as cert-manager leaves it."""
    notes = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    notes |= {NAMED: name, "cert-manager.io/issuer-name": "letsencrypt"} if made else {}
    data = {"tls.crt": base64.b64encode(crt.encode()).decode(), "tls.key": base64.b64encode(b"the key itself").decode()}
    metadata = {"name": name, "namespace": namespace, "annotations": notes, "uid": "u", "resourceVersion": "7",
                "labels": {"controller.cert-manager.io/fao": "true", "app": "x"}}  # fmt: skip
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata, "data": data}


def test_what_is_kept_can_be_created_anywhere_and_tells_when_it_ends(tmp_path: Path) -> None:
    authority = LabCA(tmp_path)
    text, ends = written([a_tls("wiki", authority.ca_file.read_text()), a_tls("odd", "no certificate")])
    (one, odd) = read(text.reveal())
    assert (one.key, one.ends, odd.ends) == ("web/wiki", ends["web/wiki"], None)
    assert one.ends is not None and one.valid(one.ends - 1) and not one.valid(one.ends) and odd.valid(one.ends)
    bare = json.loads(one.manifest.reveal())
    assert set(bare["metadata"]) == {"name", "namespace", "annotations", "labels"}
    assert set(bare["metadata"]["annotations"]) == {NAMED, "cert-manager.io/issuer-name"}
    assert set(bare["metadata"]["labels"]) == {"controller.cert-manager.io/fao"}
    assert "key itself" not in repr(one) and bare["data"]["tls.key"] not in repr(one)


@pytest.mark.parametrize("told", [
    "", "[]", "{}", '{"kind": "List", "items": [{"type": "Opaque"}]}', '{"kind": "List", "items": [{"type": "kubernetes.io/tls"}]}',
    "[" * 5000,
])  # fmt: skip
def test_anything_else_is_refused_and_not_taken_for_none(told: str) -> None:
    with pytest.raises(PermanentError, match="no list of them"):
        read(told)


class Refusing:
    """A runner whose age opens nothing."""

    def run(self, argv: Sequence[str], **_: Any) -> Finished:
        raise ProgramFailed("age ended with 1", Finished("age", 1, b"", ("age: error",), 0.1), ("age: error",))


def test_what_lies_in_the_file_s_place_is_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = Clients(a_house())
    port = KubernetesTls(clients, Age(Refusing()), tmp_path / "kept.age", lambda: Secret("AGE-SECRET-KEY-1"), "age1")  # type: ignore[arg-type]
    assert port.saved() is None
    (tmp_path / "kept.age").mkdir()
    with pytest.raises(PermanentError, match="does not open"):
        port.saved()

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(SettingsInvalid, match="cannot be looked at"):
        port.saved()


@pytest.fixture
def there(real_api: ApiServers, tmp_path: Path) -> Iterator[tuple[ApiClient, KubernetesTls, str]]:
    key = tmp_path / "age.key"
    subprocess.run([TOOLS / "age-keygen", "-o", key], check=True, capture_output=True)
    public = subprocess.run([TOOLS / "age-keygen", "-y", key], check=True, capture_output=True, text=True).stdout.strip()
    secret = next(line for line in key.read_text().splitlines() if line.startswith("AGE-"))
    clients, namespace = Clients(house_on(real_api, tmp_path)), f"tls-{next(NUMBERS)}"
    with Keeper(tmp_path / "programs", search=(TOOLS,)) as keeper:
        port = KubernetesTls(clients, Age(keeper), tmp_path / "kept.age", lambda: Secret(secret), public)
        clients.main().create(NAMESPACE, {"metadata": {"name": namespace}})
        yield clients.main(), port, namespace
    clients.close()


@pytest.mark.programs
def test_kept_lost_and_put_back_they_are_what_they_were(
    there: tuple[ApiClient, KubernetesTls, str], tmp_path: Path
) -> None:
    api, port, namespace = there
    crt = LabCA(tmp_path / "ca").ca_file.read_text()
    for name, made in (("wiki", True), ("bought", False)):
        obj = a_tls(name, crt, namespace, made)
        del obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
        api.create(SECRET, obj, namespace)
    assert port.saved() is None
    found = port.there()
    ours, bought = f"{namespace}/wiki", f"{namespace}/bought"
    assert {ours, bought} <= found.secrets and ours in found.made and bought not in found.made and not found.certificates
    sealed = port.sealed(0.0)
    assert sealed.text.startswith("-----BEGIN AGE ENCRYPTED FILE-----") and ours in sealed.ends
    (tmp_path / "kept.age").write_text(sealed.text)
    api.delete(SECRET, "wiki", namespace)
    kept = next(one for one in port.saved() or () if one.key == ours)
    port.put(kept)
    port.put(kept)  # one that is there stays
    again = api.get(SECRET, "wiki", namespace) or {}
    assert again["data"] == a_tls("wiki", crt)["data"] and again["metadata"]["annotations"][NAMED] == "wiki"
    api.delete(SECRET, "wiki", namespace)
    assert ours in port.sealed(0.0).ends, "what is kept and not there stays kept"
    (tmp_path / "kept.age").write_text("-----BEGIN AGE ENCRYPTED FILE-----\n")
    with pytest.raises(PermanentError, match="does not open"):
        port.saved()
