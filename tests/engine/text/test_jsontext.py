"""JSON of others and of ours: whatever is wrong with it is one error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.approval import Approval, approve
from engine.errors import ApprovalMissing, PermanentError
from engine.programs import end_leftovers
from engine.text.jsontext import DEEPEST, LARGEST, Malformed, a_list, an_object, read, read_file, read_sequence

NO_JSON: dict[str, str | bytes] = {
    "nothing": "",
    "cut off": '{"a": 1',
    "no UTF-8": b'{"a": "\xff"}',
    "a number of many digits": '{"a": ' + "9" * 5000 + "}",
    "deep beyond the stack": "[" * 100_000,
}
ODD_OF_OURS = {
    "a key twice": '{"a": 1, "a": 2}',
    "a key twice, further down": '{"a": [{"b": 1, "b": 1}]}',
    "not a number": '{"a": NaN}',
    "endless": '{"a": -Infinity}',
    "beyond all numbers": '{"a": 1e999}',
    "deep": '{"a": ' + "[" * DEEPEST + "]" * DEEPEST + "}",
}


@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON.keys())
@pytest.mark.parametrize("ours", [True, False])
def test_what_is_no_json_is_one_error(text: str | bytes, ours: bool) -> None:
    with pytest.raises(Malformed):
        read(text, ours=ours)


@pytest.mark.parametrize("text", ODD_OF_OURS.values(), ids=ODD_OF_OURS.keys())
def test_what_we_never_write_is_refused_where_it_should_be_ours_and_taken_from_others(text: str) -> None:
    with pytest.raises(Malformed):
        read(text, ours=True)
    assert "a" in read(text)


def test_what_we_write_is_read() -> None:
    deepest = "[" * DEEPEST + "]" * DEEPEST
    assert read(deepest, ours=True) == read(deepest)
    assert read('{"a": 1.5, "b": [{"a": null}, {"a": "NaN"}]}', an_object, ours=True)["b"][1] == {"a": "NaN"}
    wide = "[" + ", ".join(["[]"] * 500) + "]"
    assert len(read(wide, a_list, ours=True)) == 500


SEQUENCES = [("", []), (" \n", []), ("{} ", [{}]), ('{"a": 1}\n{"b": 2}', [{"a": 1}, {"b": 2}]), ("1 2", [1, 2])]


@pytest.mark.parametrize(("text", "found"), SEQUENCES)
def test_values_one_after_another_are_all_read(text: str, found: list[Any]) -> None:
    assert read_sequence(text) == found


@pytest.mark.parametrize("text", ['{"a": 1}\n{"b":', "{} x", "{} " + "[" * 100_000])
def test_of_values_one_after_another_none_is_left_out(text: str) -> None:
    with pytest.raises(Malformed):
        read_sequence(text)


def walked(value: Any) -> int:
    return 1 + max(map(walked, value), default=0)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{}", lambda told: told["a"]), ("[]", lambda told: told[0]), ("[]", lambda told: told["a"]),
        ("1", lambda told: told.get("a")),
        ('"x"', int), ("1e999", int), ("0", lambda told: 1 / told), ('{"a": {}}', lambda told: float(told["a"])),
        ("[" * 900 + "]" * 900, walked), ("[]", an_object), ("{}", a_list),
    ],
)  # fmt: skip
def test_a_shape_of_its_own_is_the_same_error(text: str, made: Any) -> None:
    with pytest.raises(Malformed):
        read(text, made)


def test_an_error_with_a_meaning_of_its_own_goes_through() -> None:
    class Told(Malformed):
        pass

    def refuse(_: object) -> None:
        raise Told("the list names an entry twice")

    with pytest.raises(Told, match="twice"):
        read("[]", refuse)
    with pytest.raises(PermanentError):
        read("[]", lambda _: (_ for _ in ()).throw(PermanentError("another schema")))


def test_a_file_is_read_only_where_it_is_one_and_no_larger_than_ours_ever_are(tmp_path: Path) -> None:
    (tmp_path / "good").write_text('{"a": 1}')
    assert read_file(tmp_path / "good", an_object) == {"a": 1}
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "absent", an_object)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Malformed, match="named pipe"):
        read_file(tmp_path / "pipe", an_object)
    with (tmp_path / "endless").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(Malformed, match="MiB"):
        read_file(tmp_path / "endless", an_object)


ODD_NOTES = ("[]", "{}", "null", "no JSON", '{"digest": "d", "expires": "soon", "acts": []}', "[" * 100_000)


@pytest.mark.parametrize("text", ODD_NOTES)
def test_an_approval_that_cannot_be_read_approves_nothing_and_hides_none(text: str) -> None:
    good = Approval("d", frozenset(), 100.0)
    assert approve("d", acts=(), plan_digest="p", journalled=(text, good.to_text()), now=0.0, valid_s=1.0) == good
    with pytest.raises(ApprovalMissing):
        approve("d", acts=(), plan_digest="p", journalled=(text,), now=0.0, valid_s=1.0)


@pytest.mark.parametrize("text", [*ODD_NOTES, "[1, 2]"])
def test_a_program_whose_note_cannot_be_read_may_still_be_at_work(text: str) -> None:
    with pytest.raises(PermanentError, match="may still be at work"):
        end_leftovers((text,), lambda group, started: False)


SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (lambda told: told["password"], "no password"), (lambda told: {}[told["a"]], "word"),
        (lambda told: float(told["a"]), "ValueError"),
        (lambda told: told["a"].items(), "'str' object has no attribute"), (lambda told: told["a"] + 1, "TypeError"),
        (lambda told: told["b"][3], "too short"), (lambda told: {told["a"]: 1}[told["a"] + "x"], "word"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_no_value_is_quoted(made: Any, named: str) -> None:
    with pytest.raises(Malformed) as wrong:
        read(f'{{"a": "{SECRET}", "b": []}}', made)
    assert named in str(wrong.value) and SECRET not in str(wrong.value)


@pytest.mark.parametrize("text", [f'{{"a": "{SECRET}', f'{{"a": "{SECRET}"}} {SECRET}', f'{{"{SECRET}": 1, "{SECRET}": 2}}'])
def test_of_what_is_no_json_no_word_is_quoted(text: str) -> None:
    with pytest.raises(Malformed) as wrong:
        read(text, ours=True)
    assert SECRET not in str(wrong.value)


def test_a_name_of_ours_that_is_not_there_is_a_bug_of_ours_and_no_foreign_text() -> None:
    with pytest.raises(AttributeError, match="no_such"):
        read('{"a": 1}', lambda told: Approval("d", frozenset(), told["a"]).no_such)  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no_such"):
        read('{"a": 1}', lambda told: os.no_such(told))  # type: ignore[attr-defined]
