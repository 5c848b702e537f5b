"""The lab's table of parameters: what it refuses and how, and that it says nothing that PVE's own schemas deny."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.wire.proxmox.schema import Rule, Schema
from lab.world.pve_access import Refusal

SCHEMA = Schema()
PUBLISHED = Path(os.environ.get("BLACKSTART_PVE_API", Path(__file__).parents[3].parent / "shared" / "pve-api"))
VERSIONS = ("8.4", "9.1", "9.2")
CREATE = "POST /nodes/{node}/qemu"
GOOD = {"node": "pve-1", "vmid": "100"}


def refused(call: str, **given: str | list[str]) -> dict[str, str]:
    """The texts per parameter that a call is refused with."""
    with pytest.raises(Refusal) as caught:
        SCHEMA.check(
            call,
            {name.replace("_", "-") if name == "checksum_algorithm" else name: value for name, value in given.items()},
        )
    assert caught.value.status == 400
    return caught.value.errors or {}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("onboot", "True", "type check ('boolean') failed - got 'True'"),
        ("onboot", "yes", "type check ('boolean') failed - got 'yes'"),
        ("cores", "four", "type check ('integer') failed - got 'four'"),
        ("cores", "0", "value must have a minimum value of 1"),
        ("vmid", "99", "value must have a minimum value of 100"),
        ("bios", "uefi", "value 'uefi' does not have a value in the enumeration 'seabios, ovmf'"),
        ("description", "x" * 8193, "value may only be 8192 characters long"),
        ("name", "not_a_name", "value does not match the regex pattern"),
        ("tags", ["a", "b"], "type check ('string') failed - got ARRAY"),
        (
            "scsi31",
            "local-lvm:1",
            "property is not defined in schema and the schema does not allow additional properties",
        ),
        ("colour", "red", "property is not defined in schema and the schema does not allow additional properties"),
    ],
)
def test_a_bad_value_is_refused_in_pves_words(name: str, value: str | list[str], text: str) -> None:
    given: dict[str, str | list[str]] = {**GOOD, name: value}
    assert refused(CREATE, **given) == {name: text}


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("net0", "virtio=BD:24:11:00:00:01,bridge=vmbr0", "macaddr: value does not match"),
        ("net0", "bridge=vmbr0", "model: property is missing"),
        ("scsi0", "local-lvm:1,colour=red", "colour: property is not defined"),
        ("scsi0", "local-lvm:1,iothread=maybe", "iothread: type check ('boolean') failed"),
        ("scsi0", "ssd=1", "file: property is missing"),
        ("efidisk0", "local-lvm:0,efitype=8m", "efitype: value '8m' does not have"),
        ("memory", "current=8", "current: value must have a minimum value of 16"),
    ],
)
def test_property_strings_are_read_to_the_end(name: str, value: str, part: str) -> None:
    assert part in refused(CREATE, **{**GOOD, name: value})[name]


def test_words_are_booleans_inside_a_property_string_only() -> None:
    assert SCHEMA.properties("drive", "local-lvm:1,ssd=on,iothread=no") == {
        "file": "local-lvm:1",
        "ssd": "1",
        "iothread": "0",
    }


def test_what_is_missing_is_named() -> None:
    assert refused(CREATE, node="pve-1") == {"vmid": "property is missing and it is not optional"}
    call = "POST /nodes/{node}/storage/{storage}/download-url"
    given = {"node": "a", "storage": "b", "content": "import", "filename": "f.qcow2", "url": "https://x/f"}
    assert refused(call, **given, checksum="00") == {"checksum-algorithm": "missing property required by 'checksum'"}
    assert refused(call, **given, checksum_algorithm="sha256") == {
        "checksum": "missing property required by 'checksum-algorithm'"
    }


@pytest.mark.parametrize(
    "path",
    [
        "/nodes/a/storage/local/content/local:import/x.qcow2",
        "/nodes/a/storage/local/content/local%3Aimport%2Fx.qcow2",
        "//nodes/a/storage/local/content/local:import%2Fx.qcow2/",
    ],
)
def test_a_volume_in_a_path_may_be_encoded_or_not(path: str) -> None:
    found = SCHEMA.find("DELETE", path)
    assert found is not None
    assert found[1] == {"node": "a", "storage": "local", "volume": "local:import/x.qcow2"}


def test_an_unknown_path_or_method_is_none() -> None:
    assert SCHEMA.find("GET", "/nodes/a/lxc") is None
    assert SCHEMA.find("PUT", "/nodes") is None


def published(version: str) -> dict[str, dict[str, Any]]:
    """PVE's own schema as {"METHOD /path": parameters}."""
    found: dict[str, dict[str, Any]] = {}

    def walk(nodes: list[dict[str, Any]]) -> None:
        for node in nodes:
            for method, info in node.get("info", {}).items():
                found[f"{method} {node['path']}"] = info["parameters"].get("properties", {})
            walk(node.get("children", []))

    walk(json.loads((PUBLISHED / f"{version}.json").read_text()))
    return found


