"""Claims are named once, in two ways, and a word that names none or several is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import SettingsInvalid
from recovery.selection import named
from tests.builders import a_claim, a_house

HOUSE = replace(a_house(), claims=(a_claim(), a_claim("photos"), a_claim("photos", namespace="other")))


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("", ["apps/notes", "apps/photos", "other/photos"]),
        ("notes", ["apps/notes"]),
        ("notes,other/photos,apps/notes", ["apps/notes", "other/photos"]),
    ],
)
def test_by_key_or_by_name_each_once(words: str, keys: list[str]) -> None:
    assert [claim.key for claim in named(HOUSE, words)] == keys


@pytest.mark.parametrize("words", ["photos", "nots", "notes,", " "])
def test_a_word_that_names_none_or_several_is_refused(words: str) -> None:
    with pytest.raises(SettingsInvalid, match="claim"):
        named(HOUSE, words)
