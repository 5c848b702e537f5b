"""A first settings file: says what the repository shows, marks what only a person knows, and loads once that is filled in."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from secrets import token_hex

import pytest

from engine.errors import SettingsInvalid
from house.files import yamlfile
from house.files.grammar import HOUSE_NAME
from house.files.yamlfile import parse
from house.first.writing import Written, is_blank
from house.loader import Part
from house.settings.values import FILL_IN
from tests.adapters.backups.test_places import nobody
from tests.house.reading import load, write_settings
from tests.house.small_house import write_repository

ANSWERS = {
    "url": "https://10.0.0.11:8006", "fingerprint": '"' + ":".join(["ab"] * 32) + '"', "id": "blackstart@pve!run",
    "storage": "local-lvm", "cores": "4", "memory": "8GiB", "size": "20GiB", "host": "pve-1", "schematic": "376567988ad3",
    "password": "env:RESTIC_PASSWORD", "open": "/mnt/nas/{app}", "repository": "/repository/vault",
    "AWS_ACCESS_KEY_ID": "env:KEY_ID", "AWS_SECRET_ACCESS_KEY": "env:KEY", "recipient": "unused",
    "sha256": "ab" * 32,
}  # fmt: skip


NFS_POLICY = """---
apiVersion: admissionregistration.k8s.io/v1alpha1
kind: MutatingAdmissionPolicy
metadata: {name: volsync-mover-nfs}
spec:
  mutations:
    - patchType: JSONPatch
      jsonPatch:
        expression: >
          [JSONPatch{op: "add", path: "/spec/template/spec/volumes/-",
          value: Object.spec.template.spec.volumes{nfs: Object.spec.template.spec.volumes.nfs{
          server: "nas.lan", path: "/tank/volsync"}}}]
