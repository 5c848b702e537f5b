"""The rules that a first settings file is given fit every repository, as few as there can be, and none stands in another's way."""

from __future__ import annotations

import pytest

from house.declared.openings import Opening, pattern, shadowed
from house.first.opening_rules import rules
from house.settings.backups import OpenAsSection

Seen = tuple[str, tuple[str, ...]]
CASES: dict[str, tuple[list[Seen], tuple[str, ...]]] = {
    "none": ([], ()),
    "one, by the last part of it": ([("/r/diary", ("diary",))], ("/r/{app}",)),
    "one whose name is no last part": ([("/r/diary/restic", ("diary",))], ("/r/diary/restic",)),
    "one without its name": ([("/r/all", ("diary",))], ("/r/all",)),
    "two of one form": ([("/r/diary", ("diary",)), ("/r/notes", ("notes",))], ("/r/{app}",)),
    "the name in the middle": (
        [("s3:https://s3.lan/diary/restic", ("diary",)), ("s3:https://s3.lan/notes/restic", ("notes",))],
        ("s3:https://s3.lan/{app}/restic",),
    ),
    "the name beside a dash": (
        [("s3:https://s3.lan/b-diary", ("diary",)), ("s3:https://s3.lan/b-notes", ("notes",))], ("s3:https://s3.lan/b-{app}",),
    ),
    "the claim's name where the app is called otherwise": (
        [("/r/diary-data", ("diary", "diary-data")), ("/r/notes", ("notes", "notes-data"))], ("/r/{app}",),
    ),
    "a claim called like a folder above": ([("/r/r", ("r",)), ("/r/notes", ("notes",))], ("/r/{app}",)),
    "a claim called like the server": (
        [("sftp:u@nas:/b/nas", ("nas",)), ("sftp:u@nas:/b/notes", ("notes",))], ("sftp:u@nas:/b/{app}",),
    ),
    "names that are part of a word": ([("/r/diaryold", ("diary",)), ("/r/notesold", ("notes",))], ("/r/diaryold", "/r/notesold")),
    "a template's variable is no name": (
        [("s3:https://{{ .notes }}/b/notes", ("notes",)), ("s3:https://{{ .notes }}/b/diary", ("diary",))],
        ("s3:https://{{ .notes }}/b/{app}",),
    ),
    "a rule fits what is called otherwise": (
        [("/r/diary", ("diary",)), ("/r/old", ("new",)), ("/r/notes", ("notes",))], ("/r/{app}",),
    ),
    "the same, the odd one first": ([("/r/old", ("new",)), ("/r/diary", ("diary",)), ("/r/notes", ("notes",))], ("/r/{app}",)),
    "a name with a meaning in expressions": ([("/r/a.b", ("a.b",)), ("/r/axb", ("c",))], ("/r/{app}",)),
    "names that are not said": ([("/r/diary", ("", "diary")), ("/r/notes", ("", ""))], ("/r/{app}",)),
    "two claims of one repository": ([("/r/all", ("diary",)), ("/r/all", ("notes",))], ("/r/all",)),
}  # fmt: skip


@pytest.mark.parametrize("words", list(CASES))
def test_rules_are_few_and_fit(words: str) -> None:
    seen, wanted = CASES[words]
    made = rules(seen)
    assert made == wanted
    for text, _ in seen:
        assert [one for one in made if pattern(one).fullmatch(text)], text


@pytest.mark.parametrize("words", list(CASES))
def test_no_rule_stands_in_anothers_way_and_without_open_all_are_opened_as_seen(words: str) -> None:
    seen, _ = CASES[words]
    sections = [OpenAsSection(seen=one) for one in rules(seen)]
    assert list(shadowed(sections)) == []
    for text, _ in seen:
        found = [Opening(one, pattern(one.seen)).address(text) for one in sections]
        assert text in found
