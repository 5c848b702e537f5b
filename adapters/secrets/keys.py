"""Keys inside a decrypted file: `users[0].key` as steps, what lies there, and which keys a misspelt one may mean.

Tells names of keys, which sops leaves open as well, and never a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Any

from house.files.grammar import number_of
from house.files.problems import dotted

MOST_SEEN = 2000
"""So many keys of a file are looked through at most."""
MOST_TOLD = 4


def steps_of(key: str) -> tuple[str, ...]:
    """`users[0].key` as steps: users, 0, key."""
    return tuple(step for step in key.replace("[", ".").replace("]", "").split(".") if step)


def find(node: Any, steps: tuple[str, ...]) -> Any:
    """The value at these steps, None when there is none; a key that holds dots itself (`tls.crt`) is found too."""
    if not steps:
        return node
    if isinstance(node, list):
        index = number_of(steps[0], len(node) - 1)
        return find(node[index], steps[1:]) if index is not None else None
    if not isinstance(node, dict):
        return None
    for length in range(len(steps), 0, -1):
        name = ".".join(steps[:length])
        if name in node:
            found = find(node[name], steps[length:])
            if found is not None:
                return found
    return None


def near(document: Any, steps: tuple[str, ...]) -> str:
    """Which keys that hold text are meant by steps that lead to none, as they are written behind the #; "" for no key at all.

    Those below the steps, else those of the same last name, else those that are spelt alike, else the first of all.
    """
    known = list(islice(_keys(document, ""), MOST_SEEN))
    asked = ".".join(steps)
    below = [key for key in known if key.startswith((f"{asked}.", f"{asked}["))]
    named = [key for key in known if steps and (key == steps[-1] or key.endswith(f".{steps[-1]}"))]
    alike = get_close_matches(asked, known, MOST_TOLD, 0.6)
    found = below or named or alike or known
    more = f" and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    return f"there are: {', '.join(dotted((key,)) for key in found[:MOST_TOLD])}{more}" if found else ""


def _keys(node: Any, above: str) -> Iterator[str]:
    """Every key that holds text or a number, as a reference names it."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _keys(value, f"{above}.{name}" if above else str(name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _keys(value, f"{above}[{index}]")
    elif isinstance(node, (str, int, float)) and not isinstance(node, bool):
        yield above
