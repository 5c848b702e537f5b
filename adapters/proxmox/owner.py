"""The owner token in a VM's description: how we know our own VMs again. Knows nothing of the API that carries it."""

from __future__ import annotations

import re

from engine.errors import PermanentError

# On a line of its own. Around it people write what they like, also as Markdown code or as a list item.
_LINE = re.compile(r"[\s`*_>-]*(blackstart:[^\s:`*]+:[^\s:`*]+?)[\s`*_]*")


def describe(token: str) -> str:
    """Text for the description of a VM of ours.

    Raises PermanentError for a token that could not be found again in it.
    """
    description = f"Made by Blackstart, which knows this VM as its own by the next line.\n\n{token}\n"
    if not token or token_in(description) != token:
        raise PermanentError("this owner token could not be found again in a VM description", evidence=(repr(token),))
    return description


def token_in(description: str) -> str:
    """The owner token in a description: "" when no line is one, or when two lines contradict each other."""
    matches = (_LINE.fullmatch(line) for line in description.splitlines())
    tokens = {match[1] for match in matches if match}
    return tokens.pop() if len(tokens) == 1 else ""
