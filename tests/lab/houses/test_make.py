"""A house of the lab, made: valid for the loader, without a secret in its repository, published as Flux will pull it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.houses.credentials import Credentials
from lab.houses.make import make_house
from lab.houses.nouns import FOUR_NODES, ONE_NODE, SHAPES, STOCK, Block, HouseFolder
from lab.houses.settings import settings_text
from lab.wire.charts import ChartDoor
from lab.wire.git import GitDoor
from lab.wire.https import Request
from lab.wire.pki import LabCA
from tests.contract.apiserver import needed
from tests.house.reading import load

pytestmark = pytest.mark.programs
BLOCK = Block("127.100.7")


@dataclass(frozen=True)
class Made:
    folder: HouseFolder
    credentials: Credentials


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    needed("talhelper", "sops", "age-keygen", "helm", "git")
    folder = HouseFolder(tmp_path_factory.mktemp("house") / "four-nodes")
    make_house(FOUR_NODES, folder, BLOCK)
    return Made(folder, Credentials.read(folder.secrets))


@pytest.fixture
def git(made: Made) -> Iterator[GitDoor]:
    keys = LabCA(made.folder.pki).server("servers", BLOCK.servers)
    door = GitDoor(made.folder.git, BLOCK.servers, 8443, keys).start()
    yield door
    door.close()


def run(made: Made, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(made.folder.root), "GIT_TERMINAL_PROMPT": "0"}
    return subprocess.run(
        ["git", *arguments],
        cwd=made.folder.clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_settings_are_valid_and_say_that_the_house_is_simulated(made: Made) -> None:
    house = load(made.folder.settings)
    assert house.simulated
    assert [(n.name, n.host, n.address, n.control_plane) for n in house.nodes] == [
        ("cp-1", "pve-1", "127.100.7.11", True),
        ("cp-2", "pve-2", "127.100.7.12", True),
        ("cp-3", "pve-3", "127.100.7.13", True),
        ("w-1", "pve-4", "127.100.7.14", False),
    ]
    assert [release.key for release in house.releases] == [
        "kube-system/cilium", "kube-system/coredns", "flux-system/flux-operator", "flux-system/flux-instance",
    ]  # fmt: skip
    assert (house.data.charts, house.data.paused, house.not_followed) == ((), (), ())
    assert [secret.key for secret in house.secrets] == ["flux-system/sops-age"]
    (claim,) = house.claims
    assert claim.key == "selfhosted/notes"
    assert claim.open_as == "s3:https://127.100.7.30:9000/backups/notes"
    assert house.flux.url == "https://127.100.7.20:8443/home-ops.git"
    assert house.notes == ()


def test_no_secret_of_the_house_is_readable_in_its_repository(made: Made) -> None:
    secrets = [
        value.reveal()
        for value in (
            made.credentials.age_key, made.credentials.proxmox_token, made.credentials.restic_password,
            made.credentials.store_key_id, made.credentials.store_key,
        )
    ]  # fmt: skip
    files = [path for path in made.folder.clone.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert len(files) > 30
    for path in [*files, made.folder.settings]:
        text = path.read_text()
        assert not [secret for secret in secrets if secret in text], path
    for path in made.folder.secrets.iterdir():
        assert path.name == "age.pub" or path.stat().st_mode & 0o777 == 0o600


def test_every_word_of_the_template_is_filled_in(made: Made) -> None:
    for path in (made.folder.clone / "kubernetes").rglob("*.yaml"):
        assert not [
            word for word in ("@GIT@", "@CA", "@CHARTS@", "@BACKUPS@", "@PREFIX@") if word in path.read_text()
        ], path


def test_the_clone_is_clean_and_equals_what_flux_pulls(made: Made, git: GitDoor) -> None:
    assert run(made, "status", "--porcelain").stdout == ""
    here = run(made, "rev-parse", "HEAD").stdout.strip()
    there = run(made, "ls-remote", "origin", "refs/heads/main")
    assert there.stdout.split() == [here, "refs/heads/main"], there.stderr


def test_a_commit_can_be_pushed_through_the_door(made: Made, git: GitDoor) -> None:
    run(made, "commit", "--quiet", "--allow-empty", "--message", "Change nothing")
    pushed = run(made, "push", "--quiet", "origin", "main")
    assert pushed.returncode == 0, pushed.stderr
    assert run(made, "ls-remote", "origin", "main").stdout.split()[0] == run(made, "rev-parse", "HEAD").stdout.strip()


@pytest.mark.parametrize(("status", "words"), [(503, "503"), (401, "Authentication failed|could not read Username")])
def test_a_refusing_git_server_is_told_as_git_tells_it(made: Made, git: GitDoor, status: int, words: str) -> None:
    git.weather.refuse = status
    asked = run(made, "ls-remote", "origin")
    assert asked.returncode != 0
    assert any(word in asked.stderr for word in words.split("|")), asked.stderr


def test_a_client_that_trusts_another_authority_turns_away(made: Made, git: GitDoor, tmp_path: Path) -> None:
    asked = run(made, "-c", f"http.sslCAInfo={LabCA(tmp_path / 'other').ca_file}", "ls-remote", "origin")
    assert asked.returncode != 0
    assert "certificate" in asked.stderr


def test_the_chart_repository_serves_its_index_and_its_packages_and_nothing_else(made: Made) -> None:
    door = ChartDoor(made.folder.charts, BLOCK.servers, 0, LabCA(made.folder.pki).server("servers", BLOCK.servers))
    try:
        index = door.answer(Request("GET", "/index.yaml", {}, b""))
        assert index.status == 200
        for chart in ("cilium", "coredns", "flux-operator", "flux-instance", "volsync", "snapshot-controller"):
            assert f"{BLOCK.charts}/{chart}-1.0.0.tgz".encode() in index.body
            assert door.answer(Request("GET", f"/{chart}-1.0.0.tgz", {}, b"")).status == 200
        assert door.answer(Request("GET", "/../../secrets/age.key", {}, b"")).status == 404
        assert door.answer(Request("GET", "/..%2F..%2Fsecrets%2Fage.key", {}, b"")).status == 404
    finally:
        door.close()


def test_the_stock_house_pins_no_image_and_says_nothing_else_than_the_others() -> None:
    pins = {"pve-1": ":".join(["AB"] * 32)}
    pinned, stock = (settings_text(shape, BLOCK, pins, sum_) for shape, sum_ in ((ONE_NODE, "0" * 64), (STOCK, "")))
    said = [{line.strip().partition(":")[0] for line in text.splitlines() if "#" not in line} for text in (pinned, stock)]
    assert said[0] - said[1] == {"sha256"}
    assert said[1] <= said[0]


def test_all_sample_houses_have_addresses_of_their_own() -> None:
    for shape in SHAPES.values():
        addresses = [BLOCK.vip, BLOCK.servers, BLOCK.store]
        addresses += [BLOCK.node(node) for node in shape.nodes] + [BLOCK.host(node) for node in shape.nodes]
        assert len(set(addresses)) == len(addresses)


def test_a_folder_that_holds_an_older_house_is_made_new(tmp_path: Path, made: Made) -> None:
    folder = HouseFolder(tmp_path / "one-node")
    (folder.root / "state").mkdir(parents=True)
    (folder.root / "state" / "journal").write_text("of another house")
    make_house(SHAPES["one-node"], folder, BLOCK)
    assert not (folder.root / "state").exists()
    assert load(folder.settings).id != load(made.folder.settings).id


def test_the_house_with_a_database_declares_it_and_where_it_archives(tmp_path: Path) -> None:
    folder = HouseFolder(tmp_path / "one-node-database")
    make_house(SHAPES["one-node-database"], folder, BLOCK)
    house = load(folder.settings)
    assert [(one.key, one.place) for one in house.archives] == [("database/pg", f"s3:https://{BLOCK.store}:9000/databases/pg-2026")]
    assert [(one.key, one.held) for one in house.databases] == [("database/pg", True)]
    assert house.archives[0].max_age == 49 * 3600.0


def test_the_house_with_neighbours_declares_both_and_its_control_planes_take_no_pods(tmp_path: Path) -> None:
    folder = HouseFolder(tmp_path / "neighbours")
    make_house(SHAPES["neighbours"], folder, BLOCK)
    house = load(folder.settings)
    assert [claim.key for claim in house.claims] == ["selfhosted/notes", "selfhosted/wiki"]
    assert "allowSchedulingOnControlPlanes: false" in (folder.clone / "talos" / "talconfig.yaml").read_text()
    assert "allowSchedulingOnControlPlanes: false" in (folder.clone / "talos/patches/controller/cluster.yaml").read_text()
