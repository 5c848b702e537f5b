"""dr.plan, dr.restore, dr.hold, dr.release."""

from __future__ import annotations

import sys
from dataclasses import replace
from shlex import quote

from adapters.context import LookContext
from adapters.hold.results import HeldClaim, HoldRecord, HoldState
from adapters.remembering import remembering
from cluster.course import Course
from cluster.hold.holding import judged, still_held
from cluster.hold.standing import Way, way
from cluster.lint.beyond import beyond_admission
from cluster.lint.given import Given
from cluster.storage.under import gates, to_write
from console.ending import LastWords, guarded
from console.opened.opening import open_session
from console.opened.programs import refuse_unfit
from console.pastdrills import forecast_by_drills
from console.screens.lint import beyond_lines, finding_rows
from console.screens.tables import database_lines, hold_table, kept_lines
from console.session import Session
from console.views.jsonlines import JsonLines
from console.views.problem import complete
from engine.errors import EXIT_HELD, EXIT_OK, SettingsInvalid
from engine.journal import read_state
from engine.probe import Condition
from engine.report import DONE, Outcome, Report
from engine.step import StepId
from engine.text.jsontext import an_object, read
from engine.text.words import number
from house.model import BackedUpClaim, House
from house.values.databases import Database
from recovery.course import course
from recovery.courses.holding import hold_course, to_hold
from recovery.courses.releasing import refuse_nothing_held, release_course
from recovery.courses.surviving import with_survivors
from recovery.databases import lost_databases, split_names
from recovery.kopia import of_kopia, refuse_kopia
from recovery.lifting import to_release, undeclared
from recovery.points.asof import moment_of
from recovery.points.kept import on_its_way
from recovery.points.survivors import winners
from recovery.selection import NOTHING, in_turn, named, select
from recovery.steps.hold.hold_now import lift_by_hand
from rehearsal.measuring import told
from rehearsal.outcome import Forecast

Releasable = BackedUpClaim | HeldClaim | Database


def plan(settings: str, json: bool, claims: str, as_of: str) -> int:
    """What a restore would do."""

    def body() -> int:
        session = open_session("dr.plan", settings, json)
        course = restore_course(session, claims, as_of)
        found = forecast(session, claims)
        words = f"{told(found)}." if found is not None else ""
        said = f"{words[:1].upper()}{words[1:]}"
        return session.plan(course, words=said, fields={"forecast": found}, act=restoring(claims, as_of))

    return guarded("dr.plan", json, body, settings)


def forecast(session: Session, claims: str) -> Forecast | None:
    """How long a recovery of these claims will take (of all required ones where nothing is named), by what drills have measured;
    None where there is none among them: nothing measures a database."""
    house = session.house
    words = split_names(house, claims)[0]
    wanted = named(house, words) if words else tuple(c for c in house.claims if not claims and c.requirement.required)
    return forecast_by_drills(house, wanted, session.clock.now()) if wanted else None


def restore(settings: str, json: bool, claims: str, as_of: str, approve: str, report: str = "") -> int:
    """Bring the claims' data back, proven, and release them."""

    def body() -> int:
        session = open_session("dr.restore", settings, json, report=report)
        if not claims and not session.json:
            for one in session.house.kopia:
                session.page.say(f"no run restores {one.source_key} (kopia): invoke dr.restore --claims {one.key} says how")
        refuse_unfit(session.house)
        # What is held still after all that are held were restored is nothing that this verb can bring back.
        again = restoring(claims, as_of) + (f" --approve {quote(approve)}" if approve else "")
        last = LastWords("invoke dr.restore" if claims else "invoke dr.hold", again=again)
        return session.apply(restore_course(session, claims, as_of), approve, words=lambda report: last)

    return guarded("dr.restore", json, body, settings)


def restoring(claims: str, as_of: str) -> str:
    """The restore of these as it is typed."""
    flags = (("--claims", claims), ("--as-of", as_of))
    return " ".join(["invoke dr.restore", *(f"{flag} {quote(value)}" for flag, value in flags if value)])


def restore_course(session: Session, claims: str, as_of: str) -> Course:
    """The recovery course for the named claims (all that are held when none is named)."""
    known, until = session.known(), moment_of(as_of, session.clock.now())
    if meant := of_kopia(session.house, claims):
        with session.doors(None) as doors:
            refuse_kopia(doors.look, session.house, meant, until, known)
    words, databases = split_names(session.house, claims)
    begun = read_state(session.house.state_dir, lineage=session.house.id).in_flight
    asked = in_turn(session.house, words) if words or not databases else ()
    with session.doors(None) as doors:
        won = winners(doors.look, asked, as_of=until)
        chosen = select(doors.look, session.house, words, known, begun, won) if asked else NOTHING
        databases = databases if claims else lost_databases(doors.look, session.house)
        seen = remembering(doors.look)
        under = gates(seen, session.house, chosen.wanted)
        written = to_write(seen, session.house, chosen.wanted)
        back = course(
            session.house, chosen.wanted, again=chosen.again, never_backed_up=chosen.never_backed_up, as_of=until, known=known,
            written=written, databases=databases,
        )
        return with_survivors(back.with_checks(under), doors.look, session.house, asked, won, begun, until)


