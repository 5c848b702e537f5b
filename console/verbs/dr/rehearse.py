"""dr.rehearse: one drill beside the living house, from its budget to its verdict."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from adapters.context import LookContext
from console.ending import LastWords, drilled, guarded
from console.kit.nouns import from_kit as from_kit_of
from console.kit.opening import house_of
from console.messages import send
from console.opened.journals import REHEARSE, journal_folder
from console.opened.openhouse import OpenDoors
from console.opened.opening import open_session, real_doors, session_of
from console.opened.programs import refuse_unfit
from console.pastdrills import past_drills
from console.session import Session
from console.verbs.dr.kit import handed
from console.verbs.dr.rebuild import VERB as REBUILD
from console.verbs.dr.rebuild import rebuild
from engine.errors import EXIT_OK, BlackstartError, SettingsInvalid
from engine.journal import read_state
from engine.report import Report
from engine.text.lengths import duration, span
from engine.text.words import number
from engine.workers import Threads, each
from house.files.grammar import number_of
from house.model import BackedUpClaim, House
from house.settings.values import size_of
from recovery.points.found import everywhere
from recovery.selection import named
from rehearsal.beginning import Begun, begin, outcome_of
from rehearsal.choosing import Budget, candidates, choose
from rehearsal.controls import following
from rehearsal.course import clearing
from rehearsal.drill import Drill
from rehearsal.egress import told as egress_told
from rehearsal.measuring import held, told
from rehearsal.outcome import DrillOutcome, DrillVerdict
from rehearsal.reaching import reaching


@dataclass(frozen=True)
class Asked:
    """What the command line asks of a rehearsal; sizes and times as they were typed."""

    claims: str = ""
    max_bytes: str = ""
    max_time: str = ""
    max_egress: str = ""
    clean: bool = False
    bootstrap: bool = False
    from_kit: str = ""
    identity: str = ""
    kept: str = ""

    @property
    def typed(self) -> str:
        """The command as it was typed, but for --settings and --report: it goes on from where it broke off."""
        flags = {
            "--from-kit": self.from_kit, "--identity": self.identity, "--secrets": self.kept, "--claims": self.claims,
            "--max-bytes": self.max_bytes, "--max-egress": self.max_egress, "--max-time": self.max_time,
        }
        words = [f" {flag} {shlex.quote(text)}" for flag, text in flags.items() if text]
        return f"invoke {REHEARSE}{''.join(words)}{' --clean' if self.clean else ''}"

    @property
    def verb(self) -> str:
        """The verb that it is told as."""
        return REBUILD if self.bootstrap else REHEARSE

    def budget(self) -> Budget:
        """How much it may take. Raises SettingsInvalid, also for what does not go together."""
        limits = self.max_bytes or self.max_time or self.max_egress
        if self.bootstrap and (self.claims or limits or self.clean):
            raise SettingsInvalid(
                "--bootstrap drills no claim", hint="rehearse twice: once with --bootstrap, once with what is said of claims"
            )
        return Budget(
            bytes_of("--max-bytes", self.max_bytes) if self.max_bytes else 0, seconds_of(self.max_time) if self.max_time else 0.0,
            bytes_of("--max-egress", self.max_egress) if self.max_egress else 0,
        )  # fmt: skip


def rehearse(
    settings: str, json: bool, claims: str, max_bytes: str, max_time: str, max_egress: str, clean: bool, bootstrap: bool,
    report: str = "", from_kit: str = "", identity: str = "", kept: str = "",
) -> int:  # fmt: skip
    """Restore claims beside themselves, compare, and say PASS (0), FAIL (4) or UNVERIFIED (5); or ask what a rebuild needs."""
    asked = Asked(claims, max_bytes, max_time, max_egress, clean, bootstrap, from_kit, identity, kept)

    def body() -> int:
        budget = asked.budget()
        if not from_kit:
            if identity or kept:
                raise SettingsInvalid("--identity and --secrets are for a kit: right would be --from-kit FILE besides")
            return answer(open_session(asked.verb, settings, json, report=report), asked, budget)
        if settings:
            raise SettingsInvalid("--from-kit has settings of its own; right would be to name no others by --settings")
        sealed = handed(from_kit, identity, kept)
        with house_of(sealed) as (house, manifest):
            session = session_of(asked.verb, house, json, report=report)
            session.kit = from_kit_of(str(sealed.file), manifest, session.clock.now())
            session.page.say(f"From {session.kit.told}.")
            if asked.bootstrap:
                return answer(session, asked, budget)
            return reached(session, real_doors, lambda: answer(session, asked, budget), asked.typed)

    return guarded(REHEARSE, json, body, settings)


def reached(session: Session, doors: OpenDoors, work: Callable[[], int], again: str) -> int:
    """Work on a cluster that lives, of which this machine has no kubeconfig: it is fetched first, through these doors of a run."""
    reach = Session(session.verb, session.house, doors, session.json, kit=session.kit)
    code = reach.apply(reaching(session.house), words=lambda report: LastWords(again=again))
    return work() if code == EXIT_OK else code


def answer(session: Session, asked: Asked, budget: Budget) -> int:
    """The rehearsal that was asked for, in a session that stands open."""
    if asked.bootstrap:
        return rebuild(session)
    refuse_unfit(session.house)
    if asked.clean:
        return session.apply(clearing(), again=asked.typed)
    return rehearse_of(session, asked, budget)


def rehearse_of(session: Session, asked: Asked, budget: Budget) -> int:
    """One drill, begun or gone on with. What an earlier one left too little of to go on with is cleared away first."""
    house = session.house
    in_flight = tuple(read_state(house.state_dir, lineage=house.id).in_flight)
    with session.doors(None) as doors:
        look = doors.look
        begun = begin(
            look, house, lambda: new_drill(session, look, asked.claims, budget), in_flight=in_flight, known=session.known()
        )
    code = session.apply(begun.course, words=lambda report: last_words(session, begun, report, asked.typed))
    if begun.drill is not None or concluded(session) or code != EXIT_OK:
        return code
    again = Session(
        session.verb, house, session.open_doors, session.json, session.settings, session.report, session.out, session.stop,
        kit=session.kit,
    )  # fmt: skip
    return rehearse_of(again, asked, budget)


def new_drill(session: Session, look: LookContext, claims: str, budget: Budget) -> Drill:
    """A drill of the named claims, or of as many required ones as the budget allows. Raises SettingsInvalid where none is left."""
    house, past = session.house, past_drills(session.house, session.clock.now())
    wanted = named(house, claims) if claims else tuple(c for c in house.claims if c.requirement.required)
    undeclared = tuple(f"{c.key}: nothing declares how it is restored" for c in wanted if not c.destination)
    wanted = tuple(c for c in wanted if c.destination)
    others = () if claims else tuple(f"{c.key}: it may be empty" for c in house.claims if not c.requirement.required)
    sizes = _sizes(look, house, wanted) if budget.bytes or budget.seconds or budget.egress else {}
    chosen = choose(candidates(wanted, sizes, past.proven, past.took), budget)
    if not chosen.claims:
        raise SettingsInvalid(
            "no claim is left to rehearse", evidence=(*chosen.left_out, *undeclared, *others),
            hint="give more: --max-bytes, --max-time, --max-egress" if chosen.left_out else "name one: --claims NAMESPACE/NAME",
        )  # fmt: skip
    left = (*chosen.left_out, *undeclared, *others)
    now = look.clock.now()
    return Drill(house, session.run_id, now, chosen.claims, following(past.control), left, session.known(), past.took, past.fetched)


def _sizes(look: LookContext, house: House, claims: tuple[BackedUpClaim, ...]) -> dict[str, int]:
    """Bytes of each claim's newest snapshot, by its key; those that nobody knows are not in it."""

    def size_of_newest(claim: BackedUpClaim) -> int | None:
        try:
            points = everywhere(look.backups, house, claim, look.clock.now()).count.points
        except BlackstartError:
            return None  # the drill itself tells what is wrong with it
        return next((p.size for p in points if p.complete and p.size), None)

    opened = [claim for claim in claims if claim.open_as]
    found = each(Threads(), size_of_newest, opened, at_once=house.limits.parallel)
    return {claim.key: size for claim, size in zip(opened, found, strict=True) if size}


