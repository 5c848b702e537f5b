"""Secrets do not slip into text, in whatever encoding they travel."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import time
from dataclasses import asdict, dataclass
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.secrets import MASK, Redactor, Secret, redact

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
