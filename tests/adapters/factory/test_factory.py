"""The image factory's checksum: both doors, and everything that may stand in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.factory.adapter import FactoryAdapter
from adapters.ports import ImageFactoryView
from engine.errors import BlackstartError, PermanentError, TransientError
from lab.ports.factory import ModelledFactory
from lab.wire.factory import FactoryServer
from lab.wire.https import HttpsServer, Reply
from lab.wire.pki import LabCA
from lab.world.images import Images, make_qcow2

PATH = "/image/0123/v1.13.9/nocloud-amd64.qcow2"


@pytest.fixture(params=["modelled", "wire"])
def factory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ImageFactoryView, Images, str]]:
    """A door, what is published behind it, and its address."""
    images = Images()
    if request.param == "modelled":
        yield ModelledFactory(images), images, "https://factory"
        return
    ca = LabCA(tmp_path)
    server = FactoryServer(images, "127.0.0.1", 0, ca.server("factory", "127.0.0.1")).start()
    yield FactoryAdapter(str(ca.ca_file)), images, server.server.url
    server.close()


def test_a_published_image_has_its_checksum(factory: tuple[ImageFactoryView, Images, str]) -> None:
    port, images, url = factory
    checksum = images.publish(PATH, make_qcow2(4 << 30, b"talos"))
    assert port.sha256(url + PATH) == checksum


def test_an_image_that_is_not_there(factory: tuple[ImageFactoryView, Images, str]) -> None:
    port, _, url = factory
    with pytest.raises(PermanentError) as caught:
        port.sha256(url + PATH)
    assert caught.value.hint


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Callable[[Reply], str]]:
    """Asks a hand-made factory that always gives this reply."""
    ca = LabCA(tmp_path)
    keys = ca.server("factory", "127.0.0.1")
    with ExitStack() as stack:

        def ask(reply: Reply) -> str:
            server = HttpsServer("127.0.0.1", 0, keys.context("http/1.1"), lambda request: reply).start()
            stack.callback(server.close)
            return FactoryAdapter(str(ca.ca_file)).sha256(server.url + PATH)

        yield ask


@pytest.mark.parametrize(
    "text", ["AB" * 32, "ab" * 32 + "  nocloud-amd64.qcow2\n", "ab" * 32 + " *nocloud-amd64.qcow2"]
)
def test_the_shapes_that_checksum_files_have(asked: Callable[[Reply], str], text: str) -> None:
    assert asked(Reply(body=text.encode())) == "ab" * 32


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (Reply(402, "Payment Required"), PermanentError, "for free"),
        (Reply(404, "Not Found"), PermanentError, "no checksum is published"),
        (Reply(503, "Service Unavailable"), TransientError, "not well"),
        (Reply(429, "Too Many Requests"), TransientError, "not well"),
        (Reply(drop=True), TransientError, "does not answer"),
        (Reply(body=b"<html>"), PermanentError, "is none"),
        (Reply(body=b""), PermanentError, "is none"),
        (Reply(body=b"ab" * 32 + b"  another.qcow2"), PermanentError, "is none"),
    ],
)
def test_what_is_no_checksum(
    asked: Callable[[Reply], str], reply: Reply, kind: type[BlackstartError], text: str
) -> None:
    with pytest.raises(kind, match=text) as caught:
        asked(reply)
    assert caught.value.hint


def test_a_factory_that_is_not_trusted_and_one_that_is_not_there(tmp_path: Path) -> None:
    server = FactoryServer(Images(), "127.0.0.1", 0, LabCA(tmp_path).server("factory", "127.0.0.1")).start()
    try:
        with pytest.raises(PermanentError, match="not trusted"):
            FactoryAdapter().sha256(server.server.url + PATH)
    finally:
        server.close()
    with pytest.raises(TransientError):
        FactoryAdapter().sha256("https://127.0.0.1:1" + PATH)
    with pytest.raises(PermanentError, match="no address"):
        FactoryAdapter().sha256("factory/image")
