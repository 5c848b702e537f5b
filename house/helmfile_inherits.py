"""What a release of a helmfile inherits: keys of `templates`, its own or those of `bases`, and the expressions that stand there.

Of expressions it knows the release's own name and namespace, and a value out of a YAML file of the repository, as in
`(fromYaml (readFile (printf "../%s/x.yaml" .Release.Name))).spec.url`. Any other stays as it is written. Runs no program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from house import yamlfile
from house.paths import is_file
from house.shapes import mapping, sequence
from house.tree import real
from house.yamlfile import Document, YamlInvalid

_EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_OUT_OF_FILE = re.compile(
    r"\(\s*fromYaml\s*\(\s*readFile\s*(?:\(\s*printf\s+\"([^\"]*)\"((?:\s+\.Release\.\w+)+)\s*\)|\"([^\"]*)\")\s*\)\s*\)((?:\.\w+)+)"
)
_NAMED = re.compile(r"\.Release\.(Namespace|Name)\b")


class Inherits:
    """The templates of one helmfile, by name, and which a release takes that names none."""

    def __init__(self, documents: tuple[Document, ...], file: Path, root: Path) -> None:
        self._folder, self._root = file.parent, root.resolve()
        self._templates: dict[str, Mapping[str, Any]] = {}
        self._usual: list[str] = []
        for body in self._bodies(documents):
            self._templates |= {str(name): mapping(one) for name, one in mapping(body.get("templates")).items()}
            self._usual = _names(body.get("defaultInherit")) or self._usual

    def _bodies(self, documents: tuple[Document, ...]) -> Iterator[Mapping[str, Any]]:
        """Those of `bases`, then the file's own."""
        for document in documents:
            for base in sequence(mapping(document.value).get("bases")):
                path = real(self._folder / str(base))
                if path is not None and path.is_relative_to(self._root) and is_file(path):
                    try:
                        yield from (mapping(one.value) for one in yamlfile.load(path))
                    except YamlInvalid:
                        continue  # helmfile itself says so
        yield from (mapping(document.value) for document in documents)

    def text(self, release: Mapping[str, Any], key: str, own: str) -> str:
        """A key of a release, `own` where it is written at the release itself, with what expressions come to."""
        text = own
        for name in [] if key in release else _names(release.get("inherit")) or self._usual:
            inherited = self._templates.get(name, {}).get(key)
            text = text if inherited is None else str(inherited)
        return _EXPRESSION.sub(lambda found: self._value(release, found), text) if "{{" in text else text

    def _value(self, release: Mapping[str, Any], found: re.Match[str]) -> str:
        known = {"Name": str(release.get("name") or ""), "Namespace": str(release.get("namespace") or "")}
        if (named := _NAMED.fullmatch(found[1])) is not None:
            return known[named[1]] or found[0]
        reads = _OUT_OF_FILE.fullmatch(found[1])
        if reads is None:
            return found[0]
        words = [known[word] for word in _NAMED.findall(reads[2] or "")]
        form = reads[1] if reads[1] is not None else reads[3]
        if form.count("%") != len(words) or form.count("%s") != len(words):
            return found[0]
        value = self._out_of(form % tuple(words) if words else form, reads[4].strip(".").split("."))
        return found[0] if value is None else value

    def _out_of(self, name: str, keys: list[str]) -> str | None:
        path = real(self._folder / name)
        if path is None or not path.is_relative_to(self._root) or not is_file(path):
            return None
        try:
            documents = yamlfile.load(path)
        except YamlInvalid:
            return None
        value: Any = documents[0].value if documents else None
        for key in keys:
            value = mapping(value).get(key)
        return None if value is None or isinstance(value, dict | list) else str(value)


def _names(value: Any) -> list[str]:
    """`default`, `[default]` and `[{template: default}]` all name one."""
    found = (item.get("template") if isinstance(item, dict) else item for item in (value if isinstance(value, list) else [value]))
    return [str(name) for name in found if name]
