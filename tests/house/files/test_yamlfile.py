"""YAML is read the same by the quick parser and the pure one, with the line of everything, and refused in one clear sentence."""

from __future__ import annotations

import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from house.files import yamlfile
from house.files.yamlfile import Document, YamlInvalid


def parse(text: str, name: str = "a.yaml") -> tuple[Document, ...]:
    """Read with libyaml and, as on a machine that lacks it, without: both must give the same."""
    quick = yamlfile.parse(text, name)
    assert quick == yamlfile.parse(text, name, quick=False)
    return quick


def refused(text: str) -> str:
    said = []
    for quick in (True, False):
        with pytest.raises(YamlInvalid) as caught:
            yamlfile.parse(text, "a.yaml", quick=quick)
        said.append(str(caught.value.problem))
    assert said[0] == said[1]
    return said[0]


def test_documents_and_lines() -> None:
    first, second = parse("---\n# why\na: 1\nb:\n  - x\n  -\n    c: y\n---\n5\n...\n---\n# nothing\n")
    assert first.value == {"a": 1, "b": ["x", {"c": "y"}]}
    assert [first.line(path) for path in [(), ("a",), ("b",), ("b", 0), ("b", 1, "c"), ("b", 9), ("z",)]] == [3, 3, 4, 5, 7, 4, 3]
    assert second.value == 5


def test_scalars_follow_the_core_schema_and_keep_their_text() -> None:
    (document,) = parse("{a: yes, b: 1.10, c: '1', d: ~, e: 0x1F, f: 1e3, g: true, h: 0o17, i: 08, j: 2026-01-02, k: 12:30:45}")
    assert document.value == {
        "a": "yes", "b": 1.1, "c": "1", "d": None, "e": 31, "f": 1000.0, "g": True, "h": 15, "i": 8,
        "j": "2026-01-02", "k": "12:30:45",
    }  # fmt: skip
    assert document.text(("b",)) == "1.10"
    assert document.text(("z",)) == ""


def test_anchors_aliases_and_merges() -> None:
    (document,) = parse("base: &b {x: 1, y: 2}\nname: &n app\nother:\n  <<: *b\n  y: 3\nlist: [*n, *b]\n*n : key\n")
    assert document.value == {
        "base": {"x": 1, "y": 2}, "name": "app", "other": {"y": 3, "x": 1}, "list": ["app", {"x": 1, "y": 2}], "app": "key",
    }  # fmt: skip
    assert document.line(("other", "x")) == 1


def test_an_anchor_may_be_given_twice_and_the_last_counts() -> None:
    assert parse("a: &x 1\nb: &x 2\nc: *x\n")[0].value["c"] == 2


def test_a_url_in_a_flow_mapping() -> None:
    assert parse("a: {url: https://host:8006/x, secret: env:NAME}")[0].value == {
        "a": {"url": "https://host:8006/x", "secret": "env:NAME"}
    }


@pytest.mark.parametrize("more", ["", "at: {url: https://host}\n"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("when: 0 15 * * 5\t# Fridays\n", {"when": "0 15 * * 5"}),
        ("when: [1, 2]\t\n", {"when": [1, 2]}),
        ("- a\t# one\n- b \t # two\n", ["a", "b"]),
        ("name: &app x\nlabels:\n  *app: y\n", {"name": "x", "labels": {"x": "y"}}),
        ("- name: &app x\n- *app: y\n", [{"name": "x"}, {"x": "y"}]),
    ],
)
def test_tabs_before_comments_and_aliases_as_keys_are_read_as_elsewhere(text: str, value: Any, more: str) -> None:
    if more and isinstance(value, list):
        return
    (document,) = parse(text + more)
    assert document.value == (value | {"at": {"url": "https://host"}} if more else value)
    assert document.line(("at",)) == (text.count("\n") + 1 if more else 1)


def test_duplicate_keys_are_told_with_both_lines() -> None:
    (document,) = parse("a:\n  b: 1\n  c: 2\n  b: 3\n", "a.yaml")
    problems = [str(p) for p in yamlfile.duplicate_problems(document)]
    assert problems == ["a.yaml:4: a.b: this key is already at line 2; keep one of the two"]
    with pytest.raises(YamlInvalid):
        yamlfile.value("a: 1\na: 2\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a:\n\tb: 1\n", "a.yaml:2: a tab is used for indentation; indent with spaces"),
        ("a: *x\n", "a.yaml:1: *x names no anchor; define &x above"),
        ("a: &x [*x]\n", "a.yaml:1: *x holds itself; write the value out"),
        ("{a: 1}: b\n", "a.yaml:1: a key is not plain text; write keys as plain text"),
        ("<<: 5\n", "a.yaml:1: <<: is not a mapping; merge a mapping or a list of them"),
        ("a: 1\nb: \x07\n", "a.yaml:2: holds the control character 0x07, which YAML does not allow; take it out"),
        ("[" * 300 + "]" * 300, "a.yaml:1: is nested too deeply; at most 200 levels are read, aliases written out"),
    ],
)
def test_what_cannot_be_read_is_one_clear_sentence(text: str, says: str) -> None:
    assert refused(text) == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('a: "\\ud800"\n', "a.yaml:1: holds half a character (a lone surrogate); write the character itself"),
        ('a: 1\n"\\udfff": b\n', "a.yaml:2: holds half a character (a lone surrogate); write the character itself"),
        ('- &x "\\ud83d\\ude00"\n', "a.yaml:1: holds half a character (a lone surrogate); write the character itself"),
    ],
)
def test_half_a_character_is_refused_where_it_stands(text: str, says: str) -> None:
    assert refused(text) == says


