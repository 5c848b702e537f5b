"""Which Secrets a script makes: by kubectl, out of a here-document, of encrypted manifests, or of a template for 1Password.

A value that a script holds is never kept: what is no reference becomes a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from house.files import yamlfile
from house.files.paths import is_file
from house.files.shapes import mapping
from house.files.yamlfile import YamlInvalid
from house.scripts.definitions import APPLIES
from house.scripts.text import Line, Script
from house.settings.values import FILL_IN

_CREATE = re.compile(r"\bkubectl\b([^|;&]*?)\bcreate\s+secret\s+(generic|tls|docker-registry)\s+(.*)")
_NAMESPACE = re.compile(r"(?:^|\s)(?:-n|--namespace)[= ]\s*[\"']?([\w.${}-]+)")
_FROM = re.compile(r"--from-(literal|file)[= ]\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?:\$\([^)]*\)|[^\s\"'|]|\"[^\"]*\"|'[^']*')+)")
_READ = re.compile(r"op\s+read\s+[\"']?(op://[^\"')]+?)[\"']?\s*\)?$")
_ENVIRONMENT = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)\}?")
_TEMPLATE = re.compile(r"\{\{\s*(op://[^}]+?)\s*\}\}|^(op://\S.*)$")
_ENCRYPTED = re.compile(r"[\w./${}-]*[\w-]\.sops\.ya?ml\b")
_INJECTED = re.compile(r"[\w./${}-]*[\w-]\.(?:ya?ml|tpl|tmpl)(?:\.(?:j2|tpl|tmpl))?\b")
# A template, or a command, that stands for a whole value: YAML takes its braces for a mapping.
_BARE = re.compile(r":[ \t]+(\{\{.*?\}\}|\$\([^)]*\))[ \t]*$", re.MULTILINE)
_JINJA = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)


@dataclass(frozen=True)
class Made:
    """One Secret that a script makes, with a reference or a mark for each key; `file` instead names an encrypted manifest,
    as the repository has it."""

    name: str
    namespace: str
    keys: tuple[tuple[str, str], ...]
    place: str
    file: str = ""


def secrets(script: Script, root: Path) -> Iterator[Made]:
    """Every Secret that this script makes, in the order of its lines."""
    for line in script.lines:
        yield from _created(script, line)
        if line.here and APPLIES.search(line.text):
            yield from _manifests(script, line.here, _namespace(script, line.text), line.number)
    if APPLIES.search(script.text.replace("\\\n", " ")):
        named = (_namespace(script, line.text) for line in script.lines if APPLIES.search(line.text))
        within = next(filter(None, named), "")
        if re.search(r"\bsops\b", script.text):
            yield from _encrypted(script, root, within)
        if re.search(r"\bop\s+inject\b", script.text):
            yield from _injected(script, root, within)


def _namespace(script: Script, text: str) -> str:
    match = _NAMESPACE.search(text)
    return script.filled(match[1], "") if match else ""


def _created(script: Script, line: Line) -> Iterator[Made]:
    match = _CREATE.search(line.text)
    if match is None:
        return
    words = match[3].split()
    name = script.filled(next((word for word in words if not word.startswith("-")), "").strip("\"'"))
    keys = [_key(each) for each in _FROM.finditer(match[3])]
    if match[2] == "generic":
        told = tuple((script.filled(key), value) for key, value in keys if key)
        yield Made(name, _namespace(script, line.text) or FILL_IN, told or ((FILL_IN, FILL_IN),), f"{script.name}:{line.number}")


def _key(match: re.Match[str]) -> tuple[str, str]:
    """(key, reference or mark) of one --from-literal or --from-file."""
    given = match[2].strip("\"'")
    key, equals, value = given.partition("=")
    if not equals:  # --from-file=path: the file's name is the key
        key, value = Path(given).name, given
    value = value.strip("\"'")
    if match[1] == "file":
        known = value and not re.search(r"[$<{]|^/dev/|^-$", value)
        return key, f"file:{value}" if known else FILL_IN
    return key, _reference(value)


def _reference(value: str) -> str:
    """Where a value comes from, as a reference; a mark where that is not plain."""
    read = _READ.search(value)
    if read:
        return read[1]
    named = _ENVIRONMENT.fullmatch(value)
    if named:
        return f"env:{named[1]}"
    template = _TEMPLATE.fullmatch(value)
    return (template[1] or template[2]) if template else FILL_IN


def _manifests(script: Script, text: str, within: str, number: int) -> Iterator[Made]:
    """The Secrets of a here-document or template."""
    try:
        documents = yamlfile.parse(_JINJA.sub("", _BARE.sub(r": '\1'", text)), script.name)
    except YamlInvalid:
        return
    for document in documents:
        body: dict[str, Any] = mapping(document.value)
        if body.get("kind") != "Secret":
            continue
        metadata = mapping(body.get("metadata"))
        values = {**mapping(body.get("data")), **mapping(body.get("stringData"))}
        keys = tuple((str(key), _reference(str(value).strip())) for key, value in values.items())
        name = script.filled(str(metadata.get("name") or FILL_IN))
        namespace = script.filled(str(metadata.get("namespace") or within or FILL_IN))
        yield Made(name, namespace, keys or ((FILL_IN, FILL_IN),), f"{script.name}:{number}")


def _encrypted(script: Script, root: Path, within: str) -> Iterator[Made]:
    """The encrypted manifests that the script names. Those of Talos are no manifests of Kubernetes."""
    for line in script.lines:
        for match in _ENCRYPTED.finditer(line.text):
            path = _in(root, script, match[0])
            if not path.startswith("talos/") and "talsecret" not in path and "talenv" not in path:
                yield Made("", within, (), f"{script.name}:{line.number}", path)


def _injected(script: Script, root: Path, within: str) -> Iterator[Made]:
    for line in script.lines:
        for match in _INJECTED.finditer(line.text):
            file = root / _in(root, script, match[0])
            if is_file(file) and "op://" in (text := file.read_text(encoding="utf-8", errors="replace")):
                yield from _manifests(script, text, within, line.number)


def _in(root: Path, script: Script, named: str) -> str:
    """A path of a script as the repository has it: what a variable gives before it is a folder of this repository or its root."""
    plain = script.filled(named, "").lstrip("/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    for start in range(len(parts)):
        for folder in (root, script.file.parent):
            path = folder.joinpath(*parts[start:])
            if is_file(path) and path.resolve().is_relative_to(root.resolve()):
                return str(path.resolve().relative_to(root.resolve()))
    return "/".join(parts)
