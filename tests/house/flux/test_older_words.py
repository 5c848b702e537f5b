"""What Flux fills in, it reads anew as YAML 1.1: there `yes` is true and 0777 is octal. What a build quoted, is a text."""

from __future__ import annotations

import pytest

from house.flux.charts import backup_objects
from house.flux.objects import Applying, read_objects
from house.flux.rendered import RenderedObject

PART = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: words\ndata:\n  filled: ${WORD}\n  quoted: \"${WORD}\"\n"


def filled(word: str) -> object:
    """What `${WORD}` is once it is filled in, without quotes; in them it is always the text."""
    applying = Applying("apps/words", "apps", "apps", {"WORD": word}, substitutes=True, labels={}, annotations={})
    (one,) = read_objects(PART, applying, {}).objects
    assert one.body["data"]["quoted"] == word
    return one.body["data"]["filled"]


@pytest.mark.parametrize("word", ["yes", "Yes", "YES", "on", "On", "y", "Y", "true"])
def test_is_true(word: str) -> None:
    assert filled(word) is True


@pytest.mark.parametrize("word", ["no", "NO", "off", "Off", "n", "N", "False"])
def test_is_false(word: str) -> None:
    assert filled(word) is False


@pytest.mark.parametrize(("word", "number"), [("0777", 511), ("-010", -8), ("777", 777), ("0o17", 15), ("089", 89)])
def test_is_a_number(word: str, number: int) -> None:
    assert filled(word) == number


@pytest.mark.parametrize("word", ["yEs", "nope", "oN", "1:30"])
def test_stays_a_text(word: str) -> None:
    assert filled(word) == word


def test_helm_reads_what_a_chart_makes_the_same_way() -> None:
    release = RenderedObject("helm.toolkit.fluxcd.io/v2", "HelmRelease", "apps", "notes", {}, "apps/notes", "notes.yaml", 1)
    text = "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {name: notes}\n"
    text += 'spec: {paused: on, sourcePVC: "no"}\n'
    (one,) = backup_objects(text, release, "apps")
    assert one.spec == {"paused": True, "sourcePVC": "no"}
