"""Writes schema.json afresh: facts of the interface (names, types, ranges, choices, rights) out of a schema that Proxmox publishes.

`python -m lab.wire.proxmox.table 9.2.json` takes the calls that schema.json lists and says again what each takes, in the
notation of schema.py. Nothing but facts goes over: no descriptions, and the patterns are our own (`SHAPES`). A format that the
published schema only names is checked by formats.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.text import jsontext

Json = dict[str, Any]
HERE = Path(__file__).parent / "schema.json"

# Patterns by parameter (or key of a property string), in our own words; what has none here is not checked by a pattern.
SHAPES = {
    "url": r"https?://.*",
    "resize.size": r"\+?\d+(\.\d+)?[KMGT]?",
    "content.size": r"\d+[MG]?",
    "serial[n]": r"(/dev/[^,]+|socket)",
    "vmgenid": r"([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[01])",
    "machine.type": r"(pc|q35|pc(-i440fx)?-\d+(\.\d+)+(\+pve\d+)?|pc-q35-\d+(\.\d+)+(\+pve\d+)?|virt(-\d+(\.\d+)+)?(\+pve\d+)?)",
    "trunks": r"\d+(-\d+)?(;\d+(-\d+)?)*",
    "cpus": r"\d+(-\d+)?(;\d+(-\d+)?)*",
    "hostnodes": r"\d+(-\d+)?(;\d+(-\d+)?)*",
    "bootdisk": r"(ide|sata|scsi|virtio)\d+",
    "startdate": r"(now|\d{4}-\d{1,2}-\d{1,2}(T\d{1,2}:\d{1,2}:\d{1,2})?)",
    "parallel[n]": r"/dev/(parport|usb/lp)\d+",
    "wwn": r"0x[0-9a-fA-F]{16}",
    "usb[n].host": r"([Ss][Pp][Ii][Cc][Ee]|(0x)?[0-9A-Fa-f]{4}:(0x)?[0-9A-Fa-f]{4}|\d+-\d+(\.\d+)*)",
    "tokenid": r"[A-Za-z][A-Za-z0-9._-]+",
    "tmpfilename": r"/var/tmp/pveupload-[0-9a-f]+",  # noqa: S108 - a name of the interface; no such file is made
}
# How often an indexed parameter may stand: the published schema only says [n].
TIMES = {
    "scsi": 31, "virtio": 16, "sata": 6, "ide": 4, "net": 32, "ipconfig": 32, "hostpci": 16, "usb": 15, "serial": 4, "parallel": 3,
    "numa": 8, "unused": 256, "virtiofs": 10, "acme": 6,
}  # fmt: skip
CREATE = "POST /nodes/{node}/qemu"
CONFIG = "PUT /nodes/{node}/qemu/{vmid}/config"


def published(text: str) -> dict[str, Json]:
    """Every call of a published schema: {"METHOD /path": its description}."""
    found: dict[str, Json] = {}

    def walk(nodes: list[Json]) -> None:
        for node in nodes:
            found.update({f"{method} {node['path']}": info for method, info in node.get("info", {}).items()})
            walk(node.get("children", []))

    walk(jsontext.read(text))
    return found


class Table:
    """The table in the making; formats are collected as they are met."""

    def __init__(self, calls: dict[str, Json]) -> None:
        self._calls = calls
        self._formats: dict[str, dict[str, str]] = {}

    def make(self, wanted: list[str]) -> Json:
        """The whole table; KeyError for a call that is not published."""
        options = self._parameters(CONFIG, set())
        shared = {
            name for name in options if name in self._parameters(CREATE, set()) and name not in ("node", "vmid")
        }
        calls: Json = {}
        for call in wanted:
            grouped = call in (CREATE, CONFIG, CONFIG.replace("PUT", "POST"))
            calls[call] = ({"group": "options"} if grouped else {}) | self._parameters(call, shared if grouped else set())
        return {
            "about": "Facts of Proxmox VE's interface, written by table.py in a notation of our own (see schema.py).",
            "formats": self._formats,
            "groups": {"options": {name: text for name, text in options.items() if name in shared}},
            "rights": dict(self._rights(wanted)),
            "indexes": {call: " ".join(below) for call in wanted if (below := self._below(call))},
            "calls": calls,
        }

    def _parameters(self, call: str, without: set[str]) -> dict[str, str]:
        properties = self._calls[call]["parameters"].get("properties", {})
        area = next((f"{end}." for end in ("resize", "content") if call.endswith(f"/{end}")), "")
        return {
            _indexed(name): self._rule(name, rule, area)
            for name, rule in sorted(properties.items())
            if _indexed(name) not in without
        }

    def _rule(self, name: str, rule: Json, area: str = "") -> str:
        if "alias" in rule:
            return f"string alias={rule['alias']}:{rule.get('keyAlias', '')}"
        words = [str(rule.get("type", "string")) + ("" if rule.get("optional") else "!")]
        words += ["default"] if rule.get("default_key") else []
        if rule.get("minimum") is not None or rule.get("maximum") is not None:
            words.append(f"{_bound(rule.get('minimum'))}..{_bound(rule.get('maximum'))}")
        for key, word in (("maxLength", "max"), ("minLength", "min"), ("requires", "needs")):
            words += [f"{word}={rule[key]}"] if rule.get(key) else []
        if rule.get("enum"):
            words.append("in=" + "|".join(map(str, rule["enum"])))
        shape = (
            SHAPES.get(area + name)
            or SHAPES.get(name)
            or SHAPES.get(name.rpartition(".")[2] if "pattern" in rule else "")
        )
        if shape and "pattern" in rule:
            words.append(f"like={shape}")
        words += self._format(name, rule.get("format"))
        return " ".join(words)

    def _format(self, name: str, form: Any) -> list[str]:
        if isinstance(form, dict):
            self._formats[name] = {key: self._rule(f"{name}.{key}", rule) for key, rule in sorted(form.items())}
            return [f"as={name}"]
        return [f"as={form}"] if form else []

    def _below(self, call: str) -> list[str]:
        """Names of the paths below a looking call that has any: what it answers is the list of them."""
        method, path = call.split(" ")
        deeper = [
            each.split(" ")[1][len(path) + 1 :] for each in self._calls if each.split(" ")[1].startswith(path + "/")
        ]
        names = sorted({each.split("/")[0] for each in deeper if not each.startswith("{")})
        returned = self._calls[call].get("returns", {})
        is_index = [link.get("href") for link in returned.get("links", ())] in (["{name}"], ["{subdir}"])
        return names if method == "GET" and is_index else []

    def _rights(self, wanted: list[str]) -> Iterator[tuple[str, str]]:
        """What is asked of the caller before a parameter is looked at, as door.py reads it; what has conditions is asked inside."""
        for call in wanted:
            permissions = self._calls[call].get("permissions") or {}
            clauses = _clauses(permissions.get("check") or [])
            if permissions.get("user") == "world":
                yield call, "world"
            elif clauses:
                yield call, "; ".join(clauses)


def _clauses(check: list[Any]) -> list[str]:
    """What must hold, each: `PATH ONE|OTHER` (any), `PATH ONE&OTHER` (all), or some of these with ` or ` between them."""
    if not check or "require_param" in check:
        return []
    if check[0] == "perm":
        return [f"{check[1]} {('|' if 'any' in check else '&').join(check[2])}"]
    parts = [_clauses(each) for each in check[1:]] if check[0] in ("and", "or") else []
    if check[0] == "and":
        return [text for part in parts for text in part]
    return [" or ".join(text for part in parts for text in part)] if parts and all(parts) else []


def _indexed(name: str) -> str:
    return f"{name[:-3]}[0-{TIMES[name[:-3]] - 1}]" if name.endswith("[n]") else name


def _bound(value: Any) -> str:
    return "" if value is None else f"{float(value):g}" if float(value) != int(float(value)) else str(int(float(value)))


def main(path: str) -> None:
    """Write the table anew from this file."""
    wanted = list(jsontext.read(HERE.read_text())["calls"])
    table = Table(published(Path(path).read_text())).make(wanted)
    HERE.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
