"""A document whose texts are substituted, and whose problems and notes are told where they stand. Knows no meaning of any key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.text.words import number
from house.files.problems import Problem, Steps, dotted
from house.files.yamlfile import Document
from house.flux.substitution import substitute

_NULL = frozenset({"~", "null", "Null", "NULL"})


class Placed:
    """One document with the variables that its texts may name; collects what is wrong (`problems`) and what is odd (`notes`).

    `closed` is the file of further variables that is encrypted, and not read; "" for none.
    """

    def __init__(self, document: Document, variables: Mapping[str, str], closed: str = "") -> None:
        self.document = document
        self.variables = variables
        self._closed = closed
        self._lacking: dict[str, tuple[int, set[Steps]]] = {}
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []

    def wrong(self, where: Steps, what: str, better: str) -> None:
        """Remember a problem at this place."""
        self.problems.append(Problem(self.document.name, self.document.line(where), dotted(where), what, better))

    def odd(self, where: Steps, what: str, better: str) -> None:
        """Remember what may be right, and is worth a look."""
        self.notes.append(Problem(self.document.name, self.document.line(where), dotted(where), what, better))

    def text(self, where: Steps, better: str = "") -> str:
        """The scalar at `where` as written, substituted; a problem when it is absent and `better` says what belongs there."""
        written = self.document.text(where)
        done = substitute("" if written in _NULL and self._is_null(where) else written, self.variables)
        for name in done.missing:
            self._lacks(where, name)
        for expression in done.bad:
            self.wrong(where, f"{expression!r} is no variable", "write ${NAME}")
        if not done.text and better:
            self.wrong(where, "is missing", better)
        return "" if done.missing or done.bad else done.text

    def _is_null(self, where: Steps) -> bool:
        """Whether nothing is what was written there, and no text in quotes that looks like it."""
        value: Any = self.document.value
        for step in where:
            inside = isinstance(value, dict) or (isinstance(value, list) and isinstance(step, int) and step < len(value))
            value = (value.get(step) if isinstance(value, dict) else value[step]) if inside else ""
        return value is None

    def _lacks(self, where: Steps, name: str) -> None:
        """A variable without a value is one problem, wherever else it stands."""
        if self._closed:
            what = f"${{{name}}} is seen nowhere, and {self._closed} is encrypted"
            plain = "write it in talenv.yaml where it is no secret"
            right = plain if ".sops." in self._closed else "leave it in plain text there: a version or an address is no secret"
        else:
            what, right = f"${{{name}}} has no value", "give it one in talenv.yaml"
        if name not in self._lacking:
            self._lacking[name] = (len(self.problems), {where})
            self.wrong(where, what, right)
            return
        at, places = self._lacking[name]
        places.add(where)
        if others := len(places) - 1:
            self.problems[at] = replace(self.problems[at], what=f"{what}, here and in {number(others, 'place')} more")
