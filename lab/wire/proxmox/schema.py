"""Checks parameters as PVE's own schema does, from a small table of our own (schema.json). Knows no call's meaning.

Texts are those of PVE::JSONSchema. A rule reads
`TYPE[!] [default] [MIN..MAX] [max=N] [in=A|B] [needs=OTHER] [like=REGEX] [as=FORMAT] [unmodelled]`,
where `!` means required, and what is unmodelled is refused once everything else about the call is right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from lab.world.pve_access import NotModelled, Refusal

Value = str | int
_UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
_MISSING = "property is missing and it is not optional"
_WORDS = {"1": 1, "on": 1, "yes": 1, "true": 1, "0": 0, "off": 0, "no": 0, "false": 0}
_PATH_RULES = {
    "vmid": "integer! 100..999999999",
    "node": "string!",
    "storage": "string!",
    "upid": "string!",
    "volume": "string!",
}


class _Bad(Exception):
    """Why one value is refused."""


@dataclass(frozen=True)
class Rule:
    """What one parameter must be."""

    kind: str
    required: bool = False
    default: bool = False
    minimum: int | None = None
    maximum: int | None = None
    longest: int | None = None
    choices: tuple[str, ...] = ()
    needs: str = ""
    like: str = ""
    format: str = ""
    modelled: bool = True

    @classmethod
    def read(cls, text: str) -> Rule:
        """A rule out of its text; ValueError for a word that is none."""
        head, *words = text.split(" ")
        values: dict[str, object] = {"kind": head.rstrip("!"), "required": head.endswith("!")}
        for word in words:
            key, equals, rest = word.partition("=")
            if word == "default":
                values["default"] = True
            elif word == "unmodelled":
                values["modelled"] = False
            elif not equals and ".." in word:
                low, _, high = word.partition("..")
                values |= {"minimum": int(low), "maximum": int(high) if high else None}
            elif key == "max":
                values["longest"] = int(rest)
            elif key == "in":
                values["choices"] = tuple(rest.split("|"))
            elif key in ("needs", "like"):
                values[key] = rest
            elif key == "as":
                values["format"] = rest
            else:
                raise ValueError(f"unknown word {word!r} in rule {text!r}")
        return cls(**values)  # type: ignore[arg-type]  # the branches above give every field its own type

    def value(self, given: str, *, words: bool = False) -> Value:
        """The value, checked; `words`: booleans may be words, as inside a property string. Raises _Bad."""
        if self.kind == "boolean":
            if given not in (_WORDS if words else ("0", "1")):
                raise _Bad(f"type check ('boolean') failed - got '{given}'")
            return _WORDS[given]
        if self.kind in ("integer", "number"):
            return self._number(given)
        if self.choices and given not in self.choices:
            raise _Bad(f"value '{given}' does not have a value in the enumeration '{', '.join(self.choices)}'")
        if self.longest is not None and len(given) > self.longest:
            raise _Bad(f"value may only be {self.longest} characters long")
        if self.like and not re.fullmatch(self.like, given):
            raise _Bad("value does not match the regex pattern")
        return given

    def _number(self, given: str) -> Value:
        if not re.fullmatch(r"-?\d+" if self.kind == "integer" else r"-?\d+(\.\d+)?", given):
            raise _Bad(f"type check ('{self.kind}') failed - got '{given}'")
        if self.minimum is not None and float(given) < self.minimum:
            raise _Bad(f"value must have a minimum value of {self.minimum}")
        if self.maximum is not None and float(given) > self.maximum:
            raise _Bad(f"value must have a maximum value of {self.maximum}")
        return int(given) if self.kind == "integer" else given


class Schema:
    """All calls that are served, with their parameters."""

    def __init__(self) -> None:
        data = json.loads((Path(__file__).parent / "schema.json").read_text())
        self.formats: dict[str, dict[str, Rule]] = {
            name: {key: Rule.read(text) for key, text in rules.items()} for name, rules in data["formats"].items()
        }
        groups: dict[str, dict[str, str]] = data["groups"]
        self.calls: dict[str, dict[str, Rule]] = {}
        for call, texts in data["calls"].items():
            own = {name: text for name, text in texts.items() if name != "group"}
            group = groups[texts["group"]] if "group" in texts else {}
            in_path = {name: _PATH_RULES[name] for name in re.findall(r"\{(\w+)\}", call)}
            self.calls[call] = {name: Rule.read(text) for name, text in (group | own | in_path).items()}

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """The call that a method and a path (below /api2/json, still encoded) mean, with the values in the path."""
        parts = [unquote(part) for part in path.split("/") if part]
        for call in self.calls:
            verb, _, template = call.partition(" ")
            if verb == method:
                values = _match(template.strip("/").split("/"), parts)
                if values is not None:
                    return call, values
        return None

    def check(self, call: str, given: Mapping[str, str | list[str]]) -> dict[str, Value]:
        """The call's parameters with their types; a Refusal with one text per parameter that is not right."""
        rules, errors, checked = self.calls[call], {}, {}
        for name, value in given.items():
            rule = rules.get(name) or rules.get(_indexed(name, rules))
            try:
                if rule is None:
                    raise _Bad(_UNKNOWN)
                if isinstance(value, list):
                    raise _Bad(f"type check ('{rule.kind}') failed - got ARRAY")
                if rule.needs and rule.needs not in given:
                    raise _Bad(f"missing property required by '{name}'")
                if rule.format:
                    self.properties(rule.format, value)
                checked[name] = rule.value(value)
            except _Bad as bad:
                errors[rule.needs if rule and str(bad).startswith("missing property required") else name] = str(bad)
        errors |= {name: _MISSING for name, rule in rules.items() if rule.required and name not in given}
        if errors:
            raise Refusal(400, "Parameter verification failed.", errors)
        for name in checked:
            if not rules[name if name in rules else _indexed(name, rules)].modelled:
                raise NotModelled(f"the parameter {name} of {call}")
        return checked

    def properties(self, name: str, value: str) -> dict[str, str]:
        """A property string of this format, booleans as 1 and 0; raises _Bad as PVE words it."""
        rules = self.formats[name]
        default = next((key for key, rule in rules.items() if rule.default), "")
        found: dict[str, str] = {}
        problems: list[str] = []
        for part in value.split(","):
            key, equals, rest = part.partition("=")
            if not equals:
                key, rest = default, key
            elif name == "net" and key in rules["model"].choices:
                # `virtio=MAC` names the model and the address at once.
                found["model"], key = key, "macaddr"
            if key not in rules or key in found:
                problems.append(
                    f"{key}: {_UNKNOWN if key not in rules else 'duplicate key in comma-separated list property'}"
                )
                continue
            try:
                found[key] = str(rules[key].value(rest, words=True))
            except _Bad as bad:
                problems.append(f"{key}: {bad}")
        problems += [f"{key}: {_MISSING}" for key, rule in rules.items() if rule.required and key not in found]
        if problems:
            raise _Bad("invalid format - format error\n" + "\n".join(problems) + "\n")
        return found


def _indexed(name: str, rules: Mapping[str, Rule]) -> str:
    """The rule's name `scsi[0-30]` for a parameter `scsi7`, "" when there is none."""
    stem = name.rstrip("0123456789")
    number = name[len(stem) :]
    for rule in rules:
        match = re.fullmatch(r"(\w+)\[(\d+)-(\d+)\]", rule)
        if match and match[1] == stem and number.isdigit() and int(match[2]) <= int(number) <= int(match[3]):
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
