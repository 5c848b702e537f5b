"""The owner token in a description: found again whatever people write around it, never found where it is not."""

from __future__ import annotations

import pytest

from adapters.proxmox.owner import describe, token_in
from engine.errors import PermanentError

TOKEN = "blackstart:5f1d7c2a9e:cp-1"


@pytest.mark.parametrize(
    "description",
    [
        describe(TOKEN),
        TOKEN,
        f"{TOKEN}\n",
        f"# cp-1\r\n\r\nour first node\r\n{TOKEN}\r\nrack 2",
        f"- `{TOKEN}`",
        f"> **{TOKEN}**  ",
        f"{describe(TOKEN)}\n---\n{describe(TOKEN)}",
    ],
)
def test_it_is_found_again(description: str) -> None:
    assert token_in(description) == TOKEN


@pytest.mark.parametrize(
    "description",
    [
        "",
        "made by blackstart",
        "blackstart: see the wiki",
        f"was {TOKEN} until March",
        f"{TOKEN} (retired)",
        f"{TOKEN}\nblackstart:5f1d7c2a9e:cp-2",
        "blackstart:5f1d7c2a9e:",
    ],
)
def test_it_is_not_found_where_it_is_not(description: str) -> None:
    assert token_in(description) == ""


@pytest.mark.parametrize("token", ["", "cp-1", "blackstart:a b:cp-1", "blackstart:a:b\nblackstart:a:c"])
def test_a_token_that_would_be_lost_is_refused(token: str) -> None:
    with pytest.raises(PermanentError):
        describe(token)
