"""Flux's post-build substitution: `${VAR}`, defaults, nesting and the string functions. Knows no YAML and no file.

Follows github.com/fluxcd/pkg/envsubst: `:-`, `:=`, `=`, `:+` and `:?` all mean *default when empty*, and nothing is ever
assigned; `$$` is a literal `$`, so that `$${VAR}` is one of `${VAR}`; `$VAR` without braces is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import translate

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What Flux lets a variable be called."""
_NAME = re.compile(r"\w+")
_DOLLAR = re.compile(r"\$[${]")
_DEFAULTS = (":-", ":=", ":+", ":?", "=")
_OFFSET = re.compile(r"\s*[-+]?[0-9]{1,9}\s*")
_DEEPEST = 40
_LONGEST = 2**20
"""Characters that one expression may come to: replacements inside of replacements double."""
_LONGEST_TRIMMED = 10_000


@dataclass(frozen=True)
class Substituted:
    """The text after substitution. `missing` names variables that have neither value nor default: each is left as written."""

    text: str
    missing: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def substitute(text: str, variables: Mapping[str, str]) -> Substituted:
    """Substitute every `${…}` of a text. `bad` holds expressions that are none: they are left as written, too. Those of them that
    are `refused` Flux does not pass over: it applies nothing of the whole Kustomization."""
    if _DOLLAR.search(text) is None:
        return Substituted(text)
    work = _Work(text, variables)
    result = work.until_end()
    return Substituted(result, tuple(dict.fromkeys(work.missing)), tuple(work.bad), tuple(work.refused))


class _Bad(Exception):
    """An expression that is not one."""


class _Endless(Exception):
    """Expressions nested too deeply, or one that comes to too much: nothing behind it is substituted either."""


