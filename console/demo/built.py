"""Brings a started house into a scenario that begins in a built one: the tool builds it and restores its data, then troubles begin.

Knows no step: it drives `invoke` from outside, as the demo does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.demo.driving import Verb
from engine.errors import EXIT_HELD, EXIT_OK, PermanentError
from lab.scenarios import Scenario
from lab.troubles.named import TROUBLES

BUILDING = (("cluster.bootstrap", (EXIT_OK, EXIT_HELD)), ("dr.restore", (EXIT_OK,)))
"""The verbs that make a built and used house of bare hosts and backups, and the exit codes with which each has done so."""


def build(
    scenario: Scenario,
    run: Callable[[str], Verb],
    tell: Callable[[dict[str, Any]], object],
    say: Callable[[str], None],
    down: str,
) -> None:
    """Nothing for a scenario that needs no built house. `run` runs a verb, `tell` gives the house's control socket a command.

    PermanentError when a verb does not end well: the scenario is then not reached, and no trouble begins. `down` is the
    command that ends the house.
    """
    if not scenario.built:
        return
    for verb, good in BUILDING:
        say(f"{scenario.name} begins in a built house: invoke {verb} runs, which takes a minute or two ...")
        done = run(verb)
        if done.code not in good:
            failed = tuple(f"{s['id']}: {s['detail']}" for s in done.result.get("steps", []) if s["outcome"] == "failed")
            raise PermanentError(
                f"the house for {scenario.name} could not be built: {verb} ended with {done.code}",
                evidence=failed, hint="it runs as far as it came, and can be looked at", next_command=down,
            )  # fmt: skip
    for name, target in scenario.troubles:
        tell({"do": "trouble", "name": name, "target": target})
        say(f"{name} {target} begins: {TROUBLES[name].what}".replace("  ", " "))