def concluded(session: Session) -> bool:
    """Whether the journal of rehearsals ends with an outcome that this very run wrote there."""
    from rehearsal.steps.clear_scratch import CLEAR

    folder = journal_folder(session.house.state_dir, session.verb)
    state = read_state(folder, lineage=session.house.id)
    last = state.last.get(CLEAR)
    return last is not None and last.run == session.run_id and bool(state.notes_of(CLEAR))


def last_words(session: Session, begun: Begun, report: Report, again: str) -> LastWords:
    """The verdict, its reasons, and what was not looked at."""
    state = read_state(journal_folder(session.house.state_dir, session.verb), lineage=session.house.id)
    outcome = outcome_of(begun, report, state, session.clock.now())
    if outcome is None or (begun.drill is None and not concluded(session)):
        return LastWords(done="what an earlier rehearsal left is cleared away")
    tell(session, outcome)
    if drilled(report, outcome):
        kept = f"run {session.run_id}: {where_kept(session)}"
        session.troubles += send(session.house, REHEARSE, outcome.verdict, message_of(outcome), kept)
    return LastWords(drill=outcome, again=again, fields={"drill": replace(outcome)})


def where_kept(session: Session) -> str:
    """Where to read on. Of a drill from a kit nothing is kept but what --report names."""
    if session.kit is None:
        return f"invoke dr.report --run {session.run_id} --report FOLDER"
    told = f"its evidence is {session.recorder.folder}" if session.recorder.folder is not None else "no --report was named"
    return f"from {session.kit.told}; {told}"


