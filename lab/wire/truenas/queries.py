"""The query language of the API: filters and options over a list of rows. Knows no method."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


class BadQuery(Exception):
    """A filter or an option that is none."""


class NoMatch(Exception):
    """`get` of nothing."""


def _contains(one: Any, other: Any) -> bool:
    return other in one if isinstance(one, (str, list)) else False


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
    "~": lambda one, other: re.match(str(other), str(one)) is not None,
    "in": lambda one, other: one in other, "nin": lambda one, other: one not in other,
    "rin": _contains, "rnin": lambda one, other: not _contains(one, other),
    "^": lambda one, other: str(one).startswith(str(other)), "!^": lambda one, other: not str(one).startswith(str(other)),
    "$": lambda one, other: str(one).endswith(str(other)), "!$": lambda one, other: not str(one).endswith(str(other)),
}  # fmt: skip


def answered(rows: list[Row], filters: Any, options: Any) -> Any:
    """The rows that fit, as the options want them: a list, a number (`count`) or one object (`get`)."""
    if not isinstance(filters, list) or not isinstance(options, dict):
        raise BadQuery("filters are a list, options an object")
    for one in filters:
        _check(one)
    found = [row for row in rows if all(_fits(row, one) for one in filters)]
    for key in reversed(options.get("order_by") or []):
        name = key.lstrip("-")
        found.sort(key=lambda row, name=name: str(value_of(row, name)), reverse=key.startswith("-"))  # type: ignore[misc]  # bound
    if options.get("count"):
        return len(found)
    offset, limit = options.get("offset") or 0, options.get("limit") or None
    found = found[offset : offset + limit if limit else None]
    select = options.get("select")
    if select:
        # A name, or a name and what it is to be called.
        named = [(each, each) if isinstance(each, str) else tuple(each) for each in select]
        found = [{called: value_of(row, name) for name, called in named} for row in found]
    if options.get("get"):
        if not found:
            raise NoMatch
        return found[0]
    return found


def value_of(row: Row, name: str) -> Any:
    """`a.b` of a row; None where there is none."""
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _branches(one: Any) -> list[list[Any]] | None:
    """The branches of an `OR`, each a list of filters; None for what is none."""
    if not isinstance(one, list) or len(one) != 2 or one[0] != "OR" or not isinstance(one[1], list):
        return None
    if not all(isinstance(each, list) for each in one[1]):
        return None
    return [each if each and isinstance(each[0], list) else [each] for each in one[1]]


def _check(one: Any) -> None:
    """Raise BadQuery for what is no filter, rows or none."""
    branches = _branches(one)
    for each in (filter_ for branch in branches or () for filter_ in branch):
        _check(each)
    if branches is None and not (isinstance(one, list) and len(one) == 3 and isinstance(one[1], str) and one[1] in _OPERATORS):
        raise BadQuery(f"Invalid filter {one!r}")


def _fits(row: Row, one: Any) -> bool:
    branches = _branches(one)
    if branches is not None:
        return any(all(_fits(row, each) for each in branch) for branch in branches)
    try:
        return bool(_OPERATORS[one[1]](value_of(row, str(one[0])), one[2]))
    except (TypeError, re.error):
        return False
