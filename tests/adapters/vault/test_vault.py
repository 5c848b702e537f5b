"""op as a vault: what it says of an item, what is not asked again, and that nothing more is asked than may be."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.process.results import Finished, ProgramFailed, ProgramMissing
from adapters.vault.adapter import DAY_S, FRESH_S, OLD_S, OpVault
from adapters.vault.port import VaultItem
from lab.world.clock import VirtualClock

WIKI, NAS = VaultItem(("home",), "wiki"), VaultItem(("home", "infra"), "nas")
ITEM = {"id": "abc", "title": "wiki", "fields": [
    {"id": "password", "label": "RESTIC_PASSWORD", "value": "the-value-itself", "type": "CONCEALED"},
    {"id": "f1", "label": "key", "value": "other-value", "section": {"id": "s", "label": "s3"}},
]}  # fmt: skip


class Op:
    """A runner whose op answers from a table of (item, vault)."""

    def __init__(self, answers: dict[tuple[str, str], Any]) -> None:
        self.answers, self.asked = answers, list[tuple[str, str]]()

    def run(self, argv: Sequence[str], **_: Any) -> Finished:
        key = argv[3], argv[5]
        self.asked.append(key)
        answer = self.answers.get(key, f'"{key[0]}" isn\'t an item in the "{key[1]}" vault')
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, str):
            raise ProgramFailed("op ended with 1", finished=Finished("op", 1, b"", (answer,), 0.1), evidence=(answer,))
        return Finished("op", 0, json.dumps(answer).encode(), (), 0.1)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[OpVault, Op, VirtualClock]]:
    clock = VirtualClock(0)

    def make(**answers: Any) -> tuple[OpVault, Op, VirtualClock]:
        table = {tuple(name.split("_in_")): answer for name, answer in answers.items()}
        op = Op(table)  # type: ignore[arg-type]  # pairs
        return OpVault(op, tmp_path / "seen.json", clock, {}), op, clock

    return make


Make = Callable[..., tuple[OpVault, Op, VirtualClock]]


def asked(*items: VaultItem, fields: tuple[str, ...] = ()) -> dict[VaultItem, tuple[str, ...]]:
    """Each of them with these fields."""
    return dict.fromkeys(items, fields)


def test_labels_are_told_and_no_value_is_kept(made: Make, tmp_path: Path) -> None:
    vault, op, _ = made(wiki_in_home=ITEM, nas_in_infra={"fields": []})
    wiki, nas = vault.look(asked(WIKI, NAS), 10)
    assert wiki.fields is not None and {"RESTIC_PASSWORD", "password", "s3.key", "key"} <= wiki.fields
    assert nas.fields == frozenset() and op.asked == [("wiki", "home"), ("nas", "home"), ("nas", "infra")]
    assert "value" not in (tmp_path / "seen.json").read_text()


@pytest.mark.parametrize("answer", [[], None, 1], ids=str)
def test_an_answer_that_is_no_item_is_no_item_without_fields(made: Make, answer: object) -> None:
    vault, _, _ = made(wiki_in_home=answer)
    (wiki,) = vault.look(asked(WIKI), 10)
    assert (wiki.fields, wiki.why) == (None, "op answers what is no item")


def test_what_was_seen_is_not_asked_again_for_a_day_and_what_was_gone_is(made: Make) -> None:
    vault, op, clock = made(wiki_in_home=ITEM)
    assert [one.fields is None for one in vault.look(asked(WIKI, NAS), 10)] == [False, True]
    op.asked.clear()
    vault.look(asked(WIKI, NAS), 10)
    assert op.asked == [("nas", "home"), ("nas", "infra")], "somebody may have put it back"
    clock.sleep(FRESH_S)
    op.asked.clear()
    vault.look(asked(WIKI), 10)
    assert op.asked == [("wiki", "home")]


def test_a_field_that_was_lacking_may_have_been_put_there_since(made: Make) -> None:
    vault, op, _ = made(wiki_in_home={"fields": [{"label": "user"}]})
    (wiki,) = vault.look(asked(WIKI, fields=("user", "key")), 10)
    assert (wiki.fields, wiki.why) == ({"user"}, "")
    op.answers["wiki", "home"] = ITEM
    assert "key" in (vault.look(asked(WIKI, fields=("key",)), 10)[0].fields or ())
    op.asked.clear()
    assert vault.look(asked(WIKI, fields=("key",)), 10)[0].fields and op.asked == []
    (wiki,) = vault.look(asked(WIKI, fields=("new",)), 0)
    assert wiki.fields is None and wiki.why, "of a field that Git names only now nobody knows without asking"


def test_a_read_that_a_kill_cuts_off_is_counted(made: Make) -> None:
    vault, op, _ = made(wiki_in_home=KeyboardInterrupt(), nas_in_home=ITEM)
    with pytest.raises(KeyboardInterrupt):
        vault.look(asked(NAS, WIKI), 10)
    op.asked.clear()
    op.answers["wiki", "home"] = ITEM
    nas, wiki = vault.look(asked(NAS, WIKI), 2)
    assert nas.fields and "2 reads in 24 hours" in wiki.why and op.asked == []


def test_no_more_is_read_in_24_hours_than_may_be_by_any_run(made: Make) -> None:
    vault, op, clock = made(wiki_in_home=ITEM)
    vault.look(asked(WIKI), 1)
    (nas,) = vault.look(asked(NAS), 2)
    assert (nas.fields, "1 read in 24 hours, and 2 may be made" in nas.why) == (None, True)
    clock.sleep(FRESH_S)
    vault.look(asked(WIKI), 1)
    clock.sleep(DAY_S / 2)
    op.asked.clear()
    assert vault.look(asked(WIKI), 0)[0].fields is not None, "what is known counts for a week"
    clock.sleep(OLD_S)
    assert vault.look(asked(WIKI), 0)[0].why
    assert op.asked == []


@pytest.mark.parametrize(("answer", "told"), [
    ("[ERROR] (429) Too Many Requests: You've reached the rate limit", "for their number"),
    ("[ERROR] you are not currently signed in", "not currently signed in"),
    (ProgramMissing("the program op is not on this machine"), "not on this machine"),
])  # fmt: skip
def test_no_answer_is_no_absence_and_ends_the_asking(made: Make, answer: Any, told: str) -> None:
    vault, op, _ = made(wiki_in_home=answer)
    wiki, nas = vault.look(asked(WIKI, NAS), 10)
    assert told in wiki.why and told in nas.why and len(op.asked) == 1


@pytest.mark.parametrize("text", [
    "", "[]", '{"items": [{"at": "x"}], "reads": [9e99, "y"]}', '{"items": [{"at": 9e99, "item": "wiki", "vaults": ["home"]}]}',
    '{"items": [{"at": 9e99, "item": "wiki", "vaults": ["home"], "fields": []}], "reads": []}',
    '{"items": [{"at": 1%s, "item": "wiki", "vaults": ["home"], "fields": []}], "reads": []}' % ("0" * 400),
])  # fmt: skip
def test_a_memory_that_nobody_can_read_or_that_is_of_tomorrow_is_none(made: Make, tmp_path: Path, text: str) -> None:
    vault, op, _ = made(wiki_in_home=ITEM)
    (tmp_path / "seen.json").write_text(text)
    assert vault.look(asked(WIKI), 1)[0].fields and op.asked == [("wiki", "home")]