def message_of(outcome: DrillOutcome) -> tuple[str, ...]:
    """What a message says of it, in lines."""
    good = [f"{claim.name}: PASS" for claim in outcome.claims if claim.verdict is DrillVerdict.PASS]
    return (*outcome.reasons, *good, *(f"warning: {line}" for line in outcome.warnings))


def tell(session: Session, outcome: DrillOutcome) -> None:
    """Say it: verdict first, then each claim, then what it does not cover."""
    say = session.page.say
    say(f"\n{outcome.verdict.value}: {'; '.join(outcome.reasons) or 'every claim came back as it was backed up'}")
    for claim in outcome.claims:
        age = f"{span(claim.rpo_seconds)} old" if claim.rpo_seconds is not None else "of unknown age"
        took = f"back in {duration(claim.rto_seconds)}" if claim.rto_seconds is not None else "not timed"
        files = "files that nobody counted" if claim.files is None else number(claim.files, "file")
        passed = f"{files}, every byte; {age}, {took}"
        say(f"  {claim.verdict.value} {claim.name}: {claim.reason or passed}")
        if forecast := held(claim):
            say(f"    {forecast}")
        for probe in claim.probes:
            say(f"    probe {probe.name}: {probe.verdict.value}{f', {probe.detail}' if probe.detail else ''}")
    if outcome.canary.verdict is DrillVerdict.PASS:
        say(f"  a word of ours went to the store and back: backed up in {outcome.canary.seconds or 0.0:.0f} s")
    if outcome.control.name:
        caught = "was found" if outcome.control.caught else "was NOT found"
        say(f"  planted: {outcome.control.name}, which {caught}: {outcome.control.came_out}")
    if outcome.forecast is not None and any(one.rto_seconds is not None for one in outcome.claims):
        say(f"  {told(outcome.forecast)}")
    if outcome.claims:
        say(f"  fetched out of the stores: {egress_told(outcome.egress)}")
    for line in outcome.not_looked_at:
        say(f"  not looked at: {line}")
    for line in outcome.warnings:
        say(f"  warning: {line}")
    if outcome.simulated:
        say("Simulated: this says nothing about a real house.")


def bytes_of(flag: str, text: str) -> int:
    """`2GiB` in bytes. Raises SettingsInvalid."""
    try:
        size = size_of(text)
    except ValueError as error:
        raise SettingsInvalid(f"{flag} {text} is no size; right would be: 2GiB") from error
    if not size:
        raise SettingsInvalid(f"{flag} 0 would restore nothing; right would be: 2GiB")
    return size


_MOST_TIME = 999_999


def seconds_of(text: str) -> float:
    """`90s`, `30m` or `2h` in seconds. Raises SettingsInvalid."""
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:], 0)
    if not unit or not (number := number_of(text[:-1], _MOST_TIME)):
        raise SettingsInvalid(f"--max-time {text[:40]} is no time; right would be: 90s, 30m or 2h")
    return float(number * unit)
