"""The pages say what the document says, first the verdict; they ask no network and can be read by anybody, in any way."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families

from console.report.pages import html, markdown
from tests.architecture.test_layers import ROOT
from tests.console.report.conftest import Told

SCHEMA = json.loads((ROOT / "docs" / "evidence.schema.json").read_text())


class Page(HTMLParser):
    """What a page is made of: tags with their attributes, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "rect", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1:] == [tag]:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def every(self, name: str) -> list[str]:
        """All values of an attribute."""
        return [value for _, found in self.tags if (value := found.get(name))]


@pytest.fixture(params=["built", "restored"])
def folder(request: pytest.FixtureRequest, told: Told) -> Path:
    """The evidence of either run."""
    found = getattr(told, request.param)
    assert isinstance(found, Path)
    return found


@pytest.fixture
def page(folder: Path) -> Page:
    """Its page."""
    return Page((folder / "report.html").read_text())


def test_the_document_is_as_its_schema_says(folder: Path) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    document = json.loads((folder / "evidence.json").read_text())
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)] == []


def test_the_document_tells_what_was_proven(told: Told) -> None:
    (claim,) = json.loads((told.restored / "evidence.json").read_text())["claims"]
    assert (claim["kind"], claim["key"], claim["files"]) == ("claim", "apps/notes", 2)
    assert claim["depth"].startswith("every byte of 2 files")
    assert 3600 < claim["rpo_s"] < 3900
    assert 0 < claim["rto_s"] < 60
    assert json.loads((told.built / "evidence.json").read_text())["claims"] == []


def test_every_field_and_schema_are_documented() -> None:
    text = (ROOT / "docs" / "evidence.md").read_text()
    assert [name for name in SCHEMA["properties"] if f"`{name}`" not in text] == []
    assert SCHEMA["title"] in text


def test_the_verdict_stands_before_everything_else(page: Page, folder: Path) -> None:
    text = (folder / "report.html").read_text()
    verdict = json.loads((folder / "evidence.json").read_text())["verdict"]
    assert text.index(f'<h1 id="word">{verdict["word"]}</h1>') < text.index("<nav")
    assert [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)][:2] == ["h1", "h2"]


def test_it_is_one_file_that_asks_nobody(page: Page, folder: Path) -> None:
    text = (folder / "report.html").read_text()
    assert {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object", "form", "base", "use"} == set()
    assert [ref for ref in (*page.every("href"), *page.every("src")) if not ref.startswith(("#", "data:,"))] == []
    assert re.findall(r"@import|url\((?!#)", text) == []
    assert "default-src 'none'" in text


def test_every_reference_leads_somewhere_and_every_tag_is_closed(page: Page) -> None:
    ids = page.every("id")
    assert len(ids) == len(set(ids))
    wanted = [ref[1:] for ref in page.every("href") if ref.startswith("#")]
    wanted += [word for value in page.every("aria-labelledby") for word in value.split()]
    assert set(wanted) <= set(ids)
    assert page.open == []


def test_it_says_that_it_is_simulated_on_top_and_at_the_end_of_each_page(folder: Path) -> None:
    for name, count in (("report.html", 2), ("report.md", 2)):
        assert (folder / name).read_text().count("SIMULATED: the house") == count
    assert 'simulated="true"' in (folder / "metrics.prom").read_text()


def test_a_real_house_is_never_called_simulated(told: Told) -> None:
    document = {**json.loads((told.restored / "evidence.json").read_text()), "simulated": False}
    for text in (html(document), markdown(document)):
        assert "SIMULATED" not in text


def test_the_picture_has_the_critical_path_and_waits_apart_from_work(told: Told) -> None:
    page = Page((told.built / "report.html").read_text())
    kinds = [found.get("class") for tag, found in page.tags if tag == "rect"]
    assert {"work", "wait", "whole"} <= set(kinds)
    document = json.loads((told.built / "evidence.json").read_text())
    path = [step["id"] for step in document["steps"] if step["critical"]]
    assert sorted(path) == sorted(document["path"])
    assert kinds.count("whole") == len(path) + 1  # and the legend
    assert sum(document["path_s"].values()) == pytest.approx(document["seconds"], abs=0.1)


def test_what_the_world_says_is_text_and_never_markup(told: Told) -> None:
    document = json.loads((told.restored / "evidence.json").read_text())
    evil = '</p><script>alert(1)</script>" onload="x | `a` [b](http://c) \ud800'
    document["steps"][0] |= {"detail": evil, "outcome": "failed", "evidence": [evil]}
    document["not_looked_at"] = [evil]
    document["verdict"]["sentence"] = evil
    page = Page(html(document))
    assert "script" not in {tag for tag, _ in page.tags}
    assert [name for _, found in page.tags for name in found if name.startswith("on")] == []
    told_so = markdown(document)
    assert "<script" not in told_so.replace("\\<", "")
    assert "\\[b\\](http" in told_so


def test_the_metrics_are_read_as_prometheus_reads_them(told: Told) -> None:
    found = {one.name: one.samples for one in text_string_to_metric_families((told.restored / "metrics.prom").read_text())}
    assert found["blackstart_run_exit_code"][0].value == 0
    assert found["blackstart_run_rpo_seconds"][0].labels["key"] == "apps/notes"
    assert found["blackstart_run_verdict"][0].labels == {
        "house": "four-nodes", "verb": "dr.restore", "simulated": "true", "word": "done",
    }  # fmt: skip
