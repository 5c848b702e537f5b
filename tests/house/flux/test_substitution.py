"""Substitution follows Flux's rules, and whatever it is given it ends, loses nothing and invents nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from house.flux.substitution import substitute

VARIABLES = {"APP": "a.b", "EMPTY": "", "LONG": "home-ops/notes"}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("plain", "plain"),
        ("${APP}", "a.b"),
        ("x-${APP}-${APP}-y", "x-a.b-a.b-y"),
        ("${EMPTY}", ""),
        ("${EMPTY:-d}", "d"),
        ("${NONE:-d}", "d"),
        ("${NONE:=d}", "d"),
        ("${NONE=d}", "d"),
        ("${APP:-d}", "a.b"),
        ("${NONE:-}", ""),
        ("${NONE:-${APP}}", "a.b"),
        ("${NONE:=${OTHER:=${APP}}}.lan", "a.b.lan"),
        ("${NONE:=x-${APP}-y}", "x-a.b-y"),
        ("${NONE:=d} ${NONE:-e}", "d e"),
        ("${APP:-${NONE}}", "a.b"),
        ("$${APP}", "${APP}"),
        ("$APP", "$APP"),
        ("cost: 5$", "cost: 5$"),
        ("pid $$", "pid $"),
        ("$$$$ and $$$", "$$ and $$"),
        ("pa$$word", "pa$word"),
        ("${APP/./-}", "a-b"),
        ("${LONG//o/0}", "h0me-0ps/n0tes"),
        ("${LONG/#home/away}", "away-ops/notes"),
        ("${LONG/%notes/photos}", "home-ops/photos"),
        ("${#APP}", "3"),
        ("${APP^^}", "A.B"),
        ("${APP^}", "A.b"),
        ("${LONG:0:4}", "home"),
        ("${LONG:9}", "notes"),
        ("${LONG: -5}", "notes"),
        ("${LONG%/*}", "home-ops"),
        ("${LONG##*/}", "notes"),
    ],
)
def test_flux_rules(text: str, becomes: str) -> None:
    done = substitute(text, VARIABLES)
    assert (done.text, done.missing, done.bad) == (becomes, (), ())


def test_a_variable_without_value_is_named_and_left() -> None:
    done = substitute("a-${NONE}-${OTHER/x/y}-${NONE}", VARIABLES)
    assert done.missing == ("NONE", "OTHER")
    assert done.text == "a-${NONE}-${OTHER/x/y}-${NONE}"


def test_a_default_that_lacks_a_variable_is_named_only_when_it_is_needed() -> None:
    assert substitute("${EMPTY:-${NONE}}", VARIABLES).missing == ("NONE",)
    assert substitute("${APP:-${NONE}}", VARIABLES).missing == ()


@pytest.mark.parametrize("text", ["${", "${}", "${APP", "${1X}", "${APP-d}", "${APP:-d", "a ${ b"])
def test_what_is_no_expression_is_named_and_left(text: str) -> None:
    done = substitute(text, VARIABLES)
    assert done.text == text
    assert len(done.bad) == 1


@pytest.mark.parametrize(
    "text",
    [
        "${arr[@]}", "${APP[0]}", "${#APP[@]}", "${!APP}", "${@}", "${*}", "${?}", "${A B}", "${ APP }", "${a-b}", "${a.b}",
        "${APP-d}", "${APP?}", "${APP@Q}", "${APP:}", "${APP:0:}", "${APP::2}", "${APP#}", "${APP%}", "${APP/}", "${APP//}",
        "${APP/a}", "${#}", "${#APP", "${APP:-${arr[@]}}", "${APP:-a", "${APP/${LONG}x/y}", "$$${", "${LONG%${11}",
    ],
)  # fmt: skip
def test_what_flux_refuses_is_told_apart(text: str) -> None:
    """Each was given to the library that kustomize-controller is built with."""
    done = substitute(f"before {text}", VARIABLES)
    assert len(done.refused) >= 1


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("${APP/a/}", ".b"), ("${APP:x}", "a.b"), ("${APP:0:x}", "a.b"), ("$${arr[@]}", "${arr[@]}"), ("$${APP", "${APP"),
        ("$$$${APP}", "$${APP}"), ("$$${APP}", "$a.b"), ("pid $$ of ${APP}", "pid $ of a.b"), ("${NONE:-$}", "$"),
        ("${NONE:-\\}", "\\"), ("${NONE:-a}b}", "ab}"), ("${APP:+x}", "a.b"), ("${APP:?x}", "a.b"),
        ("${LONG/\\//x}", "home-opsxnotes"),
        ("${LONG/ops//x}", "home-x/notes"), ("${APP,^}", "a.b"), ("${1abc:-d}", "d"),
    ],
)  # fmt: skip
def test_what_flux_takes_is_never_refused(text: str, becomes: str) -> None:
    done = substitute(text, VARIABLES)
    assert (done.text, done.refused) == (becomes, ())


@pytest.mark.parametrize("text", ["${1}", "${1abc}", "${0}", "${#1}", "${1/a/b}"])
def test_a_name_that_no_variable_can_have_is_left_and_not_refused(text: str) -> None:
    """Flux fills it with nothing, as it does with any variable that has no value."""
    done = substitute(text, VARIABLES)
    assert (done.text, done.bad, done.refused) == (text, (text,), ())


names = st.sampled_from(["A", "B_1", "APP"])
values = st.text("abc/.- ", max_size=8)
plain = st.text("abc/.-: \n", max_size=8)


@settings(deadline=None)
@given(st.text("ab${}:-=/#%^,\\0", max_size=40), st.dictionaries(names, values))
def test_it_ends_for_any_text(text: str, variables: dict[str, str]) -> None:
    substitute(text, variables)


@settings(deadline=None)
@given(st.text())
def test_text_without_an_expression_stays(text: str) -> None:
    if "${" not in text and "$$" not in text:
        assert substitute(text, {}).text == text


@pytest.mark.parametrize(("text", "read"), [("$$", "$"), ("$$$$", "$$"), ("$$$", "$$"), ("a $$ b", "a $ b"), ("$${x}", "${x}")])
def test_two_dollars_are_one(text: str, read: str) -> None:
    assert substitute(text, {}).text == read


@settings(deadline=None)
@given(plain, names, values, plain)
def test_a_variable_is_replaced_where_it_stands(before: str, name: str, value: str, after: str) -> None:
    assert substitute(f"{before}${{{name}}}{after}", {name: value}).text == f"{before}{value}{after}"


@settings(deadline=None)
@given(names, st.text("abc/.-", max_size=8), st.dictionaries(names, values))
def test_a_default_counts_exactly_when_there_is_no_value(name: str, default: str, variables: dict[str, str]) -> None:
    for operator in (":-", ":="):
        assert substitute(f"${{{name}{operator}{default}}}", variables).text == (variables.get(name) or default)


@settings(deadline=None)
@given(st.lists(names, min_size=1, max_size=5), st.dictionaries(names, values.filter(bool)), st.text("abc", max_size=4))
def test_nested_defaults_take_the_first_that_has_a_value(chain: list[str], variables: dict[str, str], last: str) -> None:
    text = last
    for name in reversed(chain):
        text = f"${{{name}:-{text}}}"
    done = substitute(text, variables)
    assert done.text == next((variables[name] for name in chain if name in variables), last)
    assert done.missing == ()


@settings(deadline=None)
@given(plain, values)
def test_values_are_not_substituted_again(text: str, value: str) -> None:
    assert substitute(f"{text}${{A}}", {"A": f"${{B}}{value}", "B": "never"}).text == f"{text}${{B}}{value}"