"""


@pytest.fixture
def written(tmp_path: Path) -> Written:
    write_repository(tmp_path).unlink()
    return write_settings(tmp_path, lambda: "5f1d7c2a9e")


def test_a_first_file_is_read_by_the_quick_parser(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """The careful one takes twenty times as long, at each start of every verb."""
    monkeypatch.setattr(yamlfile, "_carefully", lambda text, name: pytest.fail(f"{name} is read carefully"))
    assert parse(written.file.read_text(), written.file.name)


def fill_in(file: Path, *, only: str = "") -> None:
    """Answer the marks as a person would, those of one section alone when `only` names it."""
    lines, section = [], ""
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        section = line.partition(":")[0] if line[:1].isalpha() else section
        key = line.strip().removeprefix("- ").partition(":")[0]
        mine = FILL_IN in line and not line.lstrip().startswith("#") and only in ("", section)
        archive = "s3:https://s3.invalid/b/pg" if "HOST/BUCKET" in line else ANSWERS.get(key, "")
        answer = str(8000 + number) if key == "vm_id" else archive
        lines.append(line.replace(FILL_IN, answer) if mine else line)
    file.write_text("\n".join(lines) + "\n")


def test_it_is_commented_and_names_its_schema_in_the_first_line(written: Written) -> None:
    lines = written.file.read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=blackstart.schema.json"
    schema = json.loads(written.file.with_name("blackstart.schema.json").read_text())
    assert schema["title"] == "blackstart.yaml"
    sections = [number for number, line in enumerate(lines) if line[:1].isalpha() and line.startswith(tuple(schema["properties"]))]
    bare = [lines[number] for number in sections if not any(line.startswith("#") for line in lines[max(0, number - 4) : number])]
    assert bare == []


def test_every_mark_is_listed_with_its_line_and_every_verb_lists_what_is_left(written: Written) -> None:
    lines = written.file.read_text().splitlines()
    marked = [number for number, line in enumerate(lines, start=1) if FILL_IN in line and not line.lstrip().startswith("#")]
    assert [mark.line for mark in written.marks] == marked
    with pytest.raises(SettingsInvalid) as caught:
        load(written.file)
    left = [line for line in caught.value.evidence if "is not filled in yet" in line]
    assert [line.split(":")[1] for line in left] == [str(number) for number in marked]


def test_filled_in_it_loads_with_what_the_repository_says(written: Written) -> None:
    fill_in(written.file)
    house = load(written.file)
    assert (house.id, [node.name for node in house.nodes]) == ("5f1d7c2a9e", ["cp-1", "w-1"])
    assert [claim.key for claim in house.claims] == ["apps/notes-data", "media/photos", "apps/vault"]
    assert not any(claim.open_as == "" for claim in house.claims)


def test_the_backups_section_alone_is_enough_to_look_at_backups(written: Written) -> None:
    fill_in(written.file, only="backups")
    assert len(load(written.file, Part.BACKUPS).claims) == 3
    with pytest.raises(SettingsInvalid):
        load(written.file)


def test_it_tells_where_the_cluster_has_the_password_and_the_store_from(tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    secret = tmp_path / "kubernetes/components/volsync/secret.yaml"
    text = secret.read_text()
    assert "kind: ExternalSecret" in text
    secret.write_text(text + "  secretStoreRef: {name: vault}\n  dataFrom: [{extract: {key: volsync-restic}}]\n" + NFS_POLICY)
    lines = write_settings(tmp_path).file.read_text().splitlines()
    place = "kubernetes/components/volsync/secret.yaml"
    assert f"# In the cluster, the restic password comes from item volsync-restic of vault ({place}:1)." in lines
    (store,) = [line.strip() for line in lines if "movers have mounted" in line]
    assert store.startswith(f"# In the cluster, movers have mounted NFS nas.lan:/tank/volsync ({place}:")


def test_nothing_is_overwritten(written: Written) -> None:
    before = written.file.read_text()
    with pytest.raises(SettingsInvalid, match="is there already"):
        write_settings(written.file.parent)
    assert written.file.read_text() == before


def test_a_folder_that_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"the folder .*/nope is not there"):
        write_settings(tmp_path / "nope")
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsInvalid, match="is a file, and no folder"):
        write_settings(tmp_path / "file")


def test_a_folder_that_is_no_repository_is_refused_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read as a home-ops repository"):
        write_settings(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_holds_no_secret_and_every_house_gets_its_own_id(tmp_path: Path) -> None:
    ids = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_repository(tmp_path / name).unlink()
        text = write_settings(tmp_path / name, lambda: token_hex(8)).file.read_text()
        ids.add(next(line for line in text.splitlines() if line.startswith("  id:")))
    assert len(ids) == 2


def test_what_the_repository_holds_is_quoted_where_yaml_needs_it(tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    secret = tmp_path / "kubernetes/components/volsync/secret.yaml"
    secret.write_text(secret.read_text().replace('"/repository/${APP}"', "'/b\"x/${APP}'"))
    talconfig = tmp_path / "talos/talconfig.yaml"
    talconfig.write_text(talconfig.read_text().replace("hostname: w-1", "hostname: 'w: 1'"))
    text = write_settings(tmp_path).file.read_text()
    (document,) = parse(text)
    assert document.value["backups"]["open_as"][0]["seen"] == '/b"x/{app}'
    assert list(document.value["nodes"]) == ["cp-1", "w: 1"]


def test_what_is_wrong_in_the_repository_is_told_at_once(tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    (tmp_path / "talos/talenv.yaml").write_text("kubernetesVersion: v1.36.3\n")
    (tmp_path / "kubernetes/apps/apps/kustomization.yaml").write_text("")
    written = write_settings(tmp_path)
    assert written.problems == (
        "kubernetes/apps/apps/kustomization.yaml: kustomize refuses it: kustomization.yaml is empty;"
        " Flux refuses it in the same words, and applies nothing of it: mend it",
        "talos/talconfig.yaml:3: talosVersion: ${talosVersion} has no value; give it one in talenv.yaml",
    )
    assert not set(written.problems) & set(written.notes)


@pytest.mark.parametrize("name", ["2024", "1e3", "0x1f", "true", "null", "no", "home", "Häuser & Co", "-", "0_1"])
def test_whatever_the_folder_is_called_the_house_has_a_name(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    write_repository(folder).unlink()
    text = write_settings(folder).file.read_text()
    said = parse(text, "blackstart.yaml")[0].value["house"]["name"]
    assert HOUSE_NAME.wrong(said) is None, said


def test_only_a_file_that_is_known_to_hold_nothing_is_blank() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to everybody else
        Path(name).chmod(0o755)
        file = Path(name) / "blackstart.yaml"
        assert not is_blank(file)
        file.write_text(" \n")
        assert is_blank(file)
        with nobody(file):
            assert not is_blank(file), "nobody knows what is in it"
        file.write_text("house: {}\n")
        assert not is_blank(file)
