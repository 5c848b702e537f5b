"""Which manifests, files and folders a script applies: by URL, also out of a list, and what of it cannot be followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from house.files.paths import is_file
from house.scripts.text import Line, Script

APPLIES = re.compile(r"\bkubectl\b[^|;&]*?\b(?:apply|create|replace)\b(?!\s+(?:secret|namespace|ns|configmap)\b)")
_URL = re.compile(r"https://(?:\{\{[^}]*\}\}|\$\{[^}]*\}|\$\(\w+\)|[^\s\"'`;)>|,\]\\<])+")
_MANIFEST = re.compile(r"\.(?:ya?ml|json)(?:\?\S*)?$")
_GIVEN = re.compile(r"(?:^|\s)(?:-f|--filename|-k|--kustomize)[= ]\s*(\"[^\"]*\"|'[^']*'|\S+)")
_FOLDER = re.compile(r"(?:\s(?:-k|--kustomize)[= ]\s*|\bkustomize\s+build\s+)(\"[^\"]*\"|'[^']*'|\S+)")
_INDIRECT = re.compile(r"[$\{]|^-$")
_LISTS = re.compile(r"[\w./-]+\.(?:txt|list|urls)\b")
_NO_MANIFEST = re.compile(r"\b(?:helm\s+repo|git\s+clone|shellcheck|schema)\b|\$schema|renovate:")
_CHARTS = re.compile(r"\bhelm\s+(?:template|show\s+crds)\b")


@dataclass(frozen=True)
class Manifest:
    """One manifest by URL that a script applies: as it reads when filled in, with marks where the script does not tell."""

    url: str
    place: str


def urls(script: Script, root: Path) -> Iterator[Manifest]:
    """Every manifest's URL that is applied: on the line of kubectl, or anywhere in a script that applies what a variable, a
    pipe or a list gives."""
    indirect = any(_is_indirect(line) for line in script.lines)
    for line in script.lines:
        applied = APPLIES.search(line.text) is not None
        if (applied or indirect) and not _NO_MANIFEST.search(line.text):
            for url in _urls_in(script, line.text):
                if applied or not _kept(line.text):
                    yield Manifest(url, f"{script.name}:{line.number}")
    if indirect:
        for name in sorted(set(_LISTS.findall(script.text))):
            yield from _listed(script, root, name)


def _listed(script: Script, root: Path, name: str) -> Iterator[Manifest]:
    """The URLs of a list that the script reads, where the repository has it."""
    file = next((path for folder in (script.file.parent, root) if is_file(path := folder / name.lstrip("/"))), None)
    if file is None:
        return
    for number, text in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not text.lstrip().startswith("#"):
            for url in _urls_in(script, text):
                yield Manifest(url, f"{file.relative_to(root)}:{number}")


def _urls_in(script: Script, text: str) -> Iterator[str]:
    # Quotes inside a word ("…/"${VERSION}"/…") are the shell's, and no part of it.
    for match in _URL.finditer(re.sub(r"(?<=\S)[\"'](?=\S)", "", text)):
        url = script.filled(match[0].strip("\"'"))
        if _MANIFEST.search(url):
            yield url


def _kept(text: str) -> bool:
    """Whether a line only puts a URL into a file: what is fetched to a disk is not yet applied."""
    return re.search(r"\bcurl\b.*\s-o\b|\bwget\b.*\s-O\s+(?!-)", text) is not None and "kubectl" not in text


def _is_indirect(line: Line) -> bool:
    """Whether kubectl applies what a variable, a pipe or another program's list gives."""
    applies = APPLIES.search(line.text)
    if applies is None:
        return False
    given = [match[1].strip("\"'") for match in _GIVEN.finditer(line.text, applies.start())]
    return any(_INDIRECT.search(each) for each in given) or "xargs" in line.text


def folders(script: Script) -> Iterator[tuple[str, int]]:
    """Every kustomize folder that is applied, as the script names it, and the line."""
    for line in script.lines:
        if APPLIES.search(line.text):
            for match in _FOLDER.finditer(line.text):
                yield script.filled(match[1].strip("\"'"), ""), line.number


def files(script: Script) -> Iterator[tuple[str, int]]:
    """Every local file or folder that is applied by its name, and the line."""
    for line in script.lines:
        if APPLIES.search(line.text):
            for match in _GIVEN.finditer(line.text):
                named = script.filled(match[1].strip("\"'"), "")
                if "-f" in match[0] and named not in ("-", "") and "://" not in named:
                    yield named, line.number


def charts(script: Script) -> Iterator[tuple[str, int]]:
    """Every chart whose rendered objects are applied, as the command that renders it, and the line."""
    piped = any(APPLIES.search(line.text) for line in script.lines)
    for line in script.lines:
        match = _CHARTS.search(line.text)
        if match and piped:
            yield line.text[match.start() :].split("|")[0].strip(), line.number
