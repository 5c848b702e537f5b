"""What a consent names and a digest is made of are values: no word of them changes them once it has become a secret."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from engine.approval import Approval, ApprovedAct, approve
from engine.graph import Graph
from engine.journal import read_state
from engine.plan import plan
from engine.probe import Identity, Probe, drifted, missing, satisfied
from engine.secrets import Secret
from engine.step import Hazard, Notes, StepId
from tests.engine.toys import HOUSE, Bench, Shelf, Thing, ToyStep


@dataclass(frozen=True)
class Claim(Identity):
    """A claim by name and uid; `told` is for a person."""

    name: str
    uid: str
    told: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"claim {self.name} uid {self.uid} {self.told}"


@dataclass(frozen=True)
class Renamed(Identity):
    """Has the fields of another kind."""

    name: str
    uid: str


def test_a_digest_is_over_the_kind_and_the_compared_values() -> None:
    base = Claim("apps/notes", "1").digest
    assert Claim("apps/notes", "1", "however it is told").digest == base
    others = {Claim("apps/notes", "2").digest, Claim("apps/note", "s1").digest, Renamed("apps/notes", "1").digest}
    assert len(others | {base}) == 4


@dataclass(frozen=True)
class Replace(ToyStep):
    """Replaces what it saw, and nothing else: the look makes a word of it a secret, as one that resolves a reference does."""

    word: str = ""
    look_first: bool = False

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DESTROYS

    def identity(self, seen: Probe) -> Identity | None:
        return seen.identity

    def probe(self, look: Shelf) -> Probe:
        if self.id in look.things:
            return satisfied()
        if self.word:
            Secret(self.word)
        return drifted("alive", "claim quxapps/notes uid 17", identity=Claim("quxapps/notes", "17"))

    def apply(self, act: Shelf, seen: Probe, notes: Notes) -> None:
        assert seen.identity == Claim("quxapps/notes", "17"), "what was seen is handed on as it was seen"
        assert seen.evidence == ("claim quxapps/notes uid 17",)
        act.put(self.id)


def test_a_word_of_it_that_becomes_a_secret_changes_no_digest_and_no_consent(bench: Bench) -> None:
    """A restore whose claim has a word of a password in its name can be approved, now and by the next run."""
    before = plan(Graph([Replace(StepId("toy.put/a"), inputs="quxapps/notes")]), bench.shelf)
    step = Replace(StepId("toy.put/a"), inputs="quxapps/notes", word="quxapps")
    after = plan(Graph([step]), bench.shelf)
    assert after.digest == before.digest and after.acts == before.acts
    given = approve(
        before.digest, acts=before.acts, plan_digest=after.digest, journalled=(), now=bench.clock.now(), valid_s=60.0
    )
    assert bench.run(step, approval=given).exit_code == 0 and bench.shelf.done == ["toy.put/a"]
    (kept,) = read_state(bench.folder, lineage=HOUSE).approvals
    assert "quxapps" not in kept and Approval.from_text(kept) == given, "redacted where it left, and the same consent"
    bench.shelf.things.clear()
    assert bench.run(step, approval=Approval.from_text(kept)).exit_code == 0


def test_what_leaves_is_redacted(bench: Bench) -> None:
    word = Secret("hunter2-quxmark").reveal()
    step = ToyStep(StepId("toy.put/a"), bad=Hazard.DESTROYS, named=f"claim {word}", looks=lambda _: missing(word, word, hint=word))
    made = plan(Graph([step]), bench.shelf)
    report = bench.run(step)
    journal = (bench.folder / "journal").read_text()
    for told in (repr(made), repr(report), *map(str, bench.seen), journal, made.acts[0].words):
        assert word not in told
    error = report["toy.put/a"].error
    assert error is not None and word not in error.what


@pytest.mark.parametrize("old", ['{"digest": "d", "expires": 1e12, "acts": [["toy.put/a", "destroys", "claim notes"]]}'])
def test_a_consent_in_an_older_version_s_words_names_no_act(bench: Bench, old: str) -> None:
    named = ApprovedAct.to(Thing("claim notes"), StepId("toy.put/a"), Hazard.DESTROYS)
    assert named not in Approval.from_text(old).acts