class _Missing(Exception):
    """An expression whose variable has neither value nor default."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Work:
    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self.text = text
        self.variables = variables
        self.missing: list[str] = []
        self.bad: list[str] = []
        self.refused: list[str] = []
        self._nameless = False
        self._at = 0
        self._depth = 0

    def until_end(self) -> str:
        out: list[str] = []
        while found := _DOLLAR.search(self.text, self._at):
            start = found.start()
            if found.group() == "$$":
                out.append(self.text[self._at : start + 1])
                self._at = start + 2
                continue
            out.append(self.text[self._at : start])
            self._at, self._nameless = start, False
            try:
                made = self._expression()
                if self._nameless:
                    made = self.text[start : self._at]
                    self.bad.append(made)
                out.append(made)
            except _Endless:
                self.bad.append(self.text[start : start + 40])
                self.refused.append(self.bad[-1])
                self._at = start
                break
            except _Bad:
                self.bad.append(self.text[start : start + 40])
                self.refused.append(self.bad[-1])
                out.append("${")
                self._at, self._depth = start + 2, 0
        out.append(self.text[self._at :])
        return "".join(out)

    def _expression(self) -> str:
        """One `${…}`, the cursor on its `$`; leaves the cursor behind its `}`."""
        start = self._at
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Endless
        try:
            made = self._inside()
        except _Missing as missing:
            self.missing.append(missing.name)
            made = self.text[start : self._at]
        self._depth -= 1
        if len(made) > _LONGEST:
            raise _Endless
        return made

    def _inside(self) -> str:
        self._at += 2
        length = self._take("#")
        name = self._name()
        if length:
            self._close()
            return str(len(self._value(name)))
        for operator in _DEFAULTS:
            if self._take(operator):
                return self._default(name)
        if self._take("}"):
            return self._value(name)
        return self._function(name)

    def _default(self, name: str) -> str:
        noted = len(self.missing)
        default = self._argument("}")
        self._close()
        value = self.variables.get(name, "")
        if value:
            del self.missing[noted:]  # the default was not needed, nor what it lacks
            return value
        return default

    def _function(self, name: str) -> str:
        for operator, act in _CASES:
            if self._take(operator):
                self._close()
                return act(self._value(name))
        for operator in ("//", "/#", "/%", "/"):
            if self._take(operator):
                pattern = self._one("/", escapes=True)
                self._expect("/")
                while self._take("/"):
                    pass
                by = self._one("}", escapes=True) if not self.text.startswith("}", self._at) else ""
                self._close()
                return _replace(self._value(name), operator, pattern, by)
        for operator in ("##", "#", "%%", "%"):
            if self._take(operator):
                pattern = self._one("}")
                self._close()
                return _trim(self._value(name), operator, pattern)
        self._expect(":")
        first = self._one(":}")
        second = self._one("}") if self._take(":") else None
        self._close()
        return _cut(self._value(name), first, second)

    def _value(self, name: str) -> str:
        """The variable's value; asked for only when the whole expression has been read."""
        value = self.variables.get(name)
        if value is None and VARIABLE.fullmatch(name) is None:
            self._nameless = True  # no variable can be called that: Flux fills it with nothing
            return ""
        if value is None:
            raise _Missing(name)
        return value

    def _argument(self, ends: str) -> str:
        """A default: any texts and expressions, one after the other."""
        out: list[str] = []
        while self._at < len(self.text) and self.text[self._at] not in ends:
            out.append(self._one(ends))
        return "".join(out)

    def _one(self, ends: str, *, escapes: bool = False) -> str:
        """One text or one expression; nothing at all is none."""
        if self.text.startswith("${", self._at):
            return self._expression()
        start, out = self._at, list[str]()
        while self._at < len(self.text) and self.text[self._at] not in ends and not self.text.startswith("${", self._at):
            if escapes and self.text.startswith(("\\\\", "\\/", "$$"), self._at):
                self._at += 1
            out.append(self.text[self._at])
            self._at += 1
        if self._at == start:
            raise _Bad
        return "".join(out)

    def _name(self) -> str:
        found = _NAME.match(self.text, self._at)
        if found is None:
            raise _Bad
        self._at = found.end()
        return found.group()

    def _take(self, token: str) -> bool:
        if self.text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise _Bad

    def _close(self) -> None:
        self._expect("}")


def _first(act: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: act(text[:1]) + text[1:]


_CASES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("^^", str.upper),
    ("^,", str),
    (",^", str),
    ("^", _first(str.upper)),
    (",,", str.lower),
    (",", _first(str.lower)),
)


def _replace(text: str, operator: str, pattern: str, by: str) -> str:
    if not pattern and operator in ("/", "//"):
        return text
    if operator == "//":
        if len(text) + text.count(pattern) * len(by) > _LONGEST:
            raise _Endless
        return text.replace(pattern, by)
    if operator == "/":
        return text.replace(pattern, by, 1)
    if operator == "/#":
        return by + text[len(pattern) :] if text.startswith(pattern) else text
    return text[: len(text) - len(pattern)] + by if text.endswith(pattern) else text


def _trim(text: str, operator: str, pattern: str) -> str:
    if len(text) > _LONGEST_TRIMMED or len(pattern) > _LONGEST_TRIMMED:
        raise _Endless
    form = re.compile(translate(pattern))
    lengths = range(1, len(text) + 1)
    for length in reversed(lengths) if len(operator) == 2 else lengths:
        if operator[0] == "#" and form.match(text[:length]):
            return text[length:]
        if operator[0] == "%" and form.match(text[len(text) - length :]):
            return text[: len(text) - length]
    return text


def _cut(text: str, first: str, second: str | None) -> str:
    if not all(_OFFSET.fullmatch(part) for part in (first, second or "0")):
        return text
    start = int(first)
    length = int(second) if second is not None else None
    start = max(0, len(text) + start) if start < 0 else start
    if length is None:
        return text[start:]
    if length < 0:
        return text[start : max(start, len(text) + length)]
    return text[start : start + length]
