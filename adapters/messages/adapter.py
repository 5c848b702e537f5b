"""Messages through Apprise, which knows a hundred services by a URL each. It is an extra (requirements-messages.lock): without it
nothing is sent, and that is said. Knows no verdict.

A URL holds a password or a token: it is revealed to Apprise alone, and what Apprise says of it, or of a part of it, is masked.
"""

from __future__ import annotations

import importlib
import io
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any
from urllib.parse import unquote

from engine.secrets import MASK, Secret
from engine.text.words import last_lines

NOT_INSTALLED = "apprise is not installed: .venv/bin/pip install --require-hashes -r requirements-messages.lock"
LONGEST = 1500
"""Characters of a body: some services cut off, or refuse, what is longer."""

LIMIT_S = 60.0
_SILENCE = logging.NullHandler()
_BETWEEN = re.compile(r"[/:@?&=#]+")
_TOKEN = 6
"""Characters; a shorter part is taken for a word, which would be masked everywhere."""


class Tone(Enum):
    """How a service may colour it; the value is Apprise's word."""

    GOOD = "success"
    MIXED = "warning"
    BAD = "failure"


class AppriseMessages:
    """`load` brings the library; ImportError where it is not there. A service is given up after `limit_s` seconds."""

    def __init__(self, load: Callable[[], Any] = lambda: importlib.import_module("apprise"), limit_s: float = LIMIT_S) -> None:
        self._load = load
        self._limit_s = limit_s

    def problem(self) -> str:
        """Why nothing can be sent from here, "" where it can."""
        try:
            self._load()
        except ImportError:
            return NOT_INSTALLED
        return ""

    def send(self, url: Secret, title: str, body: str, tone: Tone) -> str:
        """Send it to this one service; answers why it was not taken, "" where it was.

        Apprise's own limit leaves a thread behind that keeps the process from ending; this one is a daemon, and keeps nothing.
        """
        if problem := self.problem():
            return problem
        answers: list[str] = []
        sending = threading.Thread(target=lambda: answers.append(self._told(url, title, body, tone)), name="message", daemon=True)
        sending.start()
        sending.join(self._limit_s)
        return answers[0] if answers else f"it was not taken: no answer in {self._limit_s:.0f} s"

    def _told(self, url: Secret, title: str, body: str, tone: Tone) -> str:
        with _heard() as said:
            try:
                library = self._load()
                service = library.Apprise(asset=library.AppriseAsset(async_mode=False, service_timeout=0))
                if not service.add(url.reveal()):
                    return "its URL is none that apprise knows"
                taken = service.notify(title=title, body=_short(body), notify_type=tone.value)
            except Exception as error:  # noqa: BLE001 - a hundred services' code: none of it may change a verdict
                return f"it was not taken: apprise broke off with {type(error).__name__}"
        if taken:
            return ""
        last = last_lines(said.getvalue())
        return f"it was not taken: {_without(url, last[0])}" if last else "it was not taken, and apprise does not say why"


def _without(url: Secret, said: str) -> str:
    """What was said with no part of the URL in it that may be a token: the register knows the URL as a whole alone."""
    parts = {form for part in _BETWEEN.split(url.reveal()) for form in (part, unquote(part)) if len(form) >= _TOKEN}
    for part in sorted(parts, key=len, reverse=True):
        said = said.replace(part, MASK)
    return said


def _short(body: str) -> str:
    return body if len(body) <= LONGEST else f"{body[: LONGEST - 1]}…"


@contextmanager
def _heard() -> Iterator[io.StringIO]:
    """What Apprise logs meanwhile, which goes nowhere else: no screen and no log of ours shows a URL of its."""
    logger, said, mine = logging.getLogger("apprise"), io.StringIO(), threading.get_ident()
    handler, propagated = logging.StreamHandler(said), logger.propagate
    handler.setLevel(logging.WARNING)
    handler.addFilter(lambda record: record.thread == mine)
    logger.addHandler(_SILENCE)  # for good: what was given up and speaks later would else come to standard error
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