def alias_tower(levels: int, form: str = "[*a{}]") -> str:
    return "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} {form.format(n - 1)}\n" for n in range(1, levels))


@pytest.mark.parametrize("form", ["[*a{}]", "{{b: *a{}}}", "{{b: [1, {{c: *a{}}}]}}"])
def test_what_is_nested_by_aliases_counts_like_what_is_written_out(form: str) -> None:
    assert "is nested too deeply; at most 200 levels are read, aliases written out" in refused(alias_tower(1000, form))


def test_a_short_tower_of_aliases_is_read() -> None:
    (document,) = parse(alias_tower(50))
    value, depth = document.value["a49"], 0
    while isinstance(value, list):
        value, depth = value[0], depth + 1
    assert depth == 50


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("".join(f"k{n}: v\n" for n in range(100_000)), "a.yaml:10001: has more than 10000 keys in one mapping"),
        ("[" + "x," * 300_000 + "]", "stands for more than 250000 values"),
        ("---\na: b\n" * 30_000, "a.yaml:40001: holds more than 20000 documents"),
        ("".join(f"k{n}: v\n" for n in range(9_000)) + "b: : c\n", "a.yaml:9001: is not YAML"),
    ],
)
def test_what_is_endless_is_refused_at_once(text: str, says: str) -> None:
    began = time.process_time()
    with pytest.raises(YamlInvalid) as caught:
        yamlfile.parse(text, "a.yaml")
    assert says in str(caught.value.problem)
    assert time.process_time() - began < 5


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(YamlInvalid) as caught:
        yamlfile.load(tmp_path / "a.yaml", "a.yaml")
    assert str(caught.value.problem) == "a.yaml: has more than 6 MiB; name a file that a person wrote"


def test_a_link_to_itself_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("a.yaml")
    with pytest.raises(YamlInvalid) as caught:
        yamlfile.load(tmp_path / "a.yaml", "a.yaml")
    assert "a.yaml: cannot be read" in str(caught.value.problem)


@pytest.mark.parametrize("text", ["a: b: c", "a: [1", "a: 'b", "- a\nb: c", "%", "a: @b"])
def test_bad_syntax_names_the_file_and_stays_one_line(text: str) -> None:
    said = refused(text)
    assert said.startswith("a.yaml")
    assert "is not YAML" in said
    assert "\n" not in said


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, says in [
        (tmp_path / "none.yaml", "x.yaml: is not there; create it, or correct the path"),
        (binary, "x.yaml: is not UTF-8 text; save it as UTF-8"),
        (tmp_path, "x.yaml: cannot be read (Is a directory); check its permissions"),
    ]:
        with pytest.raises(YamlInvalid) as caught:
            yamlfile.load(path, "x.yaml")
        assert str(caught.value.problem) == says


def test_a_bomb_of_aliases_is_refused_and_takes_no_memory() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    said = "a.yaml:16: stands for more than 250000 values once its aliases are written out"
    said += "; use fewer aliases of aliases, or make files of it"
    assert refused("\n".join(lines)) == said


def test_many_aliases_of_one_value_are_no_bomb() -> None:
    text = "base: &b {x: 1, y: [1, 2]}\nlist:\n" + "  - *b\n" * 10_000
    (document,) = yamlfile.parse(text)
    assert document.value["list"][9_999] is document.value["base"]


@pytest.mark.parametrize("text", ["9" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "1e" + "9" * 5000])
def test_a_number_of_thousands_of_digits_is_text(text: str) -> None:
    (document,) = parse(f"a: {text}\n")
    assert document.value == {"a": text}


# A first letter: the writer leaves some texts that begin with an indicator (`?0`) unquoted, and no reader can undo that.
TEXT = st.from_regex(r"[a-z][ -~]*", fullmatch=True)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)  # a machine that is busy says nothing of what is read
@given(PLAIN)
def test_what_a_writer_wrote_is_read_back(value: Any) -> None:
    out = StringIO()
    YAML(typ="safe", pure=True).dump({"root": value}, out)
    assert parse(out.getvalue())[0].value == {"root": value}
