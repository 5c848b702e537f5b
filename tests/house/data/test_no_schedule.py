"""A schedule that no controller takes makes no backups: it is said where it stands, and no age is guessed in its place."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from house.data.cron import fault
from house.data.definition import PATTERN, taken_by_definition
from house.data.joining import base_schedules, declared_data, schedules
from house.data.nouns import Space
from house.loader import Part
from tests.house.data.test_data import rendered
from tests.house.data.test_paused import DATABASE, RESTIC, scheduled, source
from tests.house.reading import load, write_settings
from tests.house.small_house import write_repository
from tools.crds import files
from tools.errors import ToolError

WRONG = {
    "0 * * *": "has 4 fields, not 5", "0 0 3 * * *": "has 6 fields, not 5", "soon": "has 1 field, not 5",
    "61 * * * *": "has 61 as its minute", "0 24 * * *": "has 24 as its hour", "0 0 0 * *": "has 0 as its day of the month",
    "0 0 * 13 *": "has 13 as its month", "0 0 * * 7": "has 7 as its weekday", "0 0 * mon *": "has mon as its month",
    "0 0 * * jan": "has jan as its weekday", "*/0 * * * *": "has */0 as its minute", "5-1 * * * *": "has 5-1 as its minute",
    "H * * * *": "has H as its minute", "0 0 L * *": "has L as its day of the month", "1-2-3 * * * *": "has 1-2-3 as its minute",
    "@dayly": "is no word of cron", "@Daily": "is no word of cron", "@reboot": "is no word of cron", "@every": "is no word of cron",
    "@every 5": "is no word of cron", "@every 1d": "is no word of cron", "@every soon": "is no word of cron",
    "0 0 30 2 *": "never comes", "TZ=UTC 0 3 * *": "has 4 fields, not 5", "TZ=UTC": "has 0 fields, not 5",
}  # fmt: skip
RIGHT = (
    "", "0 * * * *", "0 3 * * SUN", "?/5 * * * ?", "@daily", "@midnight", "@every 90m", "@every 1h30m5.5s", "@every 500ms",
    "CRON_TZ=Europe/Berlin 0 3 * * *", "TZ=UTC @daily", "0 0 29 2 *", "0 0 1,15 * *", "0 0 1, * *", "0 */6 * JAN-mar 1-5",
    "${WHEN}", "0 0 * * 1/2", "0 0 * * */7", "${MINUTE} 3 * * *",
)  # fmt: skip


@pytest.mark.parametrize("schedule", list(WRONG))
def test_what_volsync_refuses_is_said(schedule: str) -> None:
    assert fault(schedule) == WRONG[schedule]


@pytest.mark.parametrize("schedule", RIGHT)
def test_what_volsync_takes_or_nobody_knows_is_not(schedule: str) -> None:
    assert fault(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ("0 0 3 * * *", ""), ("0 3 * * *", ""), ("@daily", ""), ("0 3 * *", "has 4 fields, not 5 or 6"),
        ("61 0 3 * * *", "has 61 as its second"), ("0 0 3 * * 7", "has 7 as its weekday"), ("nightly", "has 1 field, not 5 or 6"),
    ],
)  # fmt: skip
def test_a_schedule_of_cloudnativepg_begins_with_the_second(schedule: str, told: str) -> None:
    assert fault(schedule, seconds=True) == told


REFUSED = (
    "@midnight", "@every 1h", "@every 90m", "TZ=UTC @daily", "0 3 * * SUN", "0 3 * JAN,jun 1", "0 3 ? * *", "?/5 * * * ?",
    "0 3 * * mon-fri", "0 3 * * 1-5,6", " @daily", "0  3  *  *  *", "0\t3\t\t*\t*\t*", "0 3 * * 1, ",
)  # fmt: skip
TAKEN = (
    "@daily", "@hourly", "@weekly", "@monthly", "@yearly", "@annually", "0 3 * * *", "*/15 * * * *", "0 9-17/2 * * *",
    "0/20 * * * *", "CRON_TZ=Europe/Berlin 0 3 * * *", "0 3 * * * ", "0 3 1-7 * *", "0\t3\t*\t*\t*", "${WHEN}",
    "${MINUTE} 3 * * SUN", "",
)  # fmt: skip
BY_DEFINITION = (
    "is refused by VolSync's CRD (five fields of digits, or @daily and its like), and with it all of its Kustomization"
)


@pytest.mark.parametrize("schedule", REFUSED)
def test_what_volsync_s_definition_refuses_though_its_controller_would_take_it_is_said(schedule: str) -> None:
    for more in ("", ", manual: once"):
        (found,) = declared_data(rendered(source("a", every(schedule, more))), (), (), {}).paused
        assert found.by == f'ReplicationSource tools/a ("{schedule}" {BY_DEFINITION})'


@pytest.mark.parametrize("schedule", TAKEN)
def test_what_volsync_s_definition_takes_is_no_row(schedule: str) -> None:
    assert declared_data(rendered(source("a", every(schedule))), (), (), {}).paused == ()


def test_the_pattern_is_that_of_the_definition_itself() -> None:
    """Held against VolSync's own file, where the module that it is built from is here."""
    try:
        (file,) = (file for file in files("volsync") if file.name == "volsync.backube_replicationsources.yaml")
    except ToolError as error:
        pytest.skip(str(error))
    found = set(re.findall(r"pattern: (\^\(@\(annually.*)", file.read_text()))
    assert found == {PATTERN}


