"""lab.*: up, status, down, fault, demo of the simulated house."""

from __future__ import annotations

import sys
import time
from collections import Counter
from functools import partial

from console.ending import guarded
from console.views.jsonlines import JsonLines
from console.views.page import MARK
from engine.errors import EXIT_OK, PermanentError
from engine.text.words import number

PARTS = ("storage", "loss", "rehearsal")


def up(house: str, scenario: str, speed: float) -> int:
    """Start the house; returns when all its doors are open."""

    def body() -> int:
        from console.demo.built import build
        from console.demo.driving import Driver, end_left_over
        from lab.houses.nouns import HouseFolder
        from lab.running.control import ask
        from lab.running.starting import daemon, shape_of, start
        from lab.scenarios import known

        began = time.monotonic()
        chosen = known(scenario or "empty", shape_of(house))
        folder = HouseFolder.of(house)
        if daemon(folder) is None:
            end_left_over(folder.settings)  # a verb that a killed lab.up left building must not build in this house
        told = start(house, chosen.name, float(speed), folder)
        _say(f"{house} runs: all doors are open after {time.monotonic() - began:.1f} s.")
        build(
            chosen, Driver(folder.settings).run, partial(ask, folder.control), _say, f"invoke lab.down --house {house}"
        )
        _say(f"Scenario {chosen.name}: {chosen.what}.")
        _say(f"Settings for every verb: --settings {told['settings']}")
        _say(f"Addresses, CA files and credentials: {told['settings'].replace('blackstart.yaml', 'endpoints.json')}")
        return EXIT_OK

    return guarded("lab.up", False, body)


def status(house: str, json: bool) -> int:
    """What of the house runs: VMs, machines, programs, faults."""

    def body() -> int:
        from lab.houses.nouns import HouseFolder
        from lab.running.control import ask
        from lab.running.starting import shape_of, told_endpoints

        began = time.monotonic()
        folder = HouseFolder.of(shape_of(house).name)
        told = told_endpoints(folder)
        seen = ask(folder.control, {"do": "status"})
        counts = {"vms": len(seen["vms"]), "programs": len(seen["programs"]), "errors": len(seen["errors"])}
        if json:
            result = {
                "verb": "lab.status", "outcome": "runs", "counts": counts, "seconds": round(time.monotonic() - began, 3),
                "exit_code": EXIT_OK, "endpoints": told, **seen,
            }  # fmt: skip
            JsonLines(sys.stdout).last(result)
            return EXIT_OK
        for vm in seen["vms"]:
            _say(f"VM {vm['id']} {vm['name']} on {vm['host']}: {'on' if vm['running'] else 'off'}")
        for name, machine in seen["machines"].items():
            _say(f"{name} at {machine['address']}: {machine['stage'] or machine['stuck'] or 'dark'}, API {machine['port']}")
        for name, members in seen["etcd"].items():
            _say(f"etcd of {name} lists: {', '.join(members) or 'does not answer'}")
        _say(f"{number(counts['programs'], 'program')} at work; {number(len(seen['faults']['struck']), 'fault')} struck so far.")
        for call in seen["unknown_calls"]:
            _say(f"not known to the lab, and refused: {call}")
        for error in seen["errors"]:
            _say(f"a fault of the lab itself: {error}")
        return EXIT_OK

    return guarded("lab.status", json, body)


def down(house: str) -> int:
    """End the house; nothing of it is left running."""

    def body() -> int:
        from lab.running.starting import stop

        _say(f"{house} is down." if stop(house) else f"{house} did not run.")
        return EXIT_OK

    return guarded("lab.down", False, body)


def fault(house: str, at: str, fault: str, listed: bool, json: bool) -> int:
    """Arm a fault at a mutation of the running house; or let a trouble begin (`no-…`: end), `at` then names whom it befalls.

    `listed`: only tell which there are, by system.
    """

    def body() -> int:
        if listed:
            return _list_faults(json)
        from lab.houses.nouns import HouseFolder
        from lab.running.control import ask
        from lab.running.starting import shape_of, told_endpoints
        from lab.troubles.named import named
        from lab.world.faults import Fault

        faults = [each.value for each in Fault]
        trouble, ends = fault.removeprefix("no-"), fault.startswith("no-")
        if fault not in faults:
            named(trouble)
        folder = HouseFolder.of(shape_of(house).name)
        told_endpoints(folder)
        if fault in faults:
            ask(folder.control, {"do": "arm", "at": at, "fault": fault})
            _say(f"{fault} waits for {at}")
            if fault.startswith("die-"):
                _say(
                    "Whom it ends is told to the control socket (docs/lab.md); until then it only cuts the connection."
                )
        else:
            ask(folder.control, {"do": "trouble", "name": trouble, "target": at, "end": ends})
            told = named(trouble)
            _say(f"{trouble} {at} {'ends' if ends else 'begins'} ({told.system}): {told.what}")
        return EXIT_OK

    return guarded("lab.fault", json, body)


def _list_faults(json: bool) -> int:
    """Every fault by name and system, with whom it befalls; needs no house."""
    from lab.troubles.named import TROUBLES
    from lab.world.faults import WHAT, Fault

    rows = [{"name": one.value, "system": "at a mutation", "target": "", "what": WHAT[one]} for one in Fault]
    rows += [{"name": one.name, "system": one.system, "target": one.target, "what": one.what} for one in TROUBLES.values()]
    if json:
        counts = Counter(row["system"] for row in rows)
        result = {"verb": "lab.fault", "outcome": "listed", "counts": counts, "seconds": 0.0, "exit_code": EXIT_OK, "faults": rows}
        JsonLines(sys.stdout).last(result)
        return EXIT_OK
    for system in dict.fromkeys(row["system"] for row in rows):
        _say(f"{system}:")
        for row in rows:
            if row["system"] == system:
                _say(f"  {' '.join(filter(None, (row['name'], row['target'].upper())))}: {row['what']}")
    _say(f"{number(len(rows), 'fault')}. invoke lab.fault TARGET NAME begins one ('' for no target), no-NAME ends it.")
    return EXIT_OK


def demo(modelled: bool, part: str) -> int:
    """The whole job in the simulated house (console/demo), or one part of it: what is modelled there says so."""

    def body() -> int:
        if part:
            if part not in PARTS:
                raise PermanentError(f"the demo has no part {part}", hint=f"there is {', '.join(PARTS)}; without one it plays all")
            if part == "storage":
                from console.demo.storage import play
            elif part == "rehearsal":
                if modelled:
                    raise PermanentError("a rehearsal is played with the real programs alone", hint="leave --modelled out")
                from console.demo.rehearsal import play
            elif modelled:
                from console.demo.loss.modelled import play
            else:
                from console.demo.loss.play import play
        elif modelled:
            from console.demo.modelled import play
        else:
            from console.demo.full import play
        return play()

    return guarded("lab.demo", False, body)


def _say(line: str) -> None:
    sys.stdout.write(f"{MARK}{line}\n")
