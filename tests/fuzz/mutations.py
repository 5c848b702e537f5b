"""Structure mutations of good files, and odd values: what hypothesis makes inputs of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Steps = tuple[str | int, ...]
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 1e308, "", " ", ".", "..", "/", "-x", "--upload-pack=x", "$(x)", "a b", "a*", "a[", "a?", "²", "٣",
    "9" * 5000,
    "\x00", "\x1b[2J", "ü", "\U0001f600", "x" * 5000, "${A}", "${A:=${A:=x}}", "${A:=" * 300, "${A//x/", "{{ x }}", "[]", "{}",
    "0.0.0.0",
    "255.255.255.255", "ff02::1", "::ffff:127.10.0.11", "127.10.0.11/33", "ff:ff:ff:ff:ff:ff", "https://[::1", "https://x:²", "https://x:0",
    "ssh://-o/x", "v1.99.0", "v1.²", "1e999", "../../x", "s3:", "{app}{app}", "*" * 60, "{a}" * 40, "@every 1.1.1h", "*/0 * * * *",
    [], {}, [[]], [None], {"": ""}, {"name": {}}, [{"name": None}], {"path": [".."]},
)  # fmt: skip
VALUES = st.sampled_from(ODD) | st.text(max_size=12) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def places(value: Any, path: Steps = ()) -> list[Steps]:
    """Every place in a value, its own excepted."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[Steps] = []
    for key, item in items:
        found += [(*path, key), *places(item, (*path, key))]
    return found


def changed(value: Any, where: Steps, how: str, odd: Any) -> Any:
    """A copy of `value` whose item at `where` is replaced, taken out, doubled, renamed or wrapped."""
    if not where:
        return odd
    head, rest = where[0], where[1:]
    if isinstance(value, list) and isinstance(head, int):
        if rest:
            return [changed(item, rest, how, odd) if at == head else item for at, item in enumerate(value)]
        made = {"replace": [odd], "remove": [], "double": [value[head]] * 2, "wrap": [[value[head]]], "rename": [str(odd)]}[how]
        return [*value[:head], *made, *value[head + 1 :]]
    if isinstance(value, dict):
        if rest:
            return {key: changed(item, rest, how, odd) if key == head else item for key, item in value.items()}
        if how == "rename":
            return {str(odd) if key == head else key: item for key, item in value.items()}
        made_of = {"replace": odd, "double": [value[head]] * 2, "wrap": {"x": value[head]}}
        return {key: made_of[how] if key == head else item for key, item in value.items() if key != head or how != "remove"}
    return odd


@st.composite
def mutated(draw: st.DrawFn, good: Any) -> Any:
    """A good value with one to three changes."""
    value = good
    for _ in range(draw(st.integers(1, 3))):
        found = places(value)
        if not found:
            return draw(VALUES)
        where = draw(st.sampled_from(found))
        value = changed(value, where, draw(st.sampled_from(("replace", "remove", "double", "wrap", "rename"))), draw(VALUES))
    return value
