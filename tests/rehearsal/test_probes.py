"""A claim's own probes in a drill: data that came back byte for byte and make no sense to what reads them are no PASS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.drills.results import Examination, Examined, Health, Phase
from engine.errors import SettingsInvalid
from house.values.rehearsing import PYTHON, ClaimProbe, Preset, Rehearsal
from lab.world.faults import Death, Fault
from rehearsal.outcome import ClaimOutcome, DrillOutcome, DrillVerdict, from_json
from tests.crash.apart import Built
from tests.house.reading import load
from tests.house.settings.test_afterwards import with_more
from tests.rehearsal.stage import DrilledClaim

FILES, SQLITE = ClaimProbe(Preset.FILES), ClaimProbe(Preset.SQLITE, PYTHON, ("notes/one.md",))
Ails = Callable[[Examination, object], Examined | None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built[DrilledClaim]:
    return Built(lambda folder: DrilledClaim(folder, 1), tmp_path_factory.mktemp("probes") / "house")


def drilled(built: Built[DrilledClaim], *probes: ClaimProbe, ails: Ails | None = None, spoil: bool = False) -> DrillOutcome:
    """One drill of the claim with these probes; `spoil` takes a file away from what comes back."""

    def play(there: DrilledClaim) -> DrillOutcome:
        drilling = there.drilling
        drilling.house = replace(drilling.house, rehearsal=Rehearsal({"apps/notes": probes}))
        rigged = drilling.home.kube.objects().rigged
        rigged.ails = ails
        if spoil:
            rigged.spoil = lambda into, entries: entries[1:] if into.startswith("notes-back") else entries
        return drilling.drill()

    return built.visit(play)


def says(health: Health, detail: str, preset: Preset | None = None) -> Ails:
    """That is what the probe of this preset (all of them) has seen."""
    return lambda of, entries: Examined(Phase.DONE, health, detail) if preset in (None, of.probe.preset) else None


def only(outcome: DrillOutcome) -> ClaimOutcome:
    (claim,) = outcome.claims
    return claim


def test_with_every_probe_sound_it_passes_and_says_what_each_saw(built: Built[DrilledClaim]) -> None:
    outcome = drilled(built, FILES, SQLITE)
    assert outcome.verdict is DrillVerdict.PASS, outcome
    assert [(one.name, one.verdict) for one in only(outcome).probes] == [
        ("files", DrillVerdict.PASS), ("sqlite notes/one.md", DrillVerdict.PASS),
    ]  # fmt: skip
    assert all(one.detail for one in only(outcome).probes)
    assert from_json(outcome.to_json()) == outcome


def test_the_time_to_recover_ends_with_the_last_probe(built: Built[DrilledClaim]) -> None:
    plain, with_probes = only(drilled(built)), only(drilled(built, FILES, SQLITE))
    assert plain.rto_seconds is not None and with_probes.rto_seconds is not None
    assert with_probes.rto_seconds >= plain.rto_seconds + 8.0


@pytest.mark.parametrize(
    ("health", "verdict"), [(Health.ILL, DrillVerdict.FAIL), (Health.UNSEEN, DrillVerdict.UNVERIFIED)]
)
def test_what_a_probe_shows_is_the_claims_verdict_and_the_drills(
    built: Built[DrilledClaim], health: Health, verdict: DrillVerdict
) -> None:
    outcome = drilled(built, FILES, SQLITE, ails=says(health, "notes.db: row 7 missing from index", Preset.SQLITE))
    assert (outcome.verdict, only(outcome).verdict) == (verdict, verdict)
    assert only(outcome).reason == "probe sqlite notes/one.md: notes.db: row 7 missing from index"
    assert [one.verdict for one in only(outcome).probes] == [DrillVerdict.PASS, verdict]


def test_what_is_ill_is_told_before_what_could_not_be_seen(built: Built[DrilledClaim]) -> None:
    outcome = drilled(
        built, FILES, SQLITE, ails=lambda of, entries: Examined(
            Phase.DONE, Health.UNSEEN if of.probe.preset is Preset.FILES else Health.ILL, of.probe.preset.value
        )
    )  # fmt: skip
    assert outcome.verdict is DrillVerdict.FAIL
    assert only(outcome).reason == "probe sqlite notes/one.md: sqlite; probe files: files"


def test_one_that_never_ends_has_shown_nothing(built: Built[DrilledClaim]) -> None:
    outcome = drilled(built, replace(FILES, limit_s=60.0), ails=lambda of, entries: Examined(Phase.RUNNING))
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert "has not ended in 660 s" in only(outcome).reason


def test_data_that_did_not_come_back_are_not_probed(built: Built[DrilledClaim]) -> None:
    outcome = drilled(built, FILES, spoil=True)
    assert outcome.verdict is DrillVerdict.FAIL
    assert only(outcome).reason.startswith("missing: ")
    assert only(outcome).probes == ()


def test_a_probe_that_the_drill_never_came_to_is_no_pass(built: Built[DrilledClaim]) -> None:
    """The claim's comparison has passed: without what its probe says that is not enough."""

    def play(there: DrilledClaim) -> DrillOutcome:
        for _ in range(40):
            there.world.faults.arm("drills.examine/*", Fault.ERROR_TWICE)
        return there.drilling.drill()

    outcome = built.visit(play)
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert only(outcome).verdict is DrillVerdict.UNVERIFIED
    assert "probe" in only(outcome).reason


