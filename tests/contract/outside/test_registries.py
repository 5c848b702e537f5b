"""Registries behind both doors: the modelled one, and the adapter against the lab's registry over TLS that is verified."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from adapters.registries.adapter import RegistriesAdapter
from adapters.registries.port import RegistriesView
from adapters.registries.results import Allowance, ImageLook, Standing, reference_of
from engine.errors import PermanentError, TransientError
from house.values.rehearsing import Mirror
from lab.ports.outside.registries import ModelledRegistries
from lab.wire.pki import LabCA
from lab.wire.registries import KIND, RegistryDoor
from lab.world.clock import VirtualClock
from lab.world.registries import LabRegistries
from lab.world.world import World

DIGEST = f"sha256:{'ab' * 32}"
IMAGE = "quay.io/charts/cilium:1.0.0"


class Asked:
    """One door, and how the registry behind it is changed."""

    def __init__(self, view: RegistriesView, world: LabRegistries, door: RegistryDoor | None = None) -> None:
        self.view, self.world, self.door = view, world, door

    def is_missing(self, image: str) -> None:
        self.world.missing.add(image)

    def refuses(self, image: str) -> None:
        self.world.refused.add(image)
        if self.door is not None:
            self.door.denied.add(reference_of(image).repository)

    def allows(self, left: int) -> None:
        self.world.allowances["quay.io"] = Allowance(left, 100, 21600)
        if self.door is not None:
            self.door.counted = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": f"{left};w=21600"}

    def fails(self, *, limited: bool = False) -> None:
        (self.world.limited if limited else self.world.silent).add("quay.io")
        if self.door is not None:
            self.door.refuse = 429 if limited else 503


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LabCA:
    return LabCA(tmp_path_factory.mktemp("pki"))


@pytest.fixture(params=["modelled", "wire"])
def asked(request: pytest.FixtureRequest, authority: LabCA) -> Iterator[Asked]:
    world = LabRegistries()
    if request.param == "modelled":
        yield Asked(ModelledRegistries(World(VirtualClock()), world), world)
        return
    door = RegistryDoor("127.0.0.1", 0, authority.server("registry", "127.0.0.1"), lambda image: image not in world.missing).start()
    mirrors = {"*": Mirror(door.url, str(authority.ca_file))}
    yield Asked(RegistriesAdapter(mirrors), world, door)
    door.close()


@pytest.mark.parametrize("image", [IMAGE, f"ghcr.io/a/b@{DIGEST}", "busybox"])
def test_an_image_that_is_there(asked: Asked, image: str) -> None:
    found = asked.view.look(image)
    assert (found.standing, found.allowance) == (Standing.THERE, None)


def test_one_that_is_not(asked: Asked) -> None:
    asked.is_missing(IMAGE)
    assert asked.view.look(IMAGE).standing is Standing.ABSENT
    assert asked.view.look(IMAGE.replace("cilium", "coredns")).standing is Standing.THERE


def test_one_that_nobody_gets_without_credentials_is_neither(asked: Asked) -> None:
    asked.refuses(IMAGE)
    assert asked.view.look(IMAGE).standing is Standing.REFUSED


def test_how_many_more_pulls_there_are(asked: Asked) -> None:
    asked.allows(7)
    assert asked.view.look(IMAGE).allowance == Allowance(7, 100, 21600)


def test_a_registry_that_lets_nobody_pull_for_now(asked: Asked) -> None:
    asked.fails(limited=True)
    found = asked.view.look(IMAGE)
    assert (found.standing, found.allowance) == (Standing.LIMITED, Allowance(0))


def test_one_that_is_not_well_says_nothing_of_the_image(asked: Asked) -> None:
    asked.fails()
    with pytest.raises(TransientError):
        asked.view.look(IMAGE)


@pytest.mark.parametrize("image", ["", "UPPER/case:1", "a b", "x@sha256:12", "../etc/passwd", "a/b:${TAG}"])
def test_what_is_no_name_of_an_image_is_asked_of_nobody(asked: Asked, image: str) -> None:
    with pytest.raises(PermanentError):
        asked.view.look(image)
    assert asked.door is None or asked.door.asked == []


@contextmanager
def in_the_clear() -> Iterator[str]:
    """A server without TLS that has every manifest."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", KIND)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestOnTheWire:
    """What the modelled door has no words for."""

    @pytest.fixture
    def door(self, authority: LabCA) -> Iterator[RegistryDoor]:
        door = RegistryDoor("127.0.0.1", 0, authority.server("registry", "127.0.0.1")).start()
        yield door
        door.close()

    def look(self, door: RegistryDoor, authority: LabCA, image: str = IMAGE) -> ImageLook:
        return RegistriesAdapter({"*": Mirror(door.url, str(authority.ca_file))}).look(image)

    def test_a_manifest_s_head_is_asked_for_and_nothing_is_got(self, door: RegistryDoor, authority: LabCA) -> None:
        """What registries count are manifests that are got."""
        asking = RegistriesAdapter({"*": Mirror(door.url, str(authority.ca_file))})
        assert asking.look(IMAGE) == asking.look(IMAGE)
        assert door.asked == [("HEAD", IMAGE)], "and not twice in one run"

    def test_a_tag_beside_a_digest_is_of_no_account(self, door: RegistryDoor, authority: LabCA) -> None:
        assert self.look(door, authority, f"ghcr.io/a/b:1@{DIGEST}").standing is Standing.THERE
        assert door.asked == [("HEAD", f"ghcr.io/a/b@{DIGEST}")]

    def test_a_page_in_front_of_it_is_no_image(self, door: RegistryDoor, authority: LabCA) -> None:
        door.kind = "text/html"
        with pytest.raises(TransientError, match="no manifest"):
            self.look(door, authority)

    def test_an_answer_that_breaks_off_or_cannot_be_unpacked_is_none(self, door: RegistryDoor, authority: LabCA) -> None:
        door.encoding = "gzip"
        with pytest.raises(TransientError, match="does not say"):
            self.look(door, authority)

    def test_a_registry_that_leads_to_where_nobody_is_verified_has_said_nothing(self, door: RegistryDoor, authority: LabCA) -> None:
        with in_the_clear() as door.leads, pytest.raises(TransientError, match="not https"):
            self.look(door, authority)

    def test_a_silent_registry_is_left_alone_after_two_waits_and_no_other_is(self, door: RegistryDoor, authority: LabCA) -> None:
        """Over all checks of a run: each waits for it otherwise."""
        asking = RegistriesAdapter({"*": Mirror(door.url, str(authority.ca_file))})
        door.refuse = 503
        for name in ("quay.io/a:1", "quay.io/b:1"):
            with pytest.raises(TransientError):
                asking.look(name)
        door.refuse = 0
        with pytest.raises(TransientError):
            asking.look("quay.io/c:1")
        assert asking.look("ghcr.io/a/b:1").standing is Standing.THERE
        assert door.asked == [("HEAD", "ghcr.io/a/b:1")]

    def test_a_certificate_that_nobody_vouches_for(self, door: RegistryDoor, authority: LabCA, tmp_path: Path) -> None:
        other = LabCA(tmp_path / "other")
        for ca_file in ("", str(other.ca_file)):
            with pytest.raises(PermanentError, match="not trusted"):
                RegistriesAdapter({"*": Mirror(door.url, ca_file)}).look(IMAGE)
        assert door.asked == []

    def test_a_mirror_is_asked_in_place_of_its_registry_alone(self, door: RegistryDoor, authority: LabCA) -> None:
        """The other one is looked for where nobody listens."""
        closed = RegistryDoor("127.0.0.1", 0, authority.server("registry", "127.0.0.1")).start()
        closed.close()
        mirrors = {"quay.io": Mirror(door.url, str(authority.ca_file)), "*": Mirror(closed.url, str(authority.ca_file))}
        asking = RegistriesAdapter(mirrors)
        assert asking.look(IMAGE).standing is Standing.THERE
        with pytest.raises(TransientError):
            asking.look("ghcr.io/a/b:1")


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("busybox", ("docker.io", "library/busybox", "latest")), ("a/b:1", ("docker.io", "a/b", "1")),
        ("docker.io/a", ("docker.io", "library/a", "latest")), ("index.docker.io/a/b", ("docker.io", "a/b", "latest")),
        ("ghcr.io/a/b/c:v1.2-x", ("ghcr.io", "a/b/c", "v1.2-x")), (f"quay.io/a@{DIGEST}", ("quay.io", "a", DIGEST)),
        ("host:5000/a:1", ("host:5000", "a", "1")), ("localhost/a", ("localhost", "a", "latest")),
        (f"a/b:1@{DIGEST}", ("docker.io", "a/b", DIGEST)),
    ],
)  # fmt: skip
def test_names_are_read_as_container_engines_read_them(image: str, parts: tuple[str, str, str]) -> None:
    found = reference_of(image)
    assert (found.registry, found.repository, found.wanted) == parts
