"""Definitions that the settings name: of a server that is believed by checksum alone, of a file, of a kustomize folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.manifests.adapter import ManifestFiles
from adapters.process.results import Finished, ProgramFailed
from engine.errors import PermanentError, TransientError
from house.model import CrdForm, CrdSource
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import LabCA


def definition(name: str) -> str:
    return f"""apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {name}.crds.example.net}}
spec: {{versions: [{{name: v1, served: true}}]}}
"""


MANIFEST = "kind: Namespace\n---\n" + "---\n".join((definition("toys"), definition("balls")))
SUM = hashlib.sha256(MANIFEST.encode()).hexdigest()


class Kustomize:
    """Stands for the program: answers this, or fails with it."""

    def __init__(self, built: str | None) -> None:
        self.built = built
        self.asked: list[list[str]] = []

    def run(self, argv: list[str], **_: object) -> Finished:
        self.asked.append(argv)
        if self.built is None:
            done = Finished("kubectl", 1, b"", ("accumulating resources: no such file",), 0.1)
            raise ProgramFailed("kubectl failed", done, done.stderr_tail)
        return Finished("kubectl", 0, self.built.encode(), (), 0.1)


class Server:
    """Answers every request with `reply`; counts them."""

    def __init__(self) -> None:
        self.reply = Reply(200, "OK", {}, MANIFEST.encode())
        self.paths: list[str] = []

    def answer(self, request: Request) -> Reply:
        self.paths.append(request.target)
        return self.reply


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[tuple[Server, CrdSource, ManifestFiles]]:
    ca, server = LabCA(tmp_path), Server()
    https = HttpsServer("127.0.0.1", 0, ca.server("web", "127.0.0.1").context("http/1.1"), server.answer).start()
    source = CrdSource("toys", CrdForm.URL, f"{https.url}/toys.yaml", "v1", SUM, str(ca.ca_file))
    yield server, source, ManifestFiles(Kustomize(None), tmp_path / "crds")  # type: ignore[arg-type]  # runs nothing
    https.close()


def test_what_has_the_right_checksum_is_fetched_once_and_kept(asked: tuple[Server, CrdSource, ManifestFiles]) -> None:
    server, source, manifests = asked
    found = manifests.crds_of(source)
    assert [(crd.name, crd.chart, crd.served) for crd in found] == [
        ("balls.crds.example.net", "toys", ("v1",)), ("toys.crds.example.net", "toys", ("v1",)),
    ]  # fmt: skip
    server.reply = Reply(500, "Internal Server Error", {}, b"")
    assert manifests.crds_of(source) == found
    assert server.paths == ["/toys.yaml"]


def test_a_kept_file_that_was_changed_is_fetched_again(asked: tuple[Server, CrdSource, ManifestFiles], tmp_path: Path) -> None:
    server, source, manifests = asked
    found = manifests.crds_of(source)
    (kept,) = (tmp_path / "crds").iterdir()
    kept.write_text(MANIFEST.replace("balls", "bells"))
    assert manifests.crds_of(source) == found
    assert len(server.paths) == 2


def test_another_content_is_refused_and_not_kept(asked: tuple[Server, CrdSource, ManifestFiles], tmp_path: Path) -> None:
    server, source, manifests = asked
    server.reply = Reply(200, "OK", {}, MANIFEST.encode() + b"\n")
    with pytest.raises(PermanentError, match="is not what its checksum is of") as told:
        manifests.crds_of(source)
    assert f"the settings say {SUM}" in told.value.evidence
    assert not (tmp_path / "crds").exists()


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (404, PermanentError, "is not there: 404"),
        (403, PermanentError, "is refused: 403"),
        (503, TransientError, "is not well: 503"),
        (429, TransientError, "is not well: 429"),
    ],
)
def test_what_is_not_there_is_not_what_cannot_be_asked(
    asked: tuple[Server, CrdSource, ManifestFiles], status: int, kind: type[Exception], says: str
) -> None:
    server, source, manifests = asked
    server.reply = Reply(status, "Words", {}, b"")
    with pytest.raises(kind, match=says):
        manifests.crds_of(source)


def test_a_server_that_is_gone_or_not_trusted(asked: tuple[Server, CrdSource, ManifestFiles]) -> None:
    _, source, manifests = asked
    with pytest.raises(TransientError, match="nobody answers"):
        manifests.crds_of(replace(source, place="https://127.0.0.1:9/toys.yaml"))
    with pytest.raises(PermanentError, match="is not trusted"):
        manifests.crds_of(replace(source, ca_file=""))


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str, str], CrdSource]:
    def make(text: str, sha256: str = "") -> CrdSource:
        (tmp_path / "toys.yaml").write_text(text)
        return CrdSource("toys", CrdForm.FILE, str(tmp_path / "toys.yaml"), sha256=sha256)

    return make


def test_a_file_is_checked_where_a_checksum_is_given(files: Callable[..., CrdSource], tmp_path: Path) -> None:
    manifests = ManifestFiles(Kustomize(None), tmp_path)  # type: ignore[arg-type]  # runs nothing
    assert len(manifests.crds_of(files(MANIFEST))) == 2
    assert len(manifests.crds_of(files(MANIFEST, SUM))) == 2
    with pytest.raises(PermanentError, match="is not what its checksum is of"):
        manifests.crds_of(files(MANIFEST + "# more\n", SUM))
    with pytest.raises(PermanentError, match="holds no custom resource definition"):
        manifests.crds_of(files("kind: Namespace\n"))


def test_a_folder_is_built_by_kustomize_or_says_why_not(tmp_path: Path) -> None:
    source = CrdSource("toys", CrdForm.FOLDER, "/house/crds")
    program = Kustomize(MANIFEST)
    assert len(ManifestFiles(program, tmp_path).crds_of(source)) == 2  # type: ignore[arg-type]  # one method of it
    assert program.asked == [["kubectl", "kustomize", "/house/crds"]]
    with pytest.raises(PermanentError, match="cannot build /house/crds: accumulating resources"):
        ManifestFiles(Kustomize(None), tmp_path).crds_of(source)  # type: ignore[arg-type]  # one method of it
