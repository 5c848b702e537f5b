"""What is written as a text is read as that text again, as a value, as a key and in a list."""

from __future__ import annotations

import pytest

from house.files.scalars import in_quotes, plain
from house.files.yamlfile import value
from house.first.hardware import lines
from house.values.hardware import UNSAID, Hardware

TEXTS = ("home", "home-ops", "apps/notes", "2024", "2024-10-01", "1e3", "0x1f", "12:30", "1.5", "true", "Yes", "null", "~", "-",
         "", "a: b", "a #b", "{x}", "é", "a\nb", "'", '"', "01", "0_1", "1/2", ".5", "_x", "*", "&a", "!x",
         "host,1", "[a]", "\x85", "a\x85b", "\x7f", "\uffff", "\ufffe", "\u2028", "\ufeff", "\x00", "\x1b[0m",
         "\U0001f600")  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_stays_one(text: str) -> None:
    for written in (plain(text), in_quotes(text)):
        assert value(f"a: {written}\n") == {"a": text}
        assert value(f"a: [{written}, x]\n") == {"a": [text, "x"]}
        assert value(f"{written}: 1\n") == {text: 1}


def test_half_a_sign_ends_no_file() -> None:
    half = "x\ud800"
    assert value(f"a: {plain(half)}\n".encode().decode()) == {"a": "x\ufffd"}


def test_what_needs_no_quotes_has_none() -> None:
    for text in ("home-ops", "apps/notes", "local-lvm", "vmbr0"):
        assert plain(text) == text


def test_a_tag_or_pool_that_looks_like_a_number_stays_what_it_is() -> None:
    told = lines(Hardware(tags=("k8s", "2024"), pool="1.5", scsi="virtio-scsi-single"), UNSAID)
    assert 'tags: [k8s, "2024"]' in told and 'pool: "1.5"' in told
