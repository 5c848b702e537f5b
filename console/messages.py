"""Tells people how a rehearsal came out, where the settings say so. What cannot be sent is a warning, and changes no verdict."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from adapters.messages.adapter import AppriseMessages, Tone
from adapters.process.keeper import Keeper
from adapters.secrets.resolver import Secrets
from engine.errors import BlackstartError
from engine.secrets import Secret, redact
from house.model import House, SecretRef
from rehearsal.outcome import DrillVerdict
from tools.places import Places

TONES = {DrillVerdict.PASS: Tone.GOOD, DrillVerdict.FAIL: Tone.BAD, DrillVerdict.UNVERIFIED: Tone.MIXED}
_LINES = 10
Resolve = Callable[[SecretRef], Secret]
Send = Callable[[Secret, str, str, Tone], str]


def send(house: House, verb: str, verdict: DrillVerdict, lines: tuple[str, ...], kept: str) -> tuple[str, ...]:
    """Tell everybody whom the settings name; answers a warning for each who was not reached. `kept` says where to read on."""
    if verdict.value not in house.messages.when or not house.messages.to:
        return ()
    with tempfile.TemporaryDirectory(prefix="blackstart-messages-") as name, Keeper(
        Path(name) / "programs", search=(Places().programs,)
    ) as keeper:  # fmt: skip
        secrets = Secrets(keeper, house.root, house.age_key)
        return send_to(house, verb, verdict, lines, kept, secrets.resolve, AppriseMessages().send)


def send_to(
    house: House, verb: str, verdict: DrillVerdict, lines: tuple[str, ...], kept: str, resolve: Resolve, deliver: Send
) -> tuple[str, ...]:  # fmt: skip
    """The same, with what resolves a reference and what delivers."""
    simulated = "[simulated] " if house.simulated else ""
    title = f"{simulated}{verdict.value}: {verb} of {house.name}"
    more = [f"and {len(lines) - _LINES} more"] if len(lines) > _LINES else []
    body = redact("\n".join((*lines[:_LINES], *more, kept)))
    troubles = []
    for ref in house.messages.to:
        where = ref.sources[0]
        try:
            problem = deliver(resolve(ref), title, body, TONES[verdict])
        except BlackstartError as error:
            problem = error.what
        if problem:
            troubles.append(f"no message to {where}: {redact(problem)}")
    return tuple(troubles)
