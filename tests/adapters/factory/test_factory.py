"""The image factory's checksum: both doors, and everything that may stand in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.factory.adapter import FactoryAdapter
from adapters.ports import ImageFactoryView
from engine.errors import BlackstartError, PermanentError, TransientError
from lab.ports.outside.factory import ModelledFactory
from lab.wire.factory import FactoryServer
from lab.wire.https import HttpsServer, Reply, Request
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


def test_a_published_image_is_there_and_has_its_checksum(factory: tuple[ImageFactoryView, Images, str]) -> None:
    port, images, url = factory
    checksum = images.publish(PATH, make_qcow2(4 << 30, b"talos"))
    assert port.image_problem(url + PATH) == ""
    assert port.sha256(url + PATH) == checksum


def test_a_factory_without_checksums_still_has_the_image(factory: tuple[ImageFactoryView, Images, str]) -> None:
    port, images, url = factory
    images.publish(PATH, make_qcow2(4 << 30, b"talos"))
    images.checksums = False
    assert port.image_problem(url + PATH) == ""
    assert port.sha256(url + PATH) == ""


def test_an_image_that_is_not_there(factory: tuple[ImageFactoryView, Images, str]) -> None:
    port, _, url = factory
    assert port.image_problem(url + PATH) == "404 Not Found"
    assert port.sha256(url + PATH) == ""


def test_a_factory_that_is_down_has_said_nothing(factory: tuple[ImageFactoryView, Images, str]) -> None:
    port, images, url = factory
    images.down = True
    with pytest.raises(TransientError):
        port.image_problem(url + PATH)
    with pytest.raises(TransientError):
        port.sha256(url + PATH)


Answer = Callable[[Request], Reply]


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[Callable[[Answer], tuple[FactoryAdapter, str]]]:
    """Makes a factory that answers by this function, and the adapter that trusts it, with the image's URL."""
    ca = LabCA(tmp_path)
    keys = ca.server("factory", "127.0.0.1")
    with ExitStack() as stack:

        def make(answer: Answer) -> tuple[FactoryAdapter, str]:
            server = HttpsServer("127.0.0.1", 0, keys.context("http/1.1"), answer).start()
            stack.callback(server.close)
            return FactoryAdapter(str(ca.ca_file)), server.url + PATH

        yield make


@pytest.fixture
def asked(by_hand: Callable[[Answer], tuple[FactoryAdapter, str]]) -> Callable[[Reply], str]:
    """Asks a factory that always gives this reply for a checksum."""

    def ask(reply: Reply) -> str:
        port, url = by_hand(lambda request: reply)
        return port.sha256(url)

    return ask


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 501, 503])
def test_a_head_that_is_refused_is_asked_again_by_the_first_byte(
    by_hand: Callable[[Answer], tuple[FactoryAdapter, str]], status: int
) -> None:
    seen: list[tuple[str, str]] = []

    def answer(request: Request) -> Reply:
        seen.append((request.method, request.headers.get("range", "")))
        if request.method == "HEAD":
            return Reply(status, "No")
        return Reply(206, "Partial Content", {"Content-Type": "application/octet-stream"}, b"Q")

    port, url = by_hand(answer)
    assert port.image_problem(url) == ""
    assert seen == [("HEAD", ""), ("GET", "bytes=0-0")]


def test_a_redirect_to_where_the_image_lies_is_followed(by_hand: Callable[[Answer], tuple[FactoryAdapter, str]]) -> None:
    def answer(request: Request) -> Reply:
        if "signed" not in request.target:
            return Reply(302, "Found", {"Location": "/signed-for-get"})
        return Reply(403, "Forbidden") if request.method == "HEAD" else Reply(206, "Partial Content", {}, b"Q")

    port, url = by_hand(answer)
    assert port.image_problem(url) == ""


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(404, "Not Found"), "404 Not Found"),
        (Reply(402, "Payment Required"), "402 Payment Required"),
        (Reply(200, "OK", {"Content-Type": "text/html; charset=utf-8"}, b"<html>log in</html>"), "web page"),
        (Reply(200, "OK", {}, b""), "empty file"),
    ],
)
def test_what_is_no_image(by_hand: Callable[[Answer], tuple[FactoryAdapter, str]], reply: Reply, told: str) -> None:
    port, url = by_hand(lambda request: reply)
    assert told in port.image_problem(url)


@pytest.mark.parametrize("reply", [Reply(503, "Service Unavailable"), Reply(429, "Too Many Requests"), Reply(drop=True)])
def test_a_factory_that_is_not_well_has_not_said_that_the_image_is_missing(
    by_hand: Callable[[Answer], tuple[FactoryAdapter, str]], reply: Reply
) -> None:
    port, url = by_hand(lambda request: reply)
    with pytest.raises(TransientError):
        port.image_problem(url)


@pytest.mark.parametrize("status", [402, 403, 404, 410])
def test_a_checksum_that_is_not_published_is_none(asked: Callable[[Reply], str], status: int) -> None:
    assert asked(Reply(status, "No")) == ""


@pytest.mark.parametrize(
    "text", ["AB" * 32, "ab" * 32 + "  nocloud-amd64.qcow2\n", "ab" * 32 + " *nocloud-amd64.qcow2"]
)
def test_the_shapes_that_checksum_files_have(asked: Callable[[Reply], str], text: str) -> None:
    assert asked(Reply(body=text.encode())) == "ab" * 32


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
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
