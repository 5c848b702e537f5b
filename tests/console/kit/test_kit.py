"""A kit opens for each who was named and for nobody else, and says the truth of what it is worth on the machine that asks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from console.kit.nouns import MANIFEST, KeptSecret, Manifest, Recipient, manifest_of
from console.kit.secrets import every_reference, named_references, secrets_of
from console.verbs import config
from console.verbs.dr import kit as verbs
from engine.errors import EXIT_DRIFT, EXIT_OK, PermanentError, SettingsInvalid
from house.loader import load
from house.model import BootstrapSecret, FluxSource, House, SecretRef
from house.values.databases import DatabaseArchive
from house.values.nas import Nas
from tests.builders import a_house
from tests.house.small_house import write_repository
from tools.places import Places

TOOLS = Places().programs
needs_age = pytest.mark.skipif(not (TOOLS / "age").exists(), reason="age is not built here")
Printed = pytest.CaptureFixture[str]


def git(folder: Path, *words: str) -> str:
    """Run git there, as nobody in particular."""
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, "-C", str(folder), *words], check=True, capture_output=True, text=True).stdout.strip()


def a_key(path: Path) -> str:
    """A new age key in a file; its public half."""
    subprocess.run([TOOLS / "age-keygen", "-o", path], check=True, capture_output=True)
    return subprocess.run([TOOLS / "age-keygen", "-y", path], check=True, capture_output=True, text=True).stdout.strip()


@dataclass
class Home:
    """A repository with its settings, a kit of it, and the keys of two who can open it."""

    root: Path
    settings: Path
    kit: Path
    anna: Path
    ben: Path
    wrote: dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Made once; tests that change it copy it."""
    place = tmp_path_factory.mktemp("kit")
    (place / "home").mkdir()
    settings = write_repository(place / "home")
    root = load_root(settings)
    anna, ben = place / "anna.key", place / "ben.key"
    keys = (a_key(anna), a_key(ben))
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        git(root, *words)
    home = Home(root, settings, place / "house.kit.age", anna, ben, {})
    home.wrote = {"code": written(home, ",".join(keys)), "commit": git(root, "rev-parse", "HEAD")}
    return home


def load_root(settings: Path) -> Path:
    from console.opened.building import builder

    return load(settings, builder()).root


def written(home: Home, recipients: str) -> int:
    return verbs.kit(str(home.settings), False, str(home.kit), recipients, "", "", "", "")


def checked(home: Home, printed: Printed, repository: str = "") -> dict[str, Any]:
    """What --check says, by what each finding is about."""
    printed.readouterr()
    assert verbs.kit("", True, "", "", "", str(home.kit), str(home.anna), repository) == EXIT_DRIFT
    result = json.loads(printed.readouterr().out)["result"]
    return result | {"by": {one["what"]: one for one in result.get("findings", ())}}


def opened(home: Home, folder: Path, key: Path | None = None) -> Path:
    """As the printed page says it is opened."""
    plain = folder / "kit.tar"
    subprocess.run([TOOLS / "age", "--decrypt", "--identity", key or home.anna, "-o", plain, home.kit], check=True)
    with tarfile.open(plain) as tar:
        tar.extractall(folder / "kit", filter="data")
    return folder / "kit"


