"""Checks parameters as PVE's own schema does, from a table of facts (schema.json, made by table.py). Knows no call's meaning.

Texts and the order of checks are those of PVE::JSONSchema. A rule reads
`TYPE[!] [default] [MIN..MAX] [max=N] [min=N] [in=A|B] [needs=OTHER] [like=REGEX] [as=FORMAT]` or `string alias=KEY:KEY`,
where `!` means required; a format is one of the table's property strings, or a name that formats.py knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from engine.text import jsontext
from lab.wire.proxmox.formats import NAMED, PROPERTIES, FormatWrong
from lab.world.pve.access import Refusal

Value = str | int
# What a client gives: text, a list where a key stands twice, a boolean or something nested in JSON.
Given = str | bool | list[str] | dict[str, object] | None
_UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
_MISSING = "property is missing and it is not optional"
_WORDS = {"1": 1, "on": 1, "yes": 1, "true": 1, "0": 0, "off": 0, "no": 0, "false": 0}
# Formats by another name: `cdrom` is the second IDE drive.
_SAME_AS = {"pve-qm-ide": "ide[n]"}
_LISTED = re.compile(r"(\w+)\[(\d+)-(\d+)\]")


class _Bad(Exception):
    """Why one value is refused."""


@dataclass(frozen=True)
class Rule:
    """What one parameter must be. `alias` is the key of a property string that this one stands for, `names` the one it fills."""

    kind: str
    required: bool = False
    default: bool = False
    minimum: float | None = None
    maximum: float | None = None
    longest: int | None = None
    shortest: int | None = None
    choices: tuple[str, ...] = ()
    needs: str = ""
    like: str = ""
    format: str = ""
    alias: str = ""
    names: str = ""

    @classmethod
    def read(cls, text: str) -> Rule:
        """A rule out of its text; ValueError for a word that is none."""
        head, *words = text.split(" ")
        values: dict[str, object] = {"kind": head.rstrip("!"), "required": head.endswith("!")}
        for word in words:
            key, equals, rest = word.partition("=")
            if word == "default":
                values["default"] = True
            elif not equals and ".." in word:
                low, _, high = word.partition("..")
                values |= {"minimum": float(low) if low else None, "maximum": float(high) if high else None}
            elif key in ("max", "min"):
                values["longest" if key == "max" else "shortest"] = int(rest)
            elif key == "in":
                values["choices"] = tuple(rest.split("|"))
            elif key == "alias":
                values["alias"], _, values["names"] = rest.partition(":")
            elif key in ("needs", "like"):
                values[key] = rest
            elif key == "as":
                values["format"] = rest
            else:
                raise ValueError(f"unknown word {word!r} in rule {text!r}")
        return cls(**values)  # type: ignore[arg-type]  # the branches above give every field its own type

    def typed(self, given: Given) -> Value:
        """The value with its type; raises _Bad."""
        if given is None or isinstance(given, list | dict):
            raise _Bad(f"type check ('{self.kind}') failed - got {'HASH' if isinstance(given, dict) else 'ARRAY'}")
        if isinstance(given, bool):
            if self.kind != "boolean":
                raise _Bad(f"type check ('{self.kind}') failed - got JSON::PP::Boolean")
            return int(given)
        if self.kind == "boolean" and given not in ("0", "1"):
            raise _Bad(f"type check ('boolean') failed - got '{given}'")
        number = {"integer": r"[+-]?\d+", "number": r"[+-]?\d+(\.\d+)?"}.get(self.kind)
        if number and not re.fullmatch(number, given):
            raise _Bad(f"type check ('{self.kind}') failed - got '{given}'")
        return int(given) if self.kind in ("boolean", "integer") else given

    def bounds(self, given: Value) -> None:
        """Raise _Bad for a value outside of the pattern, the lengths, the range or the choices, in this order."""
        text = str(given)
        if self.like and not re.fullmatch(self.like, text):
            raise _Bad("value does not match the regex pattern")
        if self.longest is not None and len(text) > self.longest:
            raise _Bad(f"value may only be {self.longest} characters long")
        if self.shortest is not None and len(text) < self.shortest:
            raise _Bad(f"value must be at least {self.shortest} characters long")
        if self.kind in ("integer", "number") and self.maximum is not None and float(given) > self.maximum:
            raise _Bad(f"value must have a maximum value of {self.maximum:.15g}")
        if self.kind in ("integer", "number") and self.minimum is not None and float(given) < self.minimum:
            raise _Bad(f"value must have a minimum value of {self.minimum:.15g}")
        if self.choices and text not in self.choices:
            raise _Bad(f"value '{text}' does not have a value in the enumeration '{', '.join(self.choices)}'")


Rules = dict[str, Rule]


class Schema:
    """All calls that are served: their parameters, the rights they ask for before those, and what is below an index."""

    def __init__(self) -> None:
        data = jsontext.read((Path(__file__).parent / "schema.json").read_text())
        groups: dict[str, dict[str, str]] = data["groups"]
        self.rights: dict[str, str] = data["rights"]
        self.indexes: dict[str, list[str]] = {call: names.split(" ") for call, names in data["indexes"].items()}
        self.formats: dict[str, Rules] = {
            name: _rules(texts) for name, texts in {**data["formats"], **PROPERTIES}.items()
        }
        self.calls: dict[str, Rules] = {}
        for call, texts in data["calls"].items():
            own = {name: text for name, text in texts.items() if name != "group"}
            group = groups[texts["group"]] if "group" in texts else {}
            self.calls[call] = _rules({**group, **own})

        self._templates: dict[str, list[tuple[str, list[str]]]] = {}
        for call in self.calls:
            verb, _, template = call.partition(" ")
            self._templates.setdefault(verb, []).append((call, template.strip("/").split("/")))

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """The call that a method and a path (below /api2/json, still encoded) mean, with the values in the path."""
        parts = [unquote(part) for part in path.split("/") if part]
        found: list[tuple[str, dict[str, str]]] = []
        for call, template in self._templates.get(method, ()):
            values = _match(template, parts)
            if values is not None:
                found.append((call, values))
        # A literal name goes before a placeholder.
        return min(found, key=lambda each: len(each[1]), default=None)

    def check(self, call: str, given: Mapping[str, Given]) -> dict[str, Value]:
        """The call's parameters with their types; a Refusal with one text per parameter that is not right."""
        checked, errors = self._object("", self.calls[call], given)
        if errors:
            raise Refusal(400, "Parameter verification failed.", errors)
        return checked

    def properties(self, name: str, value: str, path: str = "") -> dict[str, str]:
        """A property string of this format, booleans as 1 and 0, aliases resolved; raises FormatWrong as PVE words it."""
        rules, found = self.formats[name], dict[str, Given]()
        default = next((key for key, rule in rules.items() if rule.default), "")
        for part in (each for each in value.split(",") if each.strip()):
            key, equals, rest = part.partition("=")
            if not equals:
                key, rest = default, part
                if not default:
                    raise FormatWrong("value without key, but schema does not define a default key")
            if equals and not (key and rest):
                raise FormatWrong("missing key in comma-separated list property")
            rule = rules.get(key)
            if rule is not None and rule.alias:
                if rule.names and rule.names in found:
                    raise FormatWrong(f"key alias '{rule.names}' is already defined")
                found |= {rule.names: key} if rule.names else {}
                key, rule = rule.alias, rules.get(rule.alias)
            if key in found:
                raise FormatWrong(f"duplicate key in comma-separated list property: {key}")
            word = _WORDS.get(rest.lower()) if rule is not None and rule.kind == "boolean" else None
            found[key] = rest if word is None else str(word)
        checked, errors = self._object(f"{path or name}.", rules, found)
        if errors:
            raise FormatWrong("format error\n" + "".join(f"{key}: {text}\n" for key, text in errors.items()))
        return {key: str(value) for key, value in checked.items()}

    def _object(self, prefix: str, rules: Rules, given: Mapping[str, Given]) -> tuple[dict[str, Value], dict[str, str]]:
        """The values with their types, and what is wrong, by path."""
        checked: dict[str, Value] = {}
        errors: dict[str, str] = {}
        for name, value in given.items():
            rule = rules.get(name) or rules.get(_indexed(name, rules))
            try:
                if rule is None or rule.alias:
                    raise _Bad(_UNKNOWN)
                checked[name] = self._value(prefix + name, rule, value)
                if rule.needs and rule.needs not in given:
                    errors[prefix + rule.needs] = f"missing property required by '{name}'"
            except _Bad as bad:
                errors[prefix + name] = str(bad)
        errors |= {prefix + name: _MISSING for name, rule in rules.items() if rule.required and name not in given}
        return checked, errors

    def _value(self, path: str, rule: Rule, given: Given) -> Value:
        value = rule.typed(given)
        try:
            form = _SAME_AS.get(rule.format, rule.format)
            if form in self.formats:
                self.properties(form, str(value), path)
            elif rule.format in NAMED:
                NAMED[rule.format](str(value))
        except FormatWrong as wrong:
            raise _Bad(f"invalid format - {wrong}\n") from None
        rule.bounds(value)
        return value


def _rules(texts: Mapping[str, str]) -> Rules:
    return {name: Rule.read(text) for name, text in texts.items()}


def _indexed(name: str, rules: Rules) -> str:
    """The rule's name `scsi[0-30]` for a parameter `scsi7`, "" when there is none."""
    stem = name.rstrip("0123456789")
    number = name[len(stem) :]
    if not stem or not number or (len(number) > 1 and number[0] == "0"):
        return ""
    for rule in rules:
        match = _LISTED.fullmatch(rule)
        if match and match[1] == stem and int(match[2]) <= int(number) <= int(match[3]):
            return rule
    return ""


def _match(template: list[str], parts: list[str]) -> dict[str, str] | None:
    if template[-1] == "{volume}" and len(parts) > len(template):
        # A volume id holds slashes; it is the whole rest of the path.
        parts = [*parts[: len(template) - 1], "/".join(parts[len(template) - 1 :])]
    if len(template) != len(parts):
        return None
    values = {}
    for wanted, part in zip(template, parts, strict=True):
        if wanted.startswith("{"):
            values[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return values
