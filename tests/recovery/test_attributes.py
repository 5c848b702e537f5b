"""What an entry is besides its content: every difference is found, and what was not compared is never implied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.volsync.results import FileEntry
from recovery.compared.attributes import Pairs, attributes

FILE = FileEntry("a", "file", 3, 0o644, 1000, 1000, mtime_ns=1_700_000_000_123_456_789, xattrs=())
LINK = FileEntry("l", "symlink", 0, 0o777, 1000, 1000, mtime_ns=1_700_000_000_000_000_000, target="a", xattrs=())
NODE = FileEntry("n", "chardev", 0, 0o600, 0, 0, mtime_ns=1_700_000_000_000_000_001, device=(1, 3), xattrs=())


def pairs(*both: tuple[FileEntry, FileEntry]) -> Pairs:
    return {wanted.path: (wanted, found) for wanted, found in both}


def differences(*both: tuple[FileEntry, FileEntry], owners_kept: bool = True, owners_known: bool = True) -> tuple[str, ...]:
    return attributes(pairs(*both), owners_known=owners_known, owners_kept=owners_kept)[0]


@pytest.mark.parametrize(
    ("entry", "change", "told"),
    [
        (FILE, {"mode": 0o600}, "mode (0644, came back as 0600): a"),
        (FILE, {"mode": 0o4644}, "mode (0644, came back as 4644): a"),
        (FILE, {"uid": 0}, "owner (1000:1000, came back as 0:1000): a"),
        (FILE, {"mtime_ns": 1_700_000_001_123_456_789}, "time (1700000000.123456789 s, came back as 1700000001.123456789 s): a"),
        (FILE, {"xattrs": (("user.k", b"v"),)}, "extended attributes: a"),
        (FILE, {"link": (1, 2)}, None),
        (LINK, {"target": "b"}, "symlink to another place: l"),
        (LINK, {"mode": 0o755}, None),
        (NODE, {"device": (1, 5)}, "device (1:3, came back as 1:5): n"),
    ],
)
def test_each_difference_is_named(entry: FileEntry, change: dict[str, Any], told: str | None) -> None:
    other = (replace(NODE, path="z"), replace(NODE, path="z"))
    assert differences((entry, replace(entry, **change)), other) == ((told,) if told else ())


def test_all_is_compared_where_all_is_known() -> None:
    _, told = attributes(pairs((FILE, FILE), (LINK, LINK), (NODE, NODE)), owners_known=True, owners_kept=True)
    assert told.compared == ("modes", "owners", "times", "symlinks", "extended attributes", "hard links", "device numbers")
    assert told.not_compared == told.remarks == ()


@pytest.mark.parametrize(
    ("unknown", "word"),
    [
        ({"mtime_ns": None}, "times"),
        ({"xattrs": None}, "extended attributes"),
        ({"target": None}, "symlinks"),
        ({"device": None}, "device numbers"),
    ],
)
def test_what_either_side_does_not_know_is_not_compared_and_that_is_said(unknown: dict[str, Any], word: str) -> None:
    for sides in (lambda e: (replace(e, **unknown), e), lambda e: (e, replace(e, **unknown))):
        found, told = attributes(pairs(sides(LINK), sides(NODE)), owners_known=True, owners_kept=True)
        assert found == ()
        assert told.not_compared == (word,) and word not in told.compared


def test_owners_that_a_mover_without_privileges_cannot_set_are_told_and_not_refuted() -> None:
    both = [(replace(FILE, path=name, uid=uid), replace(FILE, path=name, uid=568, gid=568)) for name, uid in (("a", 0), ("b", 70))]
    assert len(differences(*both)) == 2
    found, told = attributes(pairs(*both), owners_known=True, owners_kept=False)
    assert found == ()
    assert told.remarks == ("2 entries belong to 568 now, as a mover without privileges leaves them",)


def test_several_owners_are_not_what_a_mover_without_privileges_leaves() -> None:
    both = [(replace(FILE, path=name), replace(FILE, path=name, uid=uid)) for name, uid in (("a", 0), ("b", 70))]
    assert len(differences(*both, owners_kept=False)) == 2


def test_a_setuid_bit_that_went_with_its_owner_is_told_and_any_other_bit_is_not() -> None:
    wanted = replace(FILE, mode=0o4755, uid=0)
    for mode, refuted in ((0o0755, False), (0o0750, True)):
        found, told = attributes(pairs((wanted, replace(wanted, uid=568, mode=mode))), owners_known=True, owners_kept=False)
        assert bool(found) is refuted
        assert any("setuid or setgid is gone" in remark for remark in told.remarks) is not refuted
    own = replace(FILE, mode=0o4755)
    assert differences((own, replace(own, mode=0o755)), owners_kept=False)


@pytest.mark.parametrize(("step", "word"), [(10**9, "1000000000 ns"), (100, "100 ns")])
def test_times_in_coarser_steps_are_compared_in_those_and_that_is_said(step: int, word: str) -> None:
    other = replace(FILE, path="b", mtime_ns=1_600_000_000_987_654_321)
    both = [(e, replace(e, mtime_ns=(e.mtime_ns or 0) // step * step)) for e in (FILE, other)]
    found, told = attributes(pairs(*both), owners_known=True, owners_kept=True)
    assert found == () and told.remarks == (f"times are kept in steps of {word} there",)
    late = (both[0][0], replace(both[0][1], mtime_ns=(both[0][1].mtime_ns or 0) + 10**9))
    assert len(differences(late, both[1])) == 1


def test_attributes_that_no_mover_restores_are_told_and_those_it_restores_are_compared() -> None:
    wanted = replace(FILE, xattrs=(("security.capability", b"x"), ("user.k", b"v")))
    found, told = attributes(pairs((wanted, replace(FILE, xattrs=(("user.k", b"v"),)))), owners_known=True, owners_kept=True)
    assert found == ()
    assert told.remarks == ("attributes other than user.* of 1 entry are not restored by a mover",)
    assert differences((wanted, FILE)) == ("extended attributes: a",)
    assert differences((wanted, replace(FILE, xattrs=(("user.k", b"w"),)))) == ("extended attributes: a",)


def test_names_of_one_file_must_be_names_of_one_file_again() -> None:
    a, b, c = (replace(FILE, path=name) for name in "abc")
    linked = [replace(e, link=(1, 7)) for e in (a, b, c)]
    again = [replace(e, link=(9, 3)) for e in (a, b, c)]
    assert differences(*zip(linked, again, strict=True)) == ()
    broken = [again[0], again[1], c]
    assert [line.split(": ")[1] for line in differences(*zip(linked, broken, strict=True))] == ["a", "b", "c"]
    assert len(differences(*zip([a, b, c], again, strict=True))) == 3
    alone = replace(a, link=(1, 7))  # its other name was outside of what was saved
    assert differences((alone, a)) == ()


@pytest.mark.parametrize(("what", "wanted", "other", "kind", "told"), [
    ("times", {"mtime_ns": 5}, {"mtime_ns": 9}, "file", "time (0.000000005 s, came back as 0.000000009 s)"),
    ("extended attributes", {"xattrs": (("user.a", b"1"),)}, {"xattrs": (("user.a", b"2"),)}, "file", "extended attributes"),
    ("symlinks", {"target": "here"}, {"target": "there"}, "symlink", "symlink to another place"),
    ("device numbers", {"device": (1, 3)}, {"device": (1, 5)}, "chardev", "device (1:3, came back as 1:5)"),
])  # fmt: skip
def test_one_entry_of_which_nobody_knows_it_hides_no_difference_of_another(
    what: str, wanted: dict[str, Any], other: dict[str, Any], kind: str, told: str
) -> None:
    """A symlink to another place was proven beside one that could not be read."""
    one = FileEntry("a", kind, 0, 0o644, 0, 0)
    (unknown,) = [{key: None} for key in wanted]
    left = {path: replace(one, path=path, **wanted) for path in ("a", "b")}
    right = {"a": replace(left["a"], **other), "b": replace(left["b"], **unknown)}
    differences, said = attributes({p: (left[p], right[p]) for p in left}, owners_known=True, owners_kept=True)
    assert differences == (f"{told}: a",)
    assert f"{what} of 1 entry" in said.not_compared and what in said.compared
