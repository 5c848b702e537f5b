"""What a release of a helmfile inherits: keys of `templates`, its own or those of `bases`, and the expressions that stand there.

Of expressions it knows the release's own name, namespace and labels, and a value out of a YAML file of the repository, as in
`(fromYaml (readFile (printf "../%s/x.yaml" .Release.Name))).spec.url`, also by way of a template that holds such ones. Any other
stays as it is written. Runs no program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.files.content import content_of
from house.files import yamlfile
from house.files.paths import is_file
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document, YamlInvalid
from house.repository.tree import real

_EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_WORD = r"(?:\.Release\.(?:Labels\.)?\w+|\$\w+)"
_FILE = rf"\(\s*readFile\s*(?:\(\s*printf\s+\"(?P<form>[^\"]*)\"(?P<words>(?:\s+{_WORD})+)\s*\)|\"(?P<name>[^\"]*)\")\s*\)"
_KEYS = r"(?P<keys>(?:\.\w+)+)"
_OUT_OF_FILE = re.compile(rf"\(\s*fromYaml\s*{_FILE}\s*\){_KEYS}")
_OUT_OF_TEMPLATE = re.compile(rf"\(\s*fromYaml\s*\(\s*tpl\s*{_FILE}\s*\.\s*\)\s*\){_KEYS}")
_SET = re.compile(rf"\{{\{{-?\s*\$(?P<variable>\w+)\s*:=\s*fromYaml\s*{_FILE}\s*-?\}}\}}\n?")
_OF_VARIABLE = re.compile(rf"\$(?P<variable>\w+){_KEYS}")
_SET_WORD = re.compile(
    rf"\{{\{{-?\s*\$(?P<variable>\w+)\s*:=\s*(?:index\s+\.Release\.Labels\s+\"(?P<label>[^\"]+)\"|(?P<word>{_WORD}))"
    rf"(?:\s*\|\s*default\s+(?:\"(?P<text>[^\"]*)\"|(?P<else>{_WORD})))?\s*-?\}}\}}\n?"
)
_WORDS = re.compile(_WORD)
_LABELS = ".Release.Labels."
_OWN = {".Release.Name": "name", ".Release.Namespace": "namespace"}


@dataclass(frozen=True)
class _Asking:
    """The release that asks for a value, and the folders that a file may be seen from, the likeliest first."""

    release: Mapping[str, Any]
    folders: tuple[Path, ...]
    variables: Mapping[str, str] = field(default_factory=dict)

    def word(self, text: str) -> str | None:
        """What a word comes to: `.Release.Name`, `.Release.Namespace`, `.Release.Labels.KEY` or a variable of the template."""
        if text.startswith("$"):
            return self.variables.get(text[1:])
        if text.startswith(_LABELS):
            return self.label(text.removeprefix(_LABELS))
        return str(self.release.get(_OWN.get(text, "")) or "") or None

    def label(self, key: str) -> str | None:
        """A label that the release gives itself."""
        return str(mapping(self.release.get("labels")).get(key) or "") or None


class Inherits:
    """The templates of one helmfile, by name, and which a release takes that names none."""

    def __init__(self, documents: tuple[Document, ...], file: Path, root: Path) -> None:
        self._folder, self._root = file.parent, root.resolve()
        self._templates: dict[str, tuple[Path, Mapping[str, Any]]] = {}
        self._usual: list[str] = []
        for folder, body in self._bodies(documents):
            found = mapping(body.get("templates"))
            self._templates |= {str(name): (folder, mapping(one)) for name, one in found.items()}
            self._usual = _names(body.get("defaultInherit")) or self._usual

    def _bodies(self, documents: tuple[Document, ...]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Those of `bases`, then the file's own."""
        for document in documents:
            for base in sequence(mapping(document.value).get("bases")):
                if (path := self._inside(self._folder / str(base))) is not None:
                    try:
                        yield from ((path.parent, mapping(one.value)) for one in yamlfile.load(path))
                    except YamlInvalid:
                        continue  # helmfile itself says so
        yield from ((self._folder, mapping(document.value)) for document in documents)

    def text(self, release: Mapping[str, Any], key: str, own: str) -> str:
        """A key of a release, `own` where it is written at the release itself, with what expressions come to."""
        text, folders = own, [self._folder]
        for name in [] if key in release else _names(release.get("inherit")) or self._usual:
            folder, template = self._templates.get(name, (self._folder, {}))
            if template.get(key) is not None:
                text, folders = str(template[key]), [self._folder, folder]
        asking = _Asking(release, tuple(folders))
        return _EXPRESSION.sub(lambda found: self._value(asking, found), text) if "{{" in text else text

    def _value(self, asking: _Asking, found: re.Match[str]) -> str:
        value: str | None = None
        if _WORDS.fullmatch(found[1]) is not None:
            value = asking.word(found[1])
        elif (reads := _OUT_OF_FILE.fullmatch(found[1])) is not None:
            value = _scalar(self._read(asking, reads), reads["keys"])
        elif (reads := _OUT_OF_TEMPLATE.fullmatch(found[1])) is not None:
            value = _scalar(self._rendered(asking, self._file(asking, reads)), reads["keys"])
        return found[0] if value is None else value

    def _rendered(self, asking: _Asking, file: Path | None) -> Any:
        """A template as YAML: variables that are files, and their values; None for one that does more."""
        try:
            text = content_of(file).decode() if file is not None else ""
        except (OSError, UnicodeDecodeError):
            return None
        folders = tuple(dict.fromkeys((*asking.folders, *((file.parent,) if file is not None else ()))))
        here = _Asking(asking.release, folders, _words_set(asking, text))
        variables = {found["variable"]: self._read(here, found) for found in _SET.finditer(text)}

        def one(found: re.Match[str]) -> str:
            of = _OF_VARIABLE.fullmatch(found[1])
            value = _scalar(variables.get(of["variable"]), of["keys"]) if of is not None else None
            return self._value(here, found) if value is None else value

        made = _EXPRESSION.sub(one, _SET_WORD.sub("", _SET.sub("", text)))
        return _parsed(made) if "{{" not in made else None

    def _read(self, asking: _Asking, found: re.Match[str]) -> Any:
        file = self._file(asking, found)
        try:
            return _parsed(content_of(file).decode()) if file is not None else None
        except (OSError, UnicodeDecodeError):
            return None

    def _file(self, asking: _Asking, found: re.Match[str]) -> Path | None:
        words = [word for text in _WORDS.findall(found["words"] or "") if (word := asking.word(text)) is not None]
        form = found["form"] if found["form"] is not None else found["name"]
        if form.count("%") != len(words) or form.count("%s") != len(words):
            return None
        name = form % tuple(words) if words else form
        return next(filter(None, (self._inside(folder / name) for folder in asking.folders)), None)

    def _inside(self, path: Path) -> Path | None:
        """A file of the repository, wherever its links lead to; None for any other."""
        there = real(path)
        return there if there is not None and there.is_relative_to(self._root) and is_file(there) else None


def _words_set(asking: _Asking, text: str) -> dict[str, str]:
    """The variables of a template that are words, as in `$app := index .Release.Labels "app" | default .Release.Name`."""
    known: dict[str, str] = {}
    for found in _SET_WORD.finditer(text):
        here = _Asking(asking.release, asking.folders, known)
        value = here.label(found["label"]) if found["label"] else here.word(found["word"])
        other = found["text"] if found["else"] is None else here.word(found["else"])
        if (value or other) is not None:
            known[found["variable"]] = value or other or ""
    return known


def _parsed(text: str) -> Any:
    try:
        return yamlfile.value(text)
    except YamlInvalid:
        return None


def _scalar(value: Any, keys: str) -> str | None:
    """The text at `.a.b` of a value; None where there is none."""
    for key in keys.strip(".").split("."):
        value = mapping(value).get(key)
    return None if value is None or isinstance(value, dict | list) else str(value)


def _names(value: Any) -> list[str]:
    """`default`, `[default]` and `[{template: default}]` all name one."""
    found = (item.get("template") if isinstance(item, dict) else item for item in (value if isinstance(value, list) else [value]))
    return [str(name) for name in found if name]