@pytest.mark.programs
@needs_age
class TestAKit:
    def test_it_was_written_with_its_page(self, made: Home) -> None:
        assert made.wrote["code"] == EXIT_OK
        page = made.kit.with_name(f"{made.kit.name}.html").read_text()
        digest = subprocess.run(["sha256sum", made.kit], check=True, capture_output=True, text=True).stdout.split()[0]
        assert digest in page
        assert "<script" not in page
        assert "env:" not in page and "sops:" not in page, "the page lies open"

    @pytest.mark.parametrize("who", ["anna", "ben"])
    def test_each_recipient_opens_it_alone_and_sets_it_up_by_hand(self, made: Home, tmp_path: Path, who: str) -> None:
        folder = opened(made, tmp_path, getattr(made, who))
        subprocess.run(["sh", folder / "set-up", tmp_path / "house"], check=True, capture_output=True)
        manifest = manifest_of((folder / MANIFEST).read_text())
        settings = tmp_path / "house" / manifest.settings
        assert settings.read_text() == made.settings.read_text()
        assert git(tmp_path / "house" / manifest.repository, "rev-parse", "HEAD") == made.wrote["commit"]
        from console.opened.building import builder

        assert load(settings, builder()).nodes
        again = subprocess.run(["sh", folder / "set-up", tmp_path / "house"], check=False, capture_output=True, text=True)
        assert again.returncode != 0 and "usage" in again.stderr

    def test_it_tells_a_stranger_what_to_do_and_holds_no_secret(self, made: Home, tmp_path: Path) -> None:
        folder = opened(made, tmp_path)
        start = (folder / "START-HERE.md").read_text()
        for heading in ("What to switch on, in this order", "Who has a key to this", "Where the secrets are", "Bringing it back"):
            assert f"## {heading}" in start
        manifest = manifest_of((folder / MANIFEST).read_text())
        for secret in manifest.secrets:
            missing = [source for source in secret.sources if f"`{source}`" not in start]
            assert not missing
        assert "`file:age.key`" in start
        assert "## The cluster" in (folder / "runbook.md").read_text()
        held = "\n".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())
        assert "AGE-SECRET-KEY-" not in held

    def test_a_check_tells_how_it_stands(self, made: Home, capsys: Printed) -> None:
        found = checked(made, capsys, repository=str(made.root))["by"]
        assert found["age"]["good"] and found["age"]["told"].startswith("0 days old")
        assert found["repository"]["good"] and found["settings"]["good"]
        assert (found["changes since"]["good"], found["changes since"]["told"]) == (True, "none in Git")
        lacking = {what for what, one in found.items() if one["good"] is False}
        assert lacking == {
            "the age key that opens the repository's secrets", "the secret of Proxmox' API token blackstart@pve!run",
            "the password of the backup of apps/notes-data", "the password of the backup of apps/vault",
            "AWS_ACCESS_KEY_ID of the backup of media/photos", "AWS_SECRET_ACCESS_KEY of the backup of media/photos",
            "from it: dr.audit", "from it: cluster.bootstrap", "from it: dr.restore",
        }  # fmt: skip

    def test_what_people_keep_is_looked_for_where_they_say(self, made: Home, tmp_path: Path, capsys: Printed) -> None:
        shutil.copy2(made.anna, tmp_path / "age.key")
        capsys.readouterr()
        assert verbs.kit("", True, "", "", "", str(made.kit), str(made.anna), str(made.root), str(tmp_path)) == EXIT_DRIFT
        found = {one["what"]: one for one in json.loads(capsys.readouterr().out)["result"]["findings"]}
        assert found["the age key that opens the repository's secrets"] == {
            "what": "the age key that opens the repository's secrets", "good": True, "told": "from file:age.key", "more": [],
        }  # fmt: skip
        assert verbs.kit("", True, "", "", "", str(made.kit), str(made.anna), "", str(tmp_path / "no")) == SettingsInvalid.exit_code

    def test_with_a_key_that_is_nobody_s_it_does_not_open(self, made: Home, tmp_path: Path, capsys: Printed) -> None:
        a_key(tmp_path / "other.key")
        assert verbs.kit("", True, "", "", "", str(made.kit), str(tmp_path / "other.key"), "") == PermanentError.exit_code
        assert "does not open with this key" in capsys.readouterr().out

    def test_what_changed_in_git_since_is_named(self, made: Home, tmp_path: Path, capsys: Printed) -> None:
        clone = tmp_path / "clone"
        shutil.copytree(made.root, clone)
        (clone / "new.txt").write_text("new")
        git(clone, "add", "-A")
        git(clone, "commit", "-qm", "a change since")
        since = checked(made, capsys, repository=str(clone))["by"]["changes since"]
        assert since["good"] is False
        assert since["more"][0].endswith("a change since")
        git(clone, "checkout", "-q", "--orphan", "other")
        git(clone, "commit", "-qm", "no history")
        assert checked(made, capsys, repository=str(clone))["by"]["changes since"]["good"] is None
        assert checked(made, capsys)["by"]["changes since"]["good"] is None

    @pytest.mark.parametrize("spoil", [
        lambda data: data[:-1], lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:], lambda data: data + b"x",
        lambda data: data[: len(data) // 2], lambda data: b"",
    ])  # fmt: skip
    def test_a_file_that_is_damaged_does_not_pass(
        self, made: Home, tmp_path: Path, spoil: Callable[[bytes], bytes], capsys: Printed
    ) -> None:
        (tmp_path / "k").write_bytes(spoil(made.kit.read_bytes()))
        assert verbs.kit("", True, "", "", "", str(tmp_path / "k"), str(made.anna), "") == PermanentError.exit_code

    def test_what_was_put_into_it_later_is_noticed(self, made: Home, tmp_path: Path, capsys: Printed) -> None:
        folder = opened(made, tmp_path)
        (folder / "settings" / "more").write_text("x")
        with tarfile.open(tmp_path / "new.tar", "w") as tar:
            for path in folder.iterdir():
                tar.add(path, path.name)
        public = subprocess.run([TOOLS / "age-keygen", "-y", made.anna], check=True, capture_output=True, text=True).stdout.strip()
        subprocess.run([TOOLS / "age", "-r", public, "-o", tmp_path / "k", tmp_path / "new.tar"], check=True)
        assert verbs.kit("", True, "", "", "", str(tmp_path / "k"), str(made.anna), "") == EXIT_DRIFT
        assert "is not as it was packed: settings/more" in capsys.readouterr().out

    def test_what_is_not_committed_is_named_when_it_is_written_and_when_it_is_checked(
        self, made: Home, tmp_path: Path, capsys: Printed
    ) -> None:
        place = tmp_path / "again"
        shutil.copytree(made.settings.parent, place, symlinks=True)
        settings = place / made.settings.name
        root = load_root(settings)
        (root / "forgotten.yaml").write_text("a: 1\n")
        public = subprocess.run([TOOLS / "age-keygen", "-y", made.anna], check=True, capture_output=True, text=True).stdout.strip()
        again = Home(root, settings, tmp_path / "k.kit.age", made.anna, made.ben, {})
        assert written(again, public) == EXIT_OK
        assert "not in it, for it is not committed: forgotten.yaml" in capsys.readouterr().out
        assert checked(again, capsys)["by"]["not committed"]["more"] == ["forgotten.yaml"]