PART = st.sampled_from(["*", "*/2", "1,2", "1-5", "1-5/2", "1,3-5", "MON", "0", "23/2", "@daily", "7,", " ", "\t"])


@settings_of(max_examples=200, deadline=None)
@given(st.one_of(st.text(alphabet="0123*/,- M", max_size=14), st.lists(PART, max_size=8).map(" ".join)))
def test_what_is_taken_is_what_the_pattern_finds(schedule: str) -> None:
    assert taken_by_definition(schedule) == (re.search(PATTERN.replace("$", r"\Z"), schedule, re.ASCII) is not None)


@pytest.mark.parametrize("behind", [" * * * MON", " * * * *", "x" * 400])
def test_a_list_of_all_minutes_takes_no_minute(behind: str) -> None:
    began = time.process_time()
    taken_by_definition(",".join(map(str, range(60))) + behind)
    assert time.process_time() - began < 1


def test_a_destination_s_schedule_that_the_definition_refuses_is_noted(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    place = "kubernetes/apps/apps/odd/app/more.yaml"
    (tmp_path / place).write_text(source("d", every("@midnight")).replace("ReplicationSource", "ReplicationDestination"))
    told = [note for note in load(settings).notes if "@midnight" in note]
    assert told == [f'{place}:1: d restores nothing: its schedule "@midnight" {BY_DEFINITION}; right would be "0 3 * * *"']


def every(schedule: str, more: str = "") -> str:
    return f'{RESTIC}, trigger: {{schedule: "{schedule}"{more}}}'


def test_a_claim_or_database_that_nothing_else_backs_up_is_a_row_of_its_own() -> None:
    data = declared_data(rendered(source("a", every("0 * * *"))), (), (), {})
    (found,) = data.paused
    assert (found.key, found.word) == ("tools/films", "no schedule")
    assert found.by == 'ReplicationSource tools/a ("0 * * *" has 4 fields, not 5)'
    assert schedules(rendered(source("a", every("0 * * *")))) == {}
    kopia = source("a", every("0 * * *").replace("restic", "kopia"))
    assert [one.word for one in declared_data(rendered(kopia), (), (), {}).paused] == ["no schedule"]
    nightly = scheduled("nightly", "").replace("0 0 3 * * *", "0 25 3 * * 7")
    (base,) = declared_data(rendered(nightly), (), (DATABASE,), {}).paused
    assert (base.key, base.space, base.word) == ("tools/pg", Space.DATABASE, "no schedule")
    assert base_schedules(rendered(nightly)) == {}


def test_a_source_that_the_api_server_refuses_makes_none_either() -> None:
    (found,) = declared_data(rendered(source("a", f'{RESTIC}, paused: "no"')), (), (), {}).paused
    assert (found.key, found.word) == ("tools/films", "refused")
    assert found.by == "ReplicationSource tools/a (spec.paused is text, not true or false, which the API server refuses)"
    beside = (source("a", f'{RESTIC}, paused: "no"'), source("b", every("0 3 * * *")))
    assert declared_data(rendered(*beside), (), (), {}).paused == ()
    both = (source("a", f'{RESTIC}, paused: "no"'), source("b", f"{RESTIC}, paused: true"))
    assert [one.word for one in declared_data(rendered(*both), (), (), {}).paused] == ["paused"]


@pytest.mark.parametrize(
    "texts",
    [
        (source("a", every("0 * * *")), source("b", every("0 3 * * *"))),
        (source("a", every("0 0 30 2 *", ", manual: once")),),
        (source("a", every("${WHEN}")),),
        (source("a", f"{RESTIC}, trigger: {{manual: once}}"),),
        (source("a", f"{RESTIC}, trigger: {{schedule: null}}"),),
    ],
)
def test_what_something_else_backs_up_or_fires_is_no_row(texts: tuple[str, ...]) -> None:
    assert declared_data(rendered(*texts), (), (), {}).paused == ()


def test_of_one_that_is_paused_and_has_no_schedule_both_are_said() -> None:
    both = rendered(source("a", f"{every('0 * * *')}, paused: true"), source("b", every("0 * * *")))
    (found,) = declared_data(both, (), (), {}).paused
    assert (found.word, found.by.count("has 4 fields")) == ("paused", 2)


def test_it_is_noted_at_its_line_for_a_plan_an_audit_and_the_first_settings(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    place = "kubernetes/apps/apps/odd/app/more.yaml"
    nightly = scheduled("nightly", "").replace("0 0 3 * * *", "0 3 * *")
    texts = (source("f", every("0 * * *")), nightly, source("g", every("0 3 * * *")))
    (tmp_path / place).write_text("\n---\n".join(texts))
    told = [
        f'{place}:1: f makes no backups: its schedule "0 * * *" has 4 fields, not 5; right would be "0 3 * * *"',
        f'{place}:6: nightly makes no backups: its schedule "0 3 * *" has 4 fields, not 5 or 6; right would be "0 0 3 * * *"',
    ]
    for part in Part:
        house = load(settings, part)
        assert [note for note in house.notes if "its schedule" in note] == told
        assert [one.word for one in house.data.paused if one.key == "odd/films"] == []
    settings.unlink()
    assert set(told) <= set(write_settings(tmp_path).notes)
    (tmp_path / place).write_text(source("f", every("0 * * *")))
    settings.unlink()
    write_settings(tmp_path)
    assert '  #   odd/films: REASON  # no schedule: ReplicationSource odd/f ("0 * * *" has 4 fields, not 5)' in settings.read_text()
