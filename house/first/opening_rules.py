"""What repositories have in common that movers see: one rule of `backups.open_as` for many claims. Opens nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from house.declared.openings import fits_all, pattern

_BETWEEN = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])"
_TEMPLATE = re.compile(r"\{\{.*?\}\}")


def rules(seen: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    """Patterns that fit all of them, few and none that another one makes useless. `seen` are what movers see, each with the names
    of its claim.

    A name becomes `{app}` wherever it stands by itself between separators; one that fits a single claim says it as it is seen,
    unless the name is the last part of it, as is usual.
    """
    ways = [(text, tuple(dict.fromkeys(_ways(text, names)))) for text, names in seen]
    fits = Counter(way for _, found in ways for way in found)
    patterns: dict[str, None] = {}
    for text, found in ways:
        best = max(found, key=lambda way: fits[way], default=text)
        last = next((way for way in found if way.endswith("/{app}")), text)
        patterns[best if fits.get(best, 0) > 1 else last] = None
    forms = {one: pattern(one) for one in patterns}
    for one in patterns:
        if any(fits_all(form, one) for other, form in forms.items() if other != one):
            del forms[one]
    return tuple(forms)


def _ways(text: str, names: tuple[str, ...]) -> Iterator[str]:
    """The text with a name of its claim as `{app}`, the last place first; what a template fills in holds no name."""
    whole = [found.span() for found in _TEMPLATE.finditer(text)]
    for name in filter(None, dict.fromkeys(names)):
        for found in reversed(list(re.finditer(_BETWEEN.format(re.escape(name)), text))):
            begin, end = found.span()
            beginning = text[:begin].strip()
            if beginning and not any(first <= begin < last for first, last in whole):
                yield f"{text[:begin]}{{app}}{text[end:]}"