@pytest.mark.parametrize("recipients", ["age1short", "AGE-SECRET-KEY-1QQQ", "ssh-ed25519 abc", "anna"])
def test_a_recipient_that_is_none_is_refused(recipients: str) -> None:
    with pytest.raises(SettingsInvalid, match="--recipients"):
        verbs._recipient(recipients)


def every_kind_of_secret() -> House:
    """A house with a reference in every place that can have one."""
    def ref(name: str) -> SecretRef:
        return SecretRef((f"env:{name}",))

    house = a_house()
    return replace(
        house, flux=replace(house.flux, deploy_key=ref("DEPLOY")), secrets=(BootstrapSecret("ns", "s", (("k", ref("BOOT")),)),),
        archives=(DatabaseArchive("db/pg", "s3:x", (("AWS_SECRET_ACCESS_KEY", ref("ARCHIVE")),)),),
        claims=tuple(replace(c, environment=(("AWS_SECRET_ACCESS_KEY", ref("STORE")),)) for c in house.claims),
        nas=(Nas("nas", "nas.lan", 443, "AA", "", "blackstart", ref("NAS")),),
    )  # fmt: skip


def test_every_reference_of_a_house_is_in_the_list_of_secrets() -> None:
    house = every_kind_of_secret()
    wanted = every_reference(house)
    assert len(wanted) >= 8
    assert {ref for _, ref in named_references(house) if ref.sources} == wanted
    assert {one.sources for one in secrets_of(house, house.root)} == {ref.sources for ref in wanted}
    assert isinstance(house.flux, FluxSource)


def test_a_list_of_contents_is_read_as_it_was_written_and_anything_else_is_refused() -> None:
    manifest = Manifest(
        "h", "id", True, "2026-11-29T15:00:00Z", "1", "c" * 40, "main", "u", "blackstart.yaml", ".", ("a",), ("b",),
        (Recipient("anna", "age1"),), (KeptSecret("token", ("env:A", "op://b")),), (), "", {"a": "b"},
    )  # fmt: skip
    text = manifest.to_json()
    assert manifest_of(text) == manifest
    for other in ("", "[]", "{}", text[:-5], text.replace("blackstart.kit/1", "blackstart.kit/2"), text.replace("true", '"true"'),
                  text.replace('"house"', '"mouse"')):  # fmt: skip
        with pytest.raises(PermanentError):
            manifest_of(other)


@pytest.mark.parametrize("place", ["/etc/blackstart", "../up", "a/../../up", ".."])
@pytest.mark.parametrize("name", ["settings", "repository", "authority"])
def test_a_kit_lays_nothing_outside_of_its_folder(place: str, name: str) -> None:
    """Anybody who knows who can open a kit can make one."""
    made = Manifest("h", "id", True, "", "1", "c", "main", "u", "blackstart.yaml", ".", (), (), (), (), (), "", {})
    with pytest.raises(PermanentError):
        manifest_of(replace(made, **{name: place}).to_json())


KINDS: dict[str, Callable[[Path], object]] = {
    "is a named pipe": os.mkfifo, "is a folder": Path.mkdir, "is a device": lambda path: path.symlink_to("/dev/null"),
    "is a link that leads nowhere": lambda path: path.symlink_to("gone"), "is not there": lambda path: path,
}  # fmt: skip


@pytest.mark.parametrize("told", list(KINDS))
def test_what_is_no_file_is_told_by_what_it_is(tmp_path: Path, told: str, capsys: Printed) -> None:
    odd, good = tmp_path / "odd", tmp_path / "good"
    KINDS[told](odd)
    good.write_text("x")
    for kit, key in ((odd, good), (good, odd)):
        assert verbs.kit("", False, "", "", "", str(kit), str(key), "") not in (EXIT_OK, EXIT_DRIFT)
        assert f"{odd} {told}" in " ".join(capsys.readouterr().err.split())
    assert config.init(str(tmp_path), "", False, from_inventory=str(odd)) == SettingsInvalid.exit_code
    assert told in " ".join(capsys.readouterr().err.split())