def hold(settings: str, json: bool, claims: str, manifests: bool, report: str = "") -> int:
    """Hold these claims now; without any list what is held, since when and why; manifests: print the policies for kubectl."""

    def body() -> int:
        if manifests:
            return print_manifests(json)
        session = open_session("dr.hold", settings, json, report=report)
        return hold_now(session, claims) if claims else hold_of(session)

    return guarded("dr.hold", json, body, settings)


def hold_now(session: Session, claims: str) -> int:
    """Hold these claims, and say how that is lifted."""
    chosen = to_hold(session.house, claims, lambda: read_record(session))
    keys = ",".join(claim.key for claim in chosen)
    lifted = f"invoke dr.restore --claims {keys}" if any(c in session.house.claims for c in chosen) else lift_by_hand(chosen[0])
    done = f"Held: {keys}; where nothing is lost, each is lifted with {lift_by_hand(chosen[0]).replace(chosen[0].key, 'CLAIM')}"
    return session.apply(hold_course(session.house, chosen, session.known()), "", lifted, done, again=f"invoke dr.hold {keys}")


def hold_of(session: Session) -> int:
    """What the record says, and whether anything carries it out: a record that is gone and no hold at all are not the same."""
    with session.doors(None) as doors:
        record, missing = doors.look.hold.record(), doors.look.hold.policies_missing()
        refusing = not record.present and judged(doors.look.hold.refusals()).condition is Condition.SATISFIED
        alive, kept = alive_of(doors.look, record), doors.look.kept.volumes()
    held = still_held(record.claims)
    beyond = beyond_admission(Given(session.house, session.clock.now()))
    outcome, told = _standing(record, missing, refusing=refusing)
    if not session.json:
        if record.claims:
            session.page.show(hold_table(record, session.clock.now()))
        now = session.clock.now()
        for line in (*unrestored_lines(session.house, record), *database_lines(session.house, record, now), *kept_lines(kept, now)):
            session.page.say(line)
        for line in beyond_lines(beyond) if held else ():
            session.page.say(line)
        following = "invoke cluster.verify" if outcome == "no record" or (held and missing) else lifts(session.house, record, alive)
        session.page.say(f"\n{told}.")
        if following:
            session.page.say(f"Next: {complete(following, session.settings)}")
    strays = undeclared(session.house, record)
    rows = [
        {"claim": c.key, "state": c.state, "since": c.since, "pin": c.pin, "depth": c.depth, "declared": c not in strays}
        for c in record.claims
    ]
    code = EXIT_HELD if outcome in ("held", "no record") else EXIT_OK
    counts = {"held": len(held), "all": len(record.claims)}
    return session.finish(
        outcome, counts, code, claims=rows, databases=_database_rows(session.house, record), policies_missing=missing,
        beyond_admission=finding_rows(beyond), kept=kept,
    )  # fmt: skip


def _standing(record: HoldRecord, missing: tuple[str, ...], *, refusing: bool) -> tuple[str, str]:
    """How the hold stands, as a word and as a sentence; `missing` are its policies that are absent or differ."""
    if not record.present:
        if refusing:
            return "no record", "the hold's record is gone: its policies refuse every backup and every restore of VolSync"
        return "no hold", "this cluster has no hold: nothing keeps a backup from being written"
    held = still_held(record.claims)
    if not held:
        return "done", "nothing is held"
    policies = number(len(missing), "policy of the hold is absent or differs", "policies of the hold are absent or differ")
    lame = f"; and {policies}: {', '.join(missing)}" if missing else ""
    return "held", f"{len(held)} of {len(record.claims)} held{lame}"


def _database_rows(house: House, record: HoldRecord) -> list[dict[str, object]]:
    """Each database that the hold refuses, or that its record knows, for a program."""
    accepted: dict[str, dict[str, object]] = {
        d.key: {"state": HoldState.ACCEPTED_EMPTY, "since": d.since, "reason": d.reason} for d in record.databases
    }
    for one in record.pinned:
        state = "proven" if one.proven else "refuted" if one.refuted else "pinned"
        accepted[one.key] = {"state": state, "since": one.since, "reason": one.refuted or one.depth}
    refused = {d.key: {"state": "refused"} for d in house.databases if d.held and d.key not in accepted}
    return [{"database": key, **told} for key, told in (refused | accepted).items()]


def read_record(session: Session) -> HoldRecord:
    """The hold's record as it stands now."""
    with session.doors(None) as doors:
        return doors.look.hold.record()


