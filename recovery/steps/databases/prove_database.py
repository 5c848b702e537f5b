"""Prove a restored database by what its archive promises and by what the settings ask of it; only then Flux gets it back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapters.cnpg.results import Login, Reached
from adapters.context import ActContext, LookContext
from adapters.hold.results import PinnedDatabase
from cluster.backups.proofs import PROOF_NOTE, Kind, Proof
from cluster.recovered import differences, reached_words, utc
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, held, missing, satisfied, unknown
from engine.step import WARNING_NOTE, BaseStep, Notes, StepId
from house.model import House
from house.values.databases import DatabaseQuestion, RestorableDatabase
from recovery.databases import archives_elsewhere, distances, pinned
from recovery.steps.databases.restore_database import kustomization

_NUMBER = re.compile(r"(>=?)\s*(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class ProveDatabase(BaseStep):
    """The operator's word is not asked here: the database says who it is, which timeline it came along and how far."""

    house: House
    one: RestorableDatabase
    system = "kubernetes"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"dr.database-restore/{self.one.key}",)

    @property
    def id(self) -> StepId:
        return StepId(f"dr.database-prove/{self.one.key}")

    @property
    def title(self) -> str:
        return f"database {self.one.key} proven by its archive's promise"

    @property
    def inputs(self) -> str:
        return f"{self.one.key} {len(self.one.questions)}"

    def probe(self, look: LookContext) -> Probe:
        database, record = self.one.database, look.hold.record()
        entry, now = pinned(record, self.one), look.databases.database(database.namespace, database.name)
        if entry is None or not now.present:
            return unknown("there is no restored database to look at")
        if not entry.proven or entry.uid != now.uid:
            return missing("not proven yet", *((f"last time: {entry.refuted}",) if entry.refuted else ()))
        told = "; ".join((entry.depth, *distances(self.house, record, self.one, entry.point.time)))
        found = kustomization(look.flux, self.one)
        if found is None or not found.ours:
            return satisfied(told)
        if archives_elsewhere(self.one, entry):
            return missing(f"proven; Kustomization {found.key} is still suspended by us")
        return held(f"{told}; {self._waits(entry, found.key)}")

    def _waits(self, entry: PinnedDatabase, key: str) -> str:
        return (
            f"Kustomization {key} stays suspended: Git lets the database archive to {entry.place}, where it was restored from; "
            "give it the serverName of the recovery in the state folder, push it, and run the same again"
        )

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        database = self.one.database
        entry, now = pinned(act.hold.record(), self.one), act.databases.database(database.namespace, database.name)
        if entry is None or not now.present:
            raise TransientError(f"database {self.one.key} is gone meanwhile")
        if not entry.proven or entry.uid != now.uid:
            entry = self._proven(act, entry, now.uid, notes)
        found = kustomization(act.flux, self.one)
        if found is not None and found.ours and archives_elsewhere(self.one, entry):
            act.databases.hand_over(database.namespace, database.name)
            act.flux.suspend(found.namespace, found.name, on=False)
            act.flux.request("Kustomization", found.namespace, found.name)

    def _proven(self, act: ActContext, entry: PinnedDatabase, uid: str, notes: Notes) -> PinnedDatabase:
        """The entry, written as proven. PermanentError where two looks say the same that is wrong."""
        found, wrong = self._asked(act, entry)
        if wrong:
            found, again = self._asked(act, entry)
            if again != wrong:
                raise TransientError(f"database {self.one.key} says one thing and then another", evidence=(*wrong, *again))
            act.hold.put_database(replace(entry, refuted="; ".join(wrong), uid=uid, proven=0.0))
            raise PermanentError(
                f"database {self.one.key} is not what its archive promises", evidence=wrong,
                hint="the archive is as it was; delete the Cluster by hand, and run the same again once the cause is mended",
            )  # fmt: skip
        login = act.databases.login(self.one)
        depth = "; ".join((reached_words(entry.point, found), self._questions(), login_words(login)))
        if not login.tried or login.refused:
            notes.put(WARNING_NOTE, login_words(login))
        entry = replace(entry, uid=uid, proven=act.clock.now(), depth=depth, refuted="")
        point = entry.point
        proof = Proof(Kind.DATABASE, self.one.key, point.system_id, point.base, utc(point.time), depth, "", 0)
        notes.put(PROOF_NOTE, proof.note())
        act.hold.put_database(entry)
        return entry

    def _asked(self, act: ActContext, entry: PinnedDatabase) -> tuple[Reached, tuple[str, ...]]:
        """What it says of itself, and all in which that, or an answer, is not what it should be."""
        database = self.one.database
        found = act.databases.reached(database.namespace, database.name)
        wrong = list(differences(entry.point, found))
        if not wrong:
            for question in self.one.questions:
                got = act.databases.answer(database.namespace, database.name, question)
                if not is_expected(question, got):
                    wrong.append(f"{question.sql} answers {got[:200] or 'nothing'}, and {question.expect} was expected")
        return found, tuple(wrong)

    def _questions(self) -> str:
        count = len(self.one.questions)
        return f"{count} of its own questions answered as expected" if count else "no question of the settings was asked of it"

    def by_hand(self) -> str:
        database = self.one.database
        pod = f"kubectl -n {database.namespace} exec -i {database.name}-1 -c postgres --"
        return f"{pod} sh -c 'pg_controldata \"$PGDATA\"; tail -n 2 \"$PGDATA\"/pg_wal/*.history'"


def is_expected(question: DatabaseQuestion, got: str) -> bool:
    """Whether an answer is the expected text, or a number that is great enough."""
    bound = _NUMBER.fullmatch(question.expect.strip())
    if bound is None:
        return got.strip() == question.expect.strip()
    try:
        number = float(got.strip())
    except ValueError:
        return False
    return number > float(bound[2]) if bound[1] == ">" else number >= float(bound[2])


def login_words(login: Login) -> str:
    """What is known of the application's password."""
    if not login.tried:
        return f"the application's login was not tried: {login.refused}"
    made = ", a password that the operator made up" if login.generated else ""
    where = f"the application's login as {login.user} with Secret {login.secret}{made}"
    return f"{where}, is refused: {login.refused}" if login.refused else f"{where}, works"


def steps(house: House, databases: tuple[RestorableDatabase, ...]) -> Iterator[ProveDatabase]:
    """One for every database to restore."""
    for one in databases:
        yield ProveDatabase(house, one)
