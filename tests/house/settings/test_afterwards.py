"""What the settings say of evidence and of the kit, and what is refused there."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.values.afterwards import PROVE_EVERY, EtcdSnapshots, Evidence, Kit
from tests.house.reading import load
from tests.house.small_house import write_repository

AGE = "age1" + "q" * 58
SSH = "ssh-ed25519 " + "A" * 68


def with_more(folder: Path, more: str) -> Path:
    """The small house's settings with these lines behind them."""
    file = write_repository(folder)
    file.write_text(file.read_text() + more)
    return file


def test_without_a_word_the_usual_counts(tmp_path: Path) -> None:
    house = load(with_more(tmp_path, ""))
    assert (house.evidence, house.kit, house.etcd) == (Evidence(), Kit(), EtcdSnapshots())
    assert house.evidence.prove_every == PROVE_EVERY


def test_what_is_said_is_taken(tmp_path: Path) -> None:
    more = f"""
evidence: {{key: keys/sign, prove_every: 8d}}
kit:
  recipients: {{anna: {AGE}, ben: "{SSH} ben@desk"}}
  notes: [The fuse is the third from the left.]
etcd: {{recipients: {{anna: {AGE}}}, keep: 7}}
"""
    house = load(with_more(tmp_path, more))
    assert house.evidence == Evidence(tmp_path / "keys" / "sign", 8 * 86400.0)
    assert house.kit == Kit((("anna", AGE), ("ben", f"{SSH} ben@desk")), ("The fuse is the third from the left.",))
    assert house.etcd == EtcdSnapshots((("anna", AGE),), 7)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("kit: {recipients: {anna: age1abc}}", "kit.recipients.anna"),
        ("kit: {recipients: {anna: AGE-SECRET-KEY-1QQQQ}}", "is a private key"),
        ("kit: {recipient: {}}", "kit.recipient"),
        ("etcd: {recipients: {anna: AGE-SECRET-KEY-1QQQQ}}", "is a private key"),
        ("etcd: {keep: 0}", "etcd.keep"),
        ("kit: {notes: ['']}", "kit.notes"),
        ("evidence: {prove_every: 31}", "evidence.prove_every"),
        ("evidence: {keys: x}", "evidence.keys"),
    ],
)
def test_what_is_not_right_is_refused_at_its_line(tmp_path: Path, more: str, says: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load(with_more(tmp_path, f"\n{more}\n"))
    told = "\n".join(refused.value.evidence)
    assert says in told and "AGE-SECRET" not in told
