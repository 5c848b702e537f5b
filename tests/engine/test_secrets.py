"""Secrets do not slip into text, in whatever encoding they travel."""

from __future__ import annotations

import base64
import copy
import html
import json
import pickle
import re
import shlex
import textwrap
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.secrets import MASK, Redactor, Secret, all_told, redact, told

PASSWORD = "cor+rect horse/ba%ttery\"st'aple\\€"
# Made for this test; no key of anything.
BODY = "\n".join("QmxhY2tzdGFydCBsYWIga2V5IGxpbmUg" + letter * 32 for letter in "ABC")
PEM = f"-----BEGIN EC PRIVATE KEY-----\n{BODY}\n-----END EC PRIVATE KEY-----\n"


@dataclass(frozen=True)
class Holder:
    name: str
    password: Secret


def test_a_secret_shows_as_dots_everywhere() -> None:
    secret = Secret(PASSWORD)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", repr(Holder("a", secret))]
    assert all(PASSWORD not in text and MASK in text for text in shown)
    assert secret.reveal() == PASSWORD
    assert str not in Secret.__mro__


def test_a_secret_cannot_be_pickled_nor_made_json() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(Secret(PASSWORD), protocol)
    with pytest.raises(TypeError):
        json.dumps(Secret(PASSWORD))
    assert not hasattr(Secret(PASSWORD), "__dict__"), "nothing to dump"


def test_secrets_compare_by_value_and_copy_as_themselves() -> None:
    secret = Secret(PASSWORD)
    assert secret == Secret(PASSWORD) and hash(secret) == hash(Secret(PASSWORD))
    assert secret != Secret("another one") and secret != PASSWORD
    assert copy.deepcopy(secret) is secret and copy.copy(secret) is secret
    assert asdict(Holder("a", secret))["password"] is secret