def test_after_a_kill_other_probes_in_the_settings_are_held_and_not_the_old_ones_counted(built: Built[DrilledClaim]) -> None:
    def play(there: DrilledClaim) -> DrillOutcome:
        drilling = there.drilling
        there.world.faults.arm("drills.restore/*-byte-flipped-*", Fault.DIE_BEFORE)
        with pytest.raises(Death):
            drilling.live(lambda: there.drill)
        drilling.new_life()
        there.world.faults.disarm()
        drilling.house = replace(drilling.house, rehearsal=Rehearsal({"apps/notes": (FILES, SQLITE)}))
        return drilling.drill()

    outcome = built.visit(play)
    assert (outcome.verdict, outcome.run) == (DrillVerdict.PASS, "the-drill")
    assert [one.name for one in only(outcome).probes] == ["files", "sqlite notes/one.md"]


SETTINGS = """
rehearsal:
  probe:
    {key}: [{probe}]
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A claim of the small house."""
    return load(with_more(tmp_path_factory.mktemp("keys"), "")).claims[0].key


def read(folder: Path, key: str, probe: str) -> tuple[ClaimProbe, ...]:
    return load(with_more(folder, SETTINGS.format(key=key, probe=probe))).rehearsal.probes_of(key)


@pytest.mark.parametrize(
    ("probe", "wanted"),
    [
        ("{preset: sqlite}", ClaimProbe(Preset.SQLITE, PYTHON)),
        ("{preset: sqlite, paths: [a/b.db], limit: 5m}", ClaimProbe(Preset.SQLITE, PYTHON, ("a/b.db",), limit_s=300.0)),
        ("{preset: files, paths: [conf]}", ClaimProbe(Preset.FILES, "", ("conf",))),
        ("{preset: postgres, image: 'x/postgres:17'}", ClaimProbe(Preset.POSTGRES, "x/postgres:17")),
        ("{preset: command, image: 'x/y:1', command: [go, '--now']}", ClaimProbe(Preset.COMMAND, "x/y:1", (), ("go", "--now"))),
        ("{preset: http, image: 'x/app:1', port: 8080, page: /health, at: /config, environment: {TZ: UTC}}",
         ClaimProbe(Preset.HTTP, "x/app:1", port=8080, page="/health", at="/config", environment=(("TZ", "UTC"),))),
        ("{preset: home-assistant, paths: [config]}", ClaimProbe(Preset.HOME_ASSISTANT, PYTHON, ("config",))),
    ],
)
def test_what_the_settings_say_is_taken(tmp_path: Path, key: str, probe: str, wanted: ClaimProbe) -> None:
    assert read(tmp_path, key, probe) == (wanted,)


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        ("{preset: mysql}", "preset: is no probe that is known here"), ("{}", "preset"),
        ("{preset: postgres}", "the version that wrote"),
        ("{preset: command, image: a}", "an image and its words"), ("{preset: command, command: [a]}", "an image and its words"),
        ("{preset: files, command: [a]}", "takes no command"), ("{preset: sqlite, paths: [/etc/x]}", "no path within"),
        ("{preset: sqlite, paths: [a/../../x]}", "no path within"), ("{preset: sqlite, image: '-x'}", "no image"),
        ("{preset: command, image: a, command: [b], paths: [c]}", "takes no paths"),
        ("{preset: sqlite, limit: 0s}", "no time at all"),
        ("{preset: http, image: a}", "image and port"), ("{preset: http, port: 80}", "image and port"),
        ("{preset: http, image: a, port: 80, paths: [b]}", "takes no paths"), ("{preset: http, image: a, port: 0}", "port"),
        ("{preset: http, image: a, port: 80, page: health}", "page"),
        ("{preset: http, image: a, port: 80, at: /tmp}", "needs itself"),
        ("{preset: files, port: 80}", "takes no port"), ("{preset: sqlite, at: /data}", "takes no port"),
        ("{preset: home-assistant, paths: [a, b]}", "about one folder"), ("{preset: files, path: [a]}", "path"),
    ],
)  # fmt: skip
def test_what_is_not_right_is_refused_at_its_line(tmp_path: Path, key: str, probe: str, says: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        read(tmp_path, key, probe)
    (line,) = refused.value.evidence
    assert f"rehearsal.probe.{key}" in line and says in line, line


def test_a_claim_that_nobody_backs_up_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        read(tmp_path, "nowhere/nothing", "{preset: files}")
    assert "rehearsal.probe.nowhere/nothing: is no claim that VolSync backs up" in refused.value.evidence[0]
