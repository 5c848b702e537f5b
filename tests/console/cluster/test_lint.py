"""`cluster.lint` as a verb: its page, its JSON, its code; and what `dr.hold` tells of what no hold reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.verbs.cluster.lint import lint_of
from console.verbs.dr.restore import hold_of
from console.views.folding import fold
from console.views.page import MARK
from engine import errors
from house.model import SecretRef
from house.values.nas import Nas
from tests.builders import a_claim
from tests.cluster.lint.made import a_given, release
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line

DELETES = release("dns", "external-dns", "{policy: sync}", namespace="network", ks="network/dns")
HIDDEN = release("dns", "external-dns", more="valuesFrom: [{kind: Secret, name: hidden}]")
CONSOLE = "---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: kvm-1}\nsubsets: [{addresses: [{ip: 10.0.0.51}]}]\n"
ON_NAS = a_claim("notes", open_as="sftp:b@nas.lan:/x", mover_repository="sftp:b@nas.lan:/x")


def a_desk(folder: Path, text: str = "", **changes: Any) -> Desk:
    """A house with these objects in Git."""
    desk = Desk(folder, **changes)
    given = a_given(text).house
    desk.running.house = replace(desk.running.house, rendered=given.rendered, kinds=given.kinds)
    return desk


def told(desk: Desk, capsys: Printed, **how: bool) -> tuple[int, str]:
    capsys.readouterr()
    code = lint_of(desk.session("cluster.lint"), **how)
    return code, capsys.readouterr().out


def result(desk: Desk, capsys: Printed, verb: Callable[..., int] = lint_of, **how: bool) -> dict[str, Any]:
    capsys.readouterr()
    verb(desk.session("cluster.lint", json=True), **how)
    return last_line(capsys)


@pytest.mark.parametrize(
    ("text", "code", "outcome"),
    [
        ("", errors.EXIT_OK, "done"), (CONSOLE, errors.EXIT_OK, "done"), (HIDDEN, errors.EXIT_STEP_FAILED, "not all known"),
        (DELETES, errors.EXIT_DRIFT, "found"), (DELETES + HIDDEN, errors.EXIT_DRIFT, "found"),
    ],
    ids=["nothing", "a note", "something unknown", "a risk", "both"],
)  # fmt: skip
def test_its_code_says_what_was_found(tmp_path: Path, capsys: Printed, text: str, code: int, outcome: str) -> None:
    found = result(a_desk(tmp_path, text), capsys)
    assert (found["exit_code"], found["outcome"]) == (code, outcome)


def test_it_opens_no_door(tmp_path: Path, capsys: Printed) -> None:
    desk = a_desk(tmp_path, DELETES)
    told(desk, capsys)
    assert desk.opened == []


def test_the_page_says_what_where_why_and_what_to_do(tmp_path: Path, capsys: Printed) -> None:
    _, page = told(a_desk(tmp_path, DELETES), capsys)
    lines = [line.removeprefix(MARK) for line in page.splitlines()]
    assert lines[0].startswith("risk     external-dns-deletes: HelmRelease network/dns deletes DNS records")
    assert [line.strip().partition(":")[0] for line in lines[1:4]] == ["where", "why", "do"]
    assert f"{' ' * 15}policy: upsert-only" in lines
    assert any("kubectl -n network patch helmrelease dns --type merge" in line for line in lines)
    assert lines[-1].endswith("1 risk. Looked at: settings, Git.")
    assert all(len(part) <= 80 for line in lines for part in fold(line, 80, 9))


def test_json_has_findings_needs_and_what_works_without_what(tmp_path: Path, capsys: Printed) -> None:
    nas = Nas("nas", "nas.lan", 443, "AB", "", "me", SecretRef(("file:k",)), vm=105)
    found = result(a_desk(tmp_path, DELETES, nas=(nas,), claims=(ON_NAS,)), capsys)
    assert {one["rule"]: one["weight"] for one in found["findings"]} == {
        "nas-on-its-hosts": "paradox", "external-dns-deletes": "risk",
    }  # fmt: skip
    assert found["findings"][1]["beyond_admission"] is True
    assert {one["from"] for one in found["needs"] if one["stage"] == "backups" and one["needs"] == "backups"} == {"a NAS"}
    table = {(one["without"], one["run"]): one["standing"] for one in found["without"]}
    assert table["NAS nas", "dr.audit"] == "no"
    assert table["the internet", "dr.audit"] == "works"
    assert table["host pve-1", "cluster.bootstrap"] == "no"
    assert table["host pve-4", "cluster.bootstrap"] == "partly"
    assert table["host pve-1", "dr.audit"] == "unknown", "nobody has said which host the NAS is on"
    assert len(table) == 4 * len({one["without"] for one in found["without"]})
    assert found["rules"]["git-inside"].endswith("?")


def test_proxmox_says_where_the_nas_is_if_it_is_asked(tmp_path: Path, capsys: Printed) -> None:
    desk = a_desk(tmp_path, claims=(ON_NAS,))
    desk.running.apply(desk.running.bootstrap)
    vm = desk.running.house.nodes[1].vm_id  # any VM will do
    nas = Nas("nas", "nas.lan", 443, "AB", "", "me", SecretRef(("file:k",)), vm=vm)
    desk.running.house = replace(desk.running.house, nas=(nas,))
    found = result(desk, capsys, proxmox=True)
    table = {(one["without"], one["run"]): one["standing"] for one in found["without"]}
    assert (table["host pve-2", "dr.audit"], table["host pve-1", "dr.audit"]) == ("no", "works")
    assert "on host pve-2" in found["findings"][0]["what"]


def test_a_proxmox_that_is_not_reached_stops_no_lint(tmp_path: Path, capsys: Printed) -> None:
    nas = Nas("nas", "nas.lan", 443, "AB", "", "me", SecretRef(("file:k",)), vm=105)
    desk = a_desk(tmp_path, nas=(nas,))
    code, page = told(desk, capsys, proxmox=True)
    assert "not looked at: Proxmox has no VM of NAS nas" in page
    assert code == errors.EXIT_STEP_FAILED
    for host in desk.running.home.proxmox.hosts.values():
        host.online = False
    code, page = told(desk, capsys, proxmox=True)
    assert "not looked at: Proxmox was not reached" in page
    assert code == errors.EXIT_STEP_FAILED


def test_what_no_hold_reaches_is_told_with_what_is_held(tmp_path: Path, capsys: Printed) -> None:
    desk = a_desk(tmp_path, DELETES)
    desk.running.apply(desk.running.bootstrap)
    capsys.readouterr()
    assert hold_of(desk.session("dr.hold")) == errors.EXIT_HELD
    page = capsys.readouterr().out
    assert "Not held, for it is done outside of the cluster" in page
    assert "policy: upsert-only" in page
    found = result(desk, capsys, hold_of)
    assert [one["rule"] for one in found["beyond_admission"]] == ["external-dns-deletes"]


def test_what_the_settings_accept_counts_no_more_and_is_told_with_its_reason(tmp_path: Path, capsys: Printed) -> None:
    desk = a_desk(tmp_path, DELETES)
    (one,) = result(desk, capsys)["findings"]
    assert (one["setting"], one["accepted"]) == ("external-dns-deletes HelmRelease network/dns", None)
    _, page = told(desk, capsys)
    assert '"external-dns-deletes HelmRelease network/dns": REASON' in page
    accepted = ((one["setting"], "the zone is mine"), ("git-inside x", "gone"))
    desk.running.house = replace(desk.running.house, lint_accepted=accepted)
    found = result(desk, capsys)
    assert (found["exit_code"], found["counts"]["risk"]) == (errors.EXIT_OK, 0)
    assert found["findings"][0]["accepted"] == "the zone is mine"
    _, page = told(desk, capsys)
    assert "accepted external-dns-deletes HelmRelease network/dns: the zone is mine" in page
    assert "accepted git-inside x: and no rule finds it" in page
    assert "REASON" not in page
