"""Every bad settings file of bad_settings.yaml gives exactly its one message; several problems are told together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SettingsInvalid
from house.files import yamlfile
from house.loader import Part
from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository

CASES: list[dict[str, Any]] = yamlfile.load(Path(__file__).with_name("bad_settings.yaml"))[0].value
PASTED = ("hunter2", "6f9619ff", "AGE-SECRET-KEY", "wJalrXUtnFEMI", "VAULT-PASSWORD")


def refused(settings: Path, part: Part = Part.ALL) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        load(settings, part)
    assert caught.value.exit_code == 10
    return caught.value.evidence


def made(root: Path, case: dict[str, Any]) -> Path:
    settings = write_repository(root)
    if "absent" in case:
        (root / case["absent"]).unlink()
        return settings
    file = root / case.get("file", "blackstart.yaml")
    text = file.read_text(encoding="utf-8")
    if "old" in case:
        assert case["old"] in text, "the change of this case changes nothing"
        text = text.replace(case["old"], case["new"], 1)
    else:
        text = case["new"]
    file.write_text(text, encoding="utf-8")
    return settings


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_gives_exactly_its_message(case: dict[str, Any], tmp_path: Path) -> None:
    evidence = refused(made(tmp_path, case))
    assert evidence == (case["says"].replace("{root}", str(tmp_path)),)
    assert not any(secret in line for secret in PASTED for line in evidence)


def test_there_are_enough_of_them_with_names_of_their_own() -> None:
    assert len(CASES) >= 60
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_problems_of_settings_repository_and_both_together_are_told_at_once_in_order(tmp_path: Path) -> None:
    text = SETTINGS.replace("cores: 4", "cores: 0").replace("vm_id: 8004", "vm_id: 8001").replace("boot: 1m", "boot: soon")
    settings = write_repository(tmp_path, text)
    (tmp_path / "talos/talenv.yaml").unlink()
    assert refused(settings) == (
        "blackstart.yaml:21: node_defaults.cores: is less than 1; write how many cores the VM has, as in `cores: 4`",
        "blackstart.yaml:32: nodes.w-1.vm_id: VM id 8001 is also that of cp-1; give each node its own",
        "blackstart.yaml:65: limits.boot: `soon` is not a duration; write a duration, as in 10m or 2h",
        "talos/talconfig.yaml:3: talosVersion: ${talosVersion} has no value; give it one in talenv.yaml",
        "talos/talconfig.yaml:4: kubernetesVersion: ${kubernetesVersion} has no value; give it one in talenv.yaml",
    )


@pytest.mark.parametrize("change", [b"\xef\xbb\xbf" + SETTINGS.encode(), SETTINGS.replace("\n", "\r\n").encode()])
def test_what_editors_on_other_systems_write_loads_like_the_rest(change: bytes, tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    usual = load(settings)
    settings.write_bytes(change)
    assert load(settings) == usual


def test_a_size_of_endless_digits_is_refused_and_not_written_out(tmp_path: Path) -> None:
    (line,) = refused(write_repository(tmp_path, SETTINGS.replace("size: 20GiB", f"size: {'9' * 400}GiB", 1)))
    assert line == "blackstart.yaml:24: node_defaults.disks[0].size: this text is more than 1024TiB; write a size, as in 20GiB"


@pytest.mark.parametrize("name", ["kubernetes/flux/gone.yaml", "kubernetes/flux/folder.yaml"])
def test_what_is_no_file_where_the_flux_source_is_looked_for_is_no_crash(name: str, tmp_path: Path) -> None:
    settings = write_repository(tmp_path, SETTINGS + "git: {url: 'https://127.10.0.22/home-ops.git', branch: main}\n")
    (tmp_path / "kubernetes/apps/flux-system/flux-instance/values.yaml").unlink()
    helmfile = tmp_path / "bootstrap/helmfile.yaml"
    helmfile.write_text("".join(line for line in helmfile.read_text().splitlines(True) if "values.yaml" not in line))
    if name.endswith("gone.yaml"):
        (tmp_path / name).symlink_to("/nowhere")
    else:
        (tmp_path / name).mkdir()
    notes = [note for note in load(settings).notes if name in note]
    better = "mend the link or its permissions, or take it out"
    assert notes == ([f"{name}: cannot be read (No such file or directory); {better}"] if name.endswith("gone.yaml") else [])


@pytest.mark.parametrize(("endless", "kind"), [("/dev/zero", "a device"), ("pipe", "a named pipe")])
def test_settings_that_never_end_are_not_read(tmp_path: Path, endless: str, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path / endless)
    assert f"is {kind}; name a regular file" in caught.value.evidence[0]


def test_a_helmfile_that_is_a_template_is_named_as_it_is(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    file = tmp_path / "bootstrap/helmfile.yaml"
    file.rename(f"{file}.gotmpl")
    better = "keep the releases in plain YAML, in helmfile.yaml"
    assert refused(settings) == (f"bootstrap/helmfile.yaml.gotmpl: is a template, which is not read; {better}",)


def test_a_version_that_is_none_is_told_where_it_stands(tmp_path: Path) -> None:
    settings = write_repository(tmp_path, SETTINGS)
    (tmp_path / "talos/talenv.yaml").write_text("talosVersion: latest\nkubernetesVersion: v1.36.3\n")
    assert refused(settings) == ("talos/talconfig.yaml:3: talosVersion: `latest` is not a version; write it as in v1.13.9",)


def test_a_settings_file_in_the_home_of_nobody_is_not_there() -> None:
    (line,) = refused(Path("~nosuchuser/blackstart.yaml"))
    assert line.endswith("blackstart.yaml: is not there; name the file with --settings, or write one")


def test_looking_at_backups_needs_only_their_part_of_the_file(tmp_path: Path) -> None:
    text = SETTINGS.replace("vm_id: 8001", "vm_id: FILL_IN").replace("url: https://127.10.0.101:8006", "url: FILL_IN")
    house = load(write_repository(tmp_path, text), Part.BACKUPS)
    assert [claim.key for claim in house.claims] == ["apps/notes-data", "media/photos", "apps/vault"]
    assert house.nodes == ()


def test_looking_at_backups_refuses_a_bad_rule_and_an_unfilled_password(tmp_path: Path) -> None:
    text = SETTINGS.replace("password: sops:secrets/restic.sops.yaml#password", "password: FILL_IN").replace("vm_id: 8001", "")
    text = text.replace("max_age: 36h", "max_age: soon")
    lines = refused(write_repository(tmp_path, text), Part.BACKUPS)
    assert [line.split("; ")[0] for line in lines] == [
        "blackstart.yaml:44: backups.password: is not filled in yet",
        "blackstart.yaml:55: backups.defaults.max_age: `soon` is not a duration",
    ]


def test_looking_at_backups_refuses_a_misspelt_section(tmp_path: Path) -> None:
    settings = write_repository(tmp_path, SETTINGS.replace("backups:\n", "backup:\n").replace("vm_id: 8001", ""))
    assert refused(settings, Part.BACKUPS) == ("blackstart.yaml:43: backup: is not a known key; the nearest known one is backups",)


@pytest.mark.parametrize("link", ["state", "state/small"])
def test_a_state_folder_on_a_disk_that_is_not_mounted_is_not_made_anew_somewhere(tmp_path: Path, link: str) -> None:
    settings = write_repository(tmp_path)
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "media/usb/state")
    (told,) = refused(settings)
    assert "house.state: is a link that leads nowhere; mount what it leads to" in told
    (tmp_path / "media/usb/state/small").mkdir(parents=True)
    load(settings)