def denied(name: str, ours: Rule, theirs: dict[str, Any]) -> Iterator[str]:
    """Ways in which our rule says something else than the published one."""
    if ours.kind != theirs.get("type"):
        yield f"{name}: type {theirs.get('type')}"
    if ours.required == bool(theirs.get("optional")):
        yield f"{name}: optional {theirs.get('optional')}"
    for bound, key in ((ours.minimum, "minimum"), (ours.maximum, "maximum"), (ours.longest, "maxLength")):
        if bound is not None and theirs.get(key) is not None and bound != int(theirs[key]):
            yield f"{name}: {key} {theirs[key]}"
        if bound is not None and theirs.get(key) is None:
            yield f"{name}: no {key}"
    if ours.choices and list(ours.choices) != theirs.get("enum"):
        yield f"{name}: enum {theirs.get('enum')}"
    if theirs.get("enum") and not ours.choices and not ours.like:
        yield f"{name}: enum {theirs['enum']}"
    if ours.needs != theirs.get("requires", ""):
        yield f"{name}: requires {theirs.get('requires')}"
    if ours.default != bool(theirs.get("default_key")):
        yield f"{name}: default_key {theirs.get('default_key')}"


# What changed between versions, or is looser in one of them: each is known, none may be added by accident.
KNOWN = {
    "8.4": {"GET /nodes/{node}/network": {"type"}},
    "9.1": {},
    "9.2": {},
}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_agrees_with_the_published_schema(version: str) -> None:
    if not (PUBLISHED / f"{version}.json").exists():
        pytest.skip(f"PVE's published schema is not at {PUBLISHED} (BLACKSTART_PVE_API)")
    theirs, problems = published(version), []
    for call, rules in SCHEMA.calls.items():
        if call not in theirs:
            problems.append(f"no call {call}")
            continue
        for name, rule in rules.items():
            # `storage` and `volume` in a path are optional where one may stand for the other.
            if re.search(rf"\{{{name}\}}", call):
                continue
            their_name = re.sub(r"\[\d+-\d+\]", "[n]", name)
            their_rule = theirs[call].get(their_name)
            if their_rule is None:
                problems.append(f"{call}: no {name}")
                continue
            if name in KNOWN[version].get(call, set()):
                continue
            problems += [f"{call}: {text}" for text in denied(name, rule, their_rule)]
            if rule.format and isinstance(their_rule.get("format"), dict):
                for key, part in SCHEMA.formats[rule.format].items():
                    their_part = their_rule["format"].get(key)
                    # The one drive format stands for four kinds of bus, which each leave some options out.
                    if their_part is None and rule.format == "drive":
                        continue
                    problems += [f"{call}: {name}.{text}" for text in denied(key, part, their_part or {})]
    assert problems == []