def alive_of(look: LookContext, record: HoldRecord) -> tuple[str, ...]:
    """Keys of those that are held although their data are alive: a restore has to name them."""
    return tuple(c.key for c in record.claims if way(c, look.claims.claim(c.namespace, c.claim)) is Way.HELD_ALIVE)


def lifts(house: House, record: HoldRecord, alive: tuple[str, ...]) -> str:
    """The verb that lifts what is held, "" for nothing: a restore, unless the repository declares none of it."""
    held, left = still_held(record.claims), still_held(undeclared(house, record))
    if undoing := next((c for c in held if on_its_way(c)), None):
        return f"invoke dr.undo {undoing.key}"
    kopia = _kopia_held(house, record)
    known = [c for c in held if c not in left and c not in kopia]
    lost = [c for c in known if c.key not in alive]
    if lost or known:
        return "invoke dr.restore" if lost else f"invoke dr.restore --claims {','.join(c.key for c in known)}"
    if kopia:
        return f"invoke dr.restore --claims {kopia[0].key}"
    return f"invoke dr.release {left[0].key} --unproven --reason TEXT" if left else ""


def unrestored_lines(house: House, record: HoldRecord) -> list[str]:
    """The held claims that no restore can bring back: nothing in the repository says from where, or kopia keeps them."""
    by_hand = [
        f"{claim.key} is held, and kopia backs it up: invoke dr.restore --claims {claim.key} says how it is restored by hand"
        for claim in _kopia_held(house, record)
    ]
    unknown = [
        f"{claim.key} is held, and the repository does not declare its backup (any more): dr.restore does not know it"
        for claim in still_held(undeclared(house, record))
    ]
    return [*by_hand, *unknown]


def _kopia_held(house: House, record: HoldRecord) -> list[HeldClaim]:
    kopia = {claim.key for claim in house.held_kopia}
    return [claim for claim in still_held(record.claims) if claim.key in kopia]


def print_manifests(json: bool) -> int:
    """The hold's policies for kubectl; with json as part of the one result. Needs no house."""
    from adapters.hold.manifests import manifests

    if not json:
        sys.stdout.write(manifests())
        return EXIT_OK
    items = read(manifests(), an_object)["items"]
    result = {"verb": "dr.hold", "outcome": "done", "counts": {"manifests": len(items)}, "seconds": 0.0, "exit_code": EXIT_OK}
    JsonLines(sys.stdout).last({**result, "manifests": items})
    return EXIT_OK


def release(settings: str, json: bool, claim: str, unproven: bool, reason: str, report: str = "") -> int:
    """Lift the hold of one claim or database by hand: needs --unproven and a reason, which the record keeps."""

    def body() -> int:
        return release_one(open_session("dr.release", settings, json, report=report), claim, unproven, reason)

    return guarded("dr.release", json, body, settings)


def release_one(session: Session, claim: str, unproven: bool, reason: str) -> int:
    """Lift it in a run of one step."""
    chosen = to_release(session.house, claim, lambda: read_record(session))
    if not unproven or not reason:
        raise SettingsInvalid(
            f"{chosen.key} is not proven: to lift its hold all the same, say so and say why",
            next_command=f"invoke dr.release {claim.strip()} --unproven --reason TEXT",
        )
    with session.doors(None) as doors:
        course, following = releasing(session, doors.look, chosen, reason)
    again = f"invoke dr.release {claim.strip()} --unproven --reason {quote(reason)}"
    return session.apply(course, words=lambda report: released(report, course.steps[0].id, chosen, following, again))


def releasing(session: Session, look: LookContext, chosen: Releasable, reason: str) -> tuple[Course, str]:
    """The course, and what comes after it while others are held. Raises when there is nothing to lift.

    What a run that was cut off has begun is gone on with, though the record may say by now that nothing is held.
    """
    record = look.hold.record()
    alive = alive_of(look, record)
    if isinstance(chosen, Database):
        asked_again = record.database(chosen.namespace, chosen.name) is not None
        course = release_course(session.house, chosen, reason, look.clock.now() if asked_again else 0.0)
    else:
        course = release_course(session.house, chosen, reason)
        record = replace(record, claims=tuple(c for c in record.claims if c.key != chosen.key))
    if course.steps[0].id not in read_state(session.house.state_dir, lineage=session.house.id).in_flight:
        refuse_nothing_held(look, course)
    return course, lifts(session.house, record, alive)


def released(report: Report, step: StepId, chosen: Releasable, following: str, again: str) -> LastWords:
    """What the verb ends with, by what was seen at the end of its run."""
    seen = report["hold.claims"]
    held = seen.evidence if seen.outcome is Outcome.HELD else ()
    told = f"{len(held)} held still: {', '.join(held)}" if held else ""
    counts = {"released": int(report[step].done)}
    if seen.outcome in DONE:  # else nobody knows
        counts["held"] = len(held)
    kind = "database" if isinstance(chosen, Database) else "claim"
    return LastWords(following, told, again, counts, {kind: chosen.key})
