"""What a DNS section of the settings comes to, joined with the names of DNSEndpoints in Git."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.errors import SettingsInvalid
from house.declared.dns_declared import declared_dns
from house.flux.rendered import Rendered
from house.settings.dns import DnsSection
from house.values.dns import DnsName
from tests.house.data.test_data import rendered
from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository

ENDPOINTS = """
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: {name: tunnel}
spec:
  endpoints:
    - {dnsName: External.house.example, recordType: CNAME, targets: [id.cfargotunnel.com]}
    - {dnsName: www.house.example, targets: [10.0.0.60]}
    - {dnsName: "*.house.example", recordType: A, targets: [10.0.0.60]}
    - {dnsName: "mail.${DOMAIN}", recordType: A, targets: [10.0.0.60]}
    - {dnsName: text.house.example, recordType: TXT, targets: [v=spf1]}
    - odd
"""
WITH_DNS = SETTINGS + """
dns:
  inside: {server: 10.0.0.1, names: {Www.house.example.: 10.0.0.60, notes.house.example: gateway.house.example}}
  outside: {server: "1.1.1.1:5353", names: {www.house.example: any, notes.house.example: none}}
"""


def section(**told: object) -> DnsSection:
    return DnsSection.model_validate({"server": "10.0.0.1", "names": {"www.house.example": "any"}, **told})


def test_what_the_settings_say_is_what_is_asked(tmp_path: Path) -> None:
    inside, outside = load(write_repository(tmp_path, WITH_DNS)).dns
    assert (inside.name, inside.host, inside.port, outside.port) == ("inside", "10.0.0.1", 53, 5353)
    assert inside.names == (
        DnsName("www.house.example", ("10.0.0.60",), "dns.inside.names"),
        DnsName("notes.house.example", ("gateway.house.example",), "dns.inside.names"),
    )
    assert [one.wanted for one in outside.names] == [None, ()]


def test_names_of_git_are_asked_where_the_settings_say_so_and_the_settings_count_more() -> None:
    git = rendered(ENDPOINTS)
    asked = section(names={"www.house.example": "10.0.0.61"}, endpoints=True)
    (server,) = declared_dns({"outside": asked}, git)
    wanted = [("www.house.example", ("10.0.0.61",)), ("external.house.example", None)]
    assert [(one.name, one.wanted) for one in server.names] == wanted
    assert server.names[1].told.endswith(git.objects[0].declared_in)
    assert server.left == 2
    (server,) = declared_dns({"outside": section()}, git)
    assert (len(server.names), server.left) == (1, 0)
    assert declared_dns({}, Rendered()) == ()


@pytest.mark.parametrize("endpoints", ["5", "true", "{dnsName: www.house.example}", "[{dnsName: 5}, [odd]]"])
def test_endpoints_in_another_shape_name_nothing_and_are_no_bug(endpoints: str) -> None:
    git = rendered(f"{ENDPOINTS.partition('  endpoints:')[0]}  endpoints: {endpoints}\n")
    (server,) = declared_dns({"outside": section(endpoints=True)}, git)
    assert [one.name for one in server.names] == ["www.house.example"]


@pytest.mark.parametrize(("server", "read"), [
    ("10.0.0.1", ("10.0.0.1", 53)), ("10.0.0.1:5353", ("10.0.0.1", 5353)), ("fd00::1", ("fd00::1", 53)),
    ("[fd00::1]:54", ("fd00::1", 54)), ("[fd00::1]", ("fd00::1", 53)),
])  # fmt: skip
def test_a_server_is_an_address_with_or_without_a_port(server: str, read: tuple[str, int]) -> None:
    assert section(server=server).server == read


@pytest.mark.parametrize("server", ["dns.lan", "", "10.0.0.1:0", "10.0.0.1:99999", "https://1.1.1.1", "10.0.0.300", 53, None])
def test_a_server_by_name_or_by_nonsense_is_refused(server: object) -> None:
    with pytest.raises(ValidationError, match="is no server of names"):
        section(server=server)


@pytest.mark.parametrize(("wanted", "read"), [
    ("any", None), ("none", ()), ("10.0.0.5", ("10.0.0.5",)), (["10.0.0.5", "FD00::5"], ("10.0.0.5", "fd00::5")),
    ("Gateway.house.example.", ("gateway.house.example",)),
])  # fmt: skip
def test_what_a_name_leads_to_is_read_in_its_usual_spelling(wanted: object, read: object) -> None:
    assert section(names={"www.house.example": wanted}).names == {"www.house.example": read}


@pytest.mark.parametrize("wanted", ["", [], None, 5, True, ["10.0.0.5", "a.example"], ["a.example", "b.example"], "localhost", {}])
def test_what_no_name_can_lead_to_is_refused(wanted: object) -> None:
    with pytest.raises(ValidationError):
        section(names={"www.house.example": wanted})


@pytest.mark.parametrize("name", ["", "localhost", "10.0.0.5", "a b.example", "*.a.example", "-a.example", f"{'a' * 64}.example"])
def test_what_is_no_whole_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="is no whole name"):
        section(names={name: "any"})


def test_a_section_that_asks_nothing_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as told:
        load(write_repository(tmp_path, SETTINGS + "\ndns:\n  inside: {server: 10.0.0.1}\n"))
    assert "dns.inside" in "\n".join(told.value.evidence)
    assert "names nothing to be asked" in "\n".join(told.value.evidence)
