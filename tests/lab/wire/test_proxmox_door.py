"""The Proxmox door as strangers' clients see it: logins, envelopes, refusals. Unmodified proxmoxer, and bare requests."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import requests
from proxmoxer import AuthenticationError, ResourceException

from lab.wire.proxmox.door import LOGIN_DELAY_S
from lab.world.pve.access import LabToken, LabUser, everything
from tests.lab.wire.proxmox_bench import PASSWORD, SECRET, VM, Bench


class TestLogin:
    def test_a_ticket_works_and_is_renewed_with_itself(self, bench: Bench) -> None:
        api = bench.api("root@pam", password=PASSWORD)
        assert api.version.get()["version"] == "9.1.4"
        bench.wait(api, api.nodes("pve-1").qemu.post(**VM))
        ticket, _ = api.get_tokens()
        assert bench.api("root@pam", password=ticket).nodes.get()

    def test_a_wrong_password_waits_and_is_refused(self, bench: Bench) -> None:
        before = bench.clock.monotonic()
        with pytest.raises(AuthenticationError):
            bench.api("root@pam", password="wrong")
        assert bench.clock.monotonic() - before == LOGIN_DELAY_S

    def test_a_user_without_a_password_cannot_log_in(self, bench: Bench) -> None:
        bench.pve.access.users["x@pve"] = LabUser("x@pve", "", everything())
        with pytest.raises(AuthenticationError):
            bench.api("x@pve", password="")

    @pytest.mark.parametrize("name", ["token_value", "token_name"])
    def test_a_wrong_token_is_refused_with_an_empty_body(self, bench: Bench, name: str) -> None:
        api = bench.api(**({"token_name": "run", "token_value": SECRET} | {name: "wrong"}))
        with pytest.raises(ResourceException) as caught:
            api.version.get()
        assert (caught.value.status_code, caught.value.content, caught.value.errors) == (
            401,
            "Authentication failed!",
            {"errors": b""},
        )

    def test_nobody_is_refused(self, bench: Bench) -> None:
        answer = bench.ask("GET", "/api2/json/version", headers={"Authorization": ""})
        assert (answer.status_code, answer.reason, answer.content) == (401, "No ticket", b"")

    def test_a_ticket_grows_old(self, bench: Bench) -> None:
        api = bench.api("root@pam", password=PASSWORD)
        bench.clock.sleep(7300.0)
        with pytest.raises(ResourceException, match="invalid PVE ticket"):
            api.version.get()

    def test_a_forged_ticket_and_a_missing_csrf_token_are_refused(self, bench: Bench) -> None:
        ticket, _ = bench.api("root@pam", password=PASSWORD).get_tokens()
        forged = {"Cookie": f"PVEAuthCookie={quote(ticket[:-6] + 'AAAAA=')}"}
        assert bench.ask("GET", "/api2/json/version", headers=forged).status_code == 401
        honest = {"Cookie": f"PVEAuthCookie={quote(ticket)}"}
        assert bench.ask("GET", "/api2/json/version", headers=honest).status_code == 200
        answer = bench.ask("POST", "/api2/json/nodes/pve-1/qemu", headers=honest, data=VM)
        assert (answer.status_code, answer.reason) == (401, "Permission denied - invalid csrf token")
        assert bench.pve.vms == {}

    def test_a_root_token_is_not_root(self, bench: Bench) -> None:
        bench.pve.access.add_token(LabToken("root@pam!t", "s", separated=False))
        api = bench.api("root@pam", token_name="t", token_value="s")
        with pytest.raises(ResourceException) as caught:
            api.nodes("pve-1").qemu.post(args="-nographic", **VM)
        assert (caught.value.status_code, caught.value.content) == (500, "only root can set 'args' config")
        with pytest.raises(ResourceException, match="Only root may use this option"):
            api.nodes("pve-1").qemu(100).delete(skiplock=1)


class TestEnvelope:
    def test_success(self, bench: Bench) -> None:
        answer = bench.ask("GET", "/api2/json/nodes")
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert [row["node"] for row in answer.json()["data"]] == ["pve-1", "pve-2", "pve-3", "pve-4"]

    def test_a_refusal_says_so_in_the_status_line_and_in_the_body_and_closes(self, bench: Bench) -> None:
        bench.pve.need_quorum()
        bench.pve.host_down("pve-3")
        bench.pve.host_down("pve-4")
        answer = bench.ask("POST", "/api2/json/nodes/pve-1/qemu", data=VM)
        assert (answer.status_code, answer.reason) == (500, "cluster not ready - no quorum?")
        assert answer.json() == {"data": None, "message": "cluster not ready - no quorum?\n"}
        assert answer.headers["Connection"] == "close"

    def test_bad_parameters_come_as_a_map(self, bench: Bench) -> None:
        with pytest.raises(ResourceException) as caught:
            bench.api().nodes("pve-1").qemu.post(**{**VM, "onboot": True, "cores": "many", "tags": ["a", "b"]})
        assert (caught.value.status_code, caught.value.content) == (400, "Parameter verification failed.")
        assert caught.value.errors == {
            "onboot": "type check ('boolean') failed - got 'True'",
            "cores": "type check ('integer') failed - got 'many'",
            "tags": "type check ('string') failed - got ARRAY",
        }

    def test_privileges_come_before_parameters(self, bench: Bench) -> None:
        bench.pve.access.tokens["blackstart@pve!run"].rights = {}
        with pytest.raises(ResourceException, match=r"Permission check failed \(/vms/100, VM.PowerMgmt\)"):
            bench.api().nodes("pve-1").qemu(100).status.start.post(colour="red")

    @pytest.mark.parametrize(("rights", "fits"), [
        ("/ Sys.Audit&VM.Audit", True), ("/ Sys.Audit&Sys.Modify", False), ("/ Sys.Modify|Sys.Audit", True),
        ("/ Sys.Modify or / Sys.Modify|VM.Audit", True), ("/ Sys.Modify or / Sys.Audit&Sys.Modify", False),
        ("/ Sys.Audit; / Sys.Modify", False),
    ])  # fmt: skip
    def test_a_call_wants_any_or_all_of_its_privileges(self, bench: Bench, rights: str, fits: bool) -> None:
        bench.pve.access.tokens["blackstart@pve!run"].rights = {"/": frozenset({"Sys.Audit", "VM.Audit"})}
        bench.door._schema.rights["GET /version"] = rights
        answer = bench.ask("GET", "/api2/json/version")
        assert answer.status_code == (200 if fits else 403)
        assert fits or answer.reason.startswith("Permission check failed")

    def test_any_endpoint_answers_for_any_host_and_a_dead_one_is_595(self, bench: Bench) -> None:
        assert bench.ask("GET", "/api2/json/nodes/pve-3/status", host=1).status_code == 200
        bench.pve.host_down("pve-3")
        answer = bench.ask("GET", "/api2/json/nodes/pve-3/status", host=1)
        assert (answer.status_code, answer.reason, answer.content) == (595, "No route to host", b"")
        with pytest.raises(requests.exceptions.ConnectionError):
            bench.ask("GET", "/api2/json/version", host=2)

    def test_path_values_may_be_repeated_but_not_contradicted(self, bench: Bench) -> None:
        same = bench.ask("POST", "/api2/json/nodes/pve-1/qemu", data={**VM, "node": "pve-1"})
        assert same.status_code == 200
        other = bench.ask("POST", "/api2/json/nodes/pve-1/qemu", data={**VM, "vmid": 101, "node": "pve-2"})
        assert "conflicting values" in other.json()["errors"]["node"]

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/nodes/pve-1/lxc"), ("PATCH", "/nodes"), ("POST", "/nodes/pve-1/vzdump"), ("GET", "/cluster/ha")],
    )
    def test_what_is_not_modelled_fails_closed_and_is_written_down(self, bench: Bench, method: str, path: str) -> None:
        answer = bench.ask(method, "/api2/json" + path)
        assert answer.status_code == 501
        if method != "PATCH":  # the HTTP server itself refuses that one
            assert answer.reason == f"Method '{method} {path}' not implemented"
            assert bench.door.unknown == [f"{method} /api2/json{path}"]

    @pytest.mark.parametrize(
        ("method", "path", "given"),
        [
            ("GET", "/nodes/pve-1/storage", {"format": "1"}),
            ("GET", "/nodes/pve-1/network", {"type": "eth"}),
            ("GET", "/cluster/resources", {"type": "sdn"}),
            ("POST", "/nodes/pve-1/qemu", {**VM, "archive": "local:backup/a"}),
            ("POST", "/nodes/pve-1/qemu", {**VM, "ha-managed": "1"}),
        ],
    )
    def test_a_parameter_that_is_not_modelled_is_refused_and_never_ignored(
        self, bench: Bench, method: str, path: str, given: dict[str, str]
    ) -> None:
        where = {"params": given} if method == "GET" else {"data": given}
        answer = bench.ask(method, "/api2/json" + path, **where)
        assert (answer.status_code, answer.reason.startswith("the lab does not model ")) == (501, True)
        assert bench.door.unknown == [f"{method} /api2/json{path}: {answer.reason}"]
        assert bench.pve.vms == {}

    def test_a_bad_parameter_is_told_before_one_that_is_not_modelled(self, bench: Bench) -> None:
        answer = bench.ask("GET", "/api2/json/nodes/pve-1/tasks", params={"statusfilter": "odd", "limit": "all"})
        assert (answer.status_code, sorted(answer.json()["errors"])) == (400, ["limit", "statusfilter"])

    def test_storages_are_among_the_resources_and_their_contents_are_a_list(self, bench: Bench) -> None:
        api = bench.api()
        rows = api.cluster.resources.get(type="storage")
        assert [row["id"] for row in rows if row["node"] == "pve-1"] == [
            "storage/pve-1/local",
            "storage/pve-1/local-lvm",
        ]
        assert {row["type"] for row in api.cluster.resources.get()} == {"node", "storage"}
        either = api.nodes("pve-1").storage.get(content="images,import")
        assert [row["storage"] for row in either] == ["local", "local-lvm"]

    def test_outside_the_api_there_is_nothing(self, bench: Bench) -> None:
        assert bench.ask("GET", "/api2/extjs/version").status_code == 501
        assert bench.ask("DELETE", "/api2/json/nodes/pve-1/qemu/100", data={"a": "b"}).status_code == 501
