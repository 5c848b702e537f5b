"""Who is told how a rehearsal came out: with the verdicts that the settings name, and what cannot be sent changes none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.messages.adapter import Tone
from console.messages import send, send_to
from engine.errors import EXIT_OK, PermanentError, SettingsInvalid
from engine.secrets import Secret
from house.model import House, SecretRef
from house.values.afterwards import Messages
from rehearsal.outcome import DrillVerdict
from tests.builders import a_house
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line
from tests.console.rehearsal.test_rehearse import living, rehearsed
from tests.house.reading import load
from tests.house.settings.test_afterwards import with_more

__all__ = ["living"]
HERE, THERE = SecretRef(("env:ONE_URL",)), SecretRef(("env:OTHER_URL",))


def told_by(*to: SecretRef, when: tuple[str, ...] = ("FAIL",), simulated: bool = True) -> House:
    return replace(a_house(), messages=Messages(to, when), simulated=simulated)


def delivered(house: House, lines: tuple[str, ...] = ("apps/notes: empty",)) -> tuple[list[tuple[str, str, Tone]], tuple[str, ...]]:
    """What was sent, and the warnings; who has OTHER_URL takes nothing."""
    sent: list[tuple[str, str, Tone]] = []

    def resolve(ref: SecretRef) -> Secret:
        if ref.sources == ("env:LOST",):
            raise PermanentError("env:LOST is not set")
        return Secret(f"json://{ref.sources[0]}-as-it-is")

    def deliver(url: Secret, title: str, body: str, tone: Tone) -> str:
        if "OTHER" in url.reveal():
            return "it was not taken"
        sent.append((title, body, tone))
        return ""

    kept = "run run-7: invoke dr.report --run run-7 --report FOLDER"
    warned = send_to(house, "dr.rehearse", DrillVerdict.FAIL, lines, kept, resolve, deliver)
    return sent, warned


def test_each_is_told_the_verdict_its_reasons_and_where_to_read_on() -> None:
    sent, warned = delivered(told_by(HERE))
    assert warned == ()
    assert sent == [(
        "[simulated] FAIL: dr.rehearse of four-nodes",
        "apps/notes: empty\nrun run-7: invoke dr.report --run run-7 --report FOLDER", Tone.BAD,
    )]  # fmt: skip
    assert delivered(told_by(HERE, simulated=False))[0][0][0] == "FAIL: dr.rehearse of four-nodes"


def test_who_is_not_reached_is_a_warning_and_the_others_are_told() -> None:
    sent, warned = delivered(told_by(THERE, SecretRef(("env:LOST",)), HERE))
    assert len(sent) == 1
    assert warned == ("no message to env:OTHER_URL: it was not taken", "no message to env:LOST: env:LOST is not set")


def test_many_lines_are_counted() -> None:
    ((_, body, _),), _ = delivered(told_by(HERE), tuple(f"claim {n}" for n in range(30)))
    assert "claim 9\nand 20 more\n" in body and "claim 10" not in body


@pytest.mark.parametrize(("to", "when"), [((), ("FAIL",)), ((HERE,), ("PASS", "UNVERIFIED")), ((HERE,), ())])
def test_nobody_is_told_what_nobody_asked_for(to: tuple[SecretRef, ...], when: tuple[str, ...]) -> None:
    assert send(told_by(*to, when=when), "dr.rehearse", DrillVerdict.FAIL, (), "run-7") == ()


def test_a_message_that_cannot_be_sent_changes_no_verdict(living: Desk, capsys: Printed) -> None:
    living.running.house = replace(living.running.house, messages=Messages((SecretRef(("env:NO_SUCH_URL",)),), ("PASS",)))
    assert rehearsed(living) == EXIT_OK
    told = last_line(capsys)
    assert isinstance(told["closing"], list)
    assert [line.partition(":")[0] for line in told["closing"]] == ["no message to env"]


def test_what_the_settings_say_is_taken_and_what_is_wrong_refused(tmp_path: Path) -> None:
    assert load(with_more(tmp_path / "none", "")).messages == Messages((), ("FAIL", "UNVERIFIED"))
    found = load(with_more(tmp_path / "said", "\nmessages: {to: [env:A_URL, 'sops:x.yaml#url'], when: [PASS]}\n")).messages
    assert ([ref.sources[0].partition(":")[0] for ref in found.to], found.when) == (["env", "sops"], ("PASS",))
    for number, (wrong, says) in enumerate({"{to: ['ntfy://topic']}": "messages.to", "{when: [ALWAYS]}": "messages.when"}.items()):
        with pytest.raises(SettingsInvalid) as refused:
            load(with_more(tmp_path / str(number), f"\nmessages: {wrong}\n"))
        assert says in refused.value.evidence[0] and "topic" not in refused.value.evidence[0]