@pytest.mark.parametrize("value", [PASSWORD, "s3cr3t", "abcd", "12345678", "tokén-with-ünicode", "line one\nline two"])
def test_every_encoding_is_redacted(value: str) -> None:
    redactor = Redactor()
    redactor.add(value)
    raw = value.encode()
    forms = [value, json.dumps({"k": value}), json.dumps(value, ensure_ascii=False), repr(value)]
    forms += [quote(value), quote(value, safe=""), raw.hex()]
    for form in forms:
        cleaned = redactor.redact(f"before {form} after")
        assert value not in cleaned and MASK in cleaned, form
        assert cleaned.startswith("before ") and cleaned.endswith(" after")
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"x" * shift + raw + b"yz").decode()
            stable = base64.b64encode(b"x" * shift + raw).decode()[shift + 1 if shift else 0 : (len(raw) + shift) * 8 // 6]
            cleaned = redactor.redact(text)
            assert MASK in cleaned and stable not in cleaned


def test_each_line_of_a_pem_is_redacted_alone() -> None:
    redactor = Redactor()
    redactor.add(PEM)
    for line in PEM.splitlines()[1:-1]:
        assert redactor.redact(f"    {line}") == f"    {MASK}"
    assert "QmxhY2tz" not in redactor.redact(base64.b64encode(PEM.encode()).decode())
    assert redactor.redact("-----BEGIN CERTIFICATE-----") == "-----BEGIN CERTIFICATE-----"


def test_private_keys_tokens_and_userinfo_go_by_pattern() -> None:
    redactor = Redactor()
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJsYWIifQ.c2lnbmF0dXJl"
    assert redactor.redact(f"key: |\n{PEM}tail") == f"key: |\n{MASK}\ntail"
    assert redactor.redact(PEM[: len(PEM) // 2]) == MASK, "a key that was cut off is a key"
    assert redactor.redact(f"Bearer {token}") == f"Bearer {MASK}"
    assert redactor.redact("AGE-SECRET-KEY-1QQQQQQQQQQ") == MASK
    assert redactor.redact("https://me:pw@git.lab/x?a=b@c") == f"https://{MASK}@git.lab/x?a=b@c"
    assert redactor.redact("https://t0ken@git.lab/x") == f"https://{MASK}@git.lab/x"
    harmless = "ssh://git@git.lab/x https://git.lab/a@b mail me@house.lab"
    assert redactor.redact(harmless) == harmless


def test_values_too_short_to_search_for_are_left_alone() -> None:
    redactor = Redactor()
    for value in ("", "a", "yes", "  \n"):
        redactor.add(value)
    assert redactor.redact("yes, a plain sentence") == "yes, a plain sentence"


def test_making_a_secret_registers_it() -> None:
    Secret("made-here-and-nowhere-else")
    assert redact("x=made-here-and-nowhere-else;") == f"x={MASK};"


@settings(deadline=None)
@given(st.text(min_size=8, max_size=60), st.text(max_size=40), st.text(max_size=40))
def test_whatever_the_secret_and_whatever_surrounds_it(value: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.add(value)
    cleaned = redactor.redact(before + value + after)
    assert value.strip() == "" or len(value.strip()) < 4 or value not in cleaned
    assert redactor.redact(cleaned) == cleaned


def test_a_big_text_with_many_secrets_is_quick() -> None:
    redactor = Redactor()
    for number in range(300):
        redactor.add(f"secret number {number} of the house, quite long")
    text = "level=info msg=\"reconciled\" object=kustomization/apps\n" * 20_000  # 1 MB
    start = time.process_time()
    assert redactor.redact(text + "secret number 42 of the house, quite long").endswith(MASK)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("value", ["p\udce4ssword-out-of-the-environment", "lone \ud800 surrogate, odd", "tab\tand \udc80 more"])
def test_what_is_no_unicode_is_a_secret_all_the_same(value: str) -> None:
    secret = Secret(value)
    assert secret == Secret(value) and hash(secret) == hash(Secret(value))
    assert redact(f"x {value} y") == f"x {MASK} y"


# As programs write it: each spelling of each value, and what is folded, wrapped or coloured.

ODD_ONES = (
    "p<ss&w0rd>Xy7!long", "it's a 'quoted' one", 'tab\tand "quote" \\ back$lash', "grüße & <mehr>", "two\u2028broken\u2029lines",
)  # fmt: skip
LONG_ONE = "correct-horse-battery-staple-0123456789-" * 3


def go_json(value: str) -> str:
    escaped = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return escaped.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


WRITERS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": json.dumps,
    "JSON, not ASCII": partial(json.dumps, ensure_ascii=False),
    "JSON by Go": go_json,
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "JSON by Go in JSON": lambda value: json.dumps(go_json(value)),
    "JSON by Go in JSON by Go": lambda value: go_json(go_json(value)),
    "Python's repr": repr,
    "shell": shlex.quote,
    "shell, one quote at a time": lambda value: "'" + value.replace("'", "'\\''") + "'",
    "YAML, single quotes": lambda value: "'" + value.replace("'", "''") + "'",
    "HTML": html.escape,
    "HTML by Go": lambda value: html.escape(value, quote=False).replace('"', "&#34;").replace("'", "&#39;"),
    "percent": partial(quote, safe=""),
    "percent by Go's PathEscape": partial(quote, safe="$&+=:@"),
    "percent by a browser": partial(quote, safe="!'()*"),
    "percent of a form": quote_plus,
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 behind something": lambda value: base64.b64encode(b"user:" + value.encode()).decode(),
    "base64 at 64": lambda value: "\n".join(textwrap.wrap(base64.b64encode(b"k: " + value.encode()).decode(), 64)),
    "base64 at 76": lambda value: base64.encodebytes(value.encode()).decode(),
    "base64 at 20, indented": lambda value: "\r\n    ".join(textwrap.wrap(base64.b64encode(value.encode()).decode(), 20)),
    "folded": lambda value: value[: len(value) // 2] + "\n    " + value[len(value) // 2 :],
    "coloured": lambda value: value[:5] + "\x1b[1;31m" + value[5:9] + "\x1b[0m" + value[9:],
    "with a title in it": lambda value: value[:5] + "\x1b]0;window\x07" + value[5:],
    "typed over": lambda value: "\b".join(value),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
@pytest.mark.parametrize("value", [*ODD_ONES, LONG_ONE], ids=lambda value: value[:8])
def test_in_whatever_spelling_a_program_writes_it_nothing_of_it_is_left(value: str, write: Callable[[str], str]) -> None:
    Secret(value)
    left = redact(f"before <{write(value)}> after")
    assert left.startswith("before <") and left.endswith("> after") and MASK in left
    # Quotes around it may stay, and of base64 the characters that what stands before or behind it decides too.
    assert len(re.sub(r"[\"'\\\s=]", "", left[8:-7].replace(MASK, ""))) <= 8


def test_short_secrets_are_not_found_across_words() -> None:
    Secret("abcd123")
    assert redact("ab cd 12 3") == "ab cd 12 3"


def test_a_token_goes_whole_although_a_part_of_it_is_a_known_secret() -> None:
    Secret("hbGc")
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ.c2lnbmF0dXJlc2lnbmF0dXJl"
    assert redact(f"token {token} end") == f"token {MASK} end"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("postgres://user:hunter/2@host/db", f"postgres://{MASK}@host/db"),
        ("https://token@host/x", f"https://{MASK}@host/x"),
        ("see https://host/a@b and ssh://git@forge/x", "see https://host/a@b and ssh://git@forge/x"),
        ("Authorization: Basic dXNlcjpodW50ZXIy", f"Authorization: {MASK}"),
        ("authorization: Bearer hunter2hunter2,", f"authorization: {MASK},"),
    ],
)
def test_credentials_of_an_address_or_a_header_go_by_pattern(text: str, wanted: str) -> None:
    assert redact(text) == wanted


def test_a_private_key_goes_line_by_line_too_and_in_base64() -> None:
    body = (f"MIIEunknownkey{n}abcdefghijklmnop" for n in range(4))
    lines = ("-----BEGIN RSA PRIVATE KEY-----", *body, "-----END RSA PRIVATE KEY-----", "x")
    assert "unknownkey" not in "".join(all_told(lines)) and all_told(lines)[-1] == "x"
    encoded = base64.b64encode("\n".join(lines).encode()).decode()
    assert redact(f"client-key-data: {encoded} end") == f"client-key-data: {MASK} end"
    certificate = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIE" + b"a" * 90).decode()
    assert redact(certificate) == certificate


def test_what_a_person_is_told_holds_no_control_characters_and_no_endless_line() -> None:
    odd = "\x1b]0;TITLE\x07\x1b[2Jhello\x1b(B\b\b\x9b31m \r10%\r20%\r\ndone\ttab\x7f"
    assert told(odd) == "hello31m \n10%\n20%\ndone\ttab"
    assert len(told("y" * 300_000)) < 2100 and told("y" * 300_000).endswith("(300,000 characters)")
    assert told("apps/\u202egpj.ton\u202c\u2066\u200f") == "apps/gpj.ton"
    assert all_told(()) == () and all_told(("", "a\nb", "")) == ("", "a\nb", "")


def test_one_character_that_a_terminal_obeys_goes_of_a_text_that_is_plain_otherwise() -> None:
    obeyed = [*range(9), 11, 12, *range(14, 27), *range(28, 32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F]
    obeyed += [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    assert {told(f"apps{chr(one)}/notes") for one in obeyed} == {"apps/notes"}
    Secret("a-plain-word-of-a-key")
    assert told("its key is a-plain-word-of-a-key") == f"its key is {MASK}"
