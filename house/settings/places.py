"""Paths and references of a settings file, made absolute from where it lies; and the files that it names. Asks nobody."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from house.files.authority import ca_amiss
from house.files.problems import Problem, Steps, dotted
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document
from house.settings.references import SecretRef
from house.settings.values import FILL_IN, path_of


class Places:
    """Paths and references of the settings file, made absolute from where it lies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, text: str) -> str:
        return str((self._folder / Path(text).expanduser()).resolve())

    def secret(self, reference: SecretRef) -> SecretRef:
        return SecretRef(tuple(self._source(source) for source in reference.sources))

    def _source(self, source: str) -> str:
        kind, _, rest = source.partition(":")
        if kind == "file":
            return f"file:{self.path(rest)}"
        if kind == "sops":
            file, _, key = rest.partition("#")
            return f"sops:{self.path(file)}#{key}"
        return source


def ca_problems(document: Document, places: Places) -> list[Problem]:
    """Each `ca_file` of a settings file that is none, whatever else is unfinished in it."""
    whole = mapping(document.value)
    named: list[tuple[Steps, object]] = [
        (("proxmox", "endpoints", index, "ca_file"), mapping(endpoint).get("ca_file"))
        for index, endpoint in enumerate(sequence(mapping(whole.get("proxmox")).get("endpoints")))
    ]
    named.append((("image", "ca_file"), mapping(whole.get("image")).get("ca_file")))
    named += [(("nas", name, "ca_file"), mapping(one).get("ca_file")) for name, one in mapping(whole.get("nas")).items()]
    registries = mapping(mapping(whole.get("rehearsal")).get("registries"))
    named += [(("rehearsal", "registries", host, "ca_file"), mapping(one).get("ca_file")) for host, one in registries.items()]
    return [
        Problem(document.name, document.line(where), dotted(where), *wrong)
        for where, ca_file in named
        if isinstance(ca_file, str) and FILL_IN not in ca_file and (wrong := _amiss(places, ca_file)) is not None
    ]


def _amiss(places: Places, ca_file: str) -> tuple[str, str] | None:
    """None of what is no path at all, too: that is told where the settings are read."""
    with suppress(ValueError):
        return ca_amiss(Path(places.path(path_of(ca_file))))
    return None
