"""How long the admin certificate of a talosconfig is good; what is no certificate is not good, and made again."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from adapters.talos.talosconfig import admin_certificate_good
from lab.parts.plane.pki import authority

GOOD = authority("talos").certificate


@pytest.mark.parametrize(
    ("certificate", "good"),
    [(GOOD, True), (GOOD[:-300], False), (b"no certificate at all", False), (b"", False)],
)
def test_the_admin_certificate_is_good_or_not(tmp_path: Path, certificate: bytes, good: bool) -> None:
    told = base64.b64encode(certificate).decode()
    file = tmp_path / "talosconfig"
    file.write_text(f"context: house\ncontexts: {{house: {{ca: {told}, crt: {told}}}}}\n")
    assert admin_certificate_good(file) is good


def test_a_talosconfig_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert not admin_certificate_good(tmp_path / "talosconfig")


@pytest.mark.parametrize("content", [
    b"", b"[]", b"word", b"context: [\n", b"\xff\xfe", b"context: house\n", b"context: [house]\ncontexts: {house: {crt: x}}\n",
    b"context: house\ncontexts: []\n", b"context: house\ncontexts: {house: 7}\n",
    b"context: house\ncontexts: {house: {crt: [x]}}\n", b"context: house\ncontexts: {house: {crt: '!'}}\n",
])  # fmt: skip
def test_what_is_no_talosconfig_is_made_again(tmp_path: Path, content: bytes) -> None:
    """It can be: a look that broke off at it would keep the step from doing so."""
    (tmp_path / "talosconfig").write_bytes(content)
    assert admin_certificate_good(tmp_path / "talosconfig") is False
