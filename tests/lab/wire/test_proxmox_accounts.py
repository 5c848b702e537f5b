"""A stranger's whole life of an account, a token, a group and a role at the Proxmox door, and who is let in."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from proxmoxer import ResourceException

from tests.lab.wire.proxmox_bench import PASSWORD, Bench


def test_who_may_something_is_on_the_access_list_and_keeps_it_when_given_more(bench: Bench) -> None:
    root = bench.api("root@pam", password=PASSWORD)
    names = {row["ugid"]: row["roleid"] for row in root.access.acl.get() if row["path"] == "/"}
    assert names == {"blackstart@pve": "Administrator", "blackstart@pve!run": "Administrator"}
    before = bench.api().access.permissions.get()
    root.access.acl.put(path="/", tokens="blackstart@pve!run", roles="PVEAuditor")
    assert bench.api().access.permissions.get() == before
    root.access.acl.put(path="/", tokens="blackstart@pve!run", roles="Administrator", delete=1)
    assert "VM.Allocate" not in bench.api().access.permissions.get()["/"]
    assert "VM.Audit" in bench.api().access.permissions.get()["/"]


def test_an_account_may_what_it_was_given_and_no_more(bench: Bench) -> None:
    root = bench.api("root@pam", password=PASSWORD)
    before = root.access.acl.get()
    root.access.roles.post(roleid="Looker", privs="VM.Audit,Datastore.Audit")
    root.access.users.post(userid="she@pve", password="opensesame", comment="a guest")
    with pytest.raises(ResourceException, match="does not match the regex pattern"):
        root.access.users("she@pve").token("t").post()
    made = root.access.users("she@pve").token("tk").post(privsep=1)
    root.access.acl.put(path="/vms", users="she@pve", tokens="she@pve!tk", roles="Looker")
    her = bench.api("she@pve", token_name="tk", token_value=made["value"])
    assert her.access.permissions.get() == {"/vms": {"Datastore.Audit": 1, "VM.Audit": 1}}
    with pytest.raises(ResourceException, match=r"\(/nodes/pve-1, Sys.Audit\)"):
        her.nodes("pve-1").status.get()
    root.access.roles("Looker").put(privs="Sys.Audit", append=1)
    root.access.acl.put(path="/nodes", users="she@pve", tokens="she@pve!tk", roles="Looker", propagate=1)
    assert her.nodes("pve-1").status.get()["cpuinfo"]["cpus"] == 16
    assert {row["path"] for row in root.access.acl.get()} == {"/", "/vms", "/nodes"}
    root.access.users("she@pve").token("tk").delete()
    root.access.users("she@pve").delete()
    with pytest.raises(ResourceException, match="no such user"):
        root.access.users("she@pve").get()
    assert root.access.acl.get() == before
    assert bench.door.unknown == []


def test_who_is_in_a_group_may_what_it_may_but_for_its_own_rights(bench: Bench) -> None:
    root = bench.api("root@pam", password=PASSWORD)
    root.access.groups.post(groupid="admins", comment="of the house")
    root.access.groups.post(groupid="lookers")
    with pytest.raises(ResourceException, match="create group failed: group 'admins' already exists"):
        root.access.groups.post(groupid="admins")
    with pytest.raises(ResourceException, match="create user failed: no such group 'none'"):
        root.access.users.post(userid="she@pve", password="opensesame", groups="none")
    root.access.users.post(userid="she@pve", password="opensesame", groups="admins")
    root.access.users("she@pve").put(groups="lookers", append=1)
    assert root.access.users("she@pve").get()["groups"] == ["admins", "lookers"]
    full = {row["userid"]: row for row in root.access.users.get(full=1)}
    assert full["she@pve"]["groups"] == "admins,lookers"
    assert [token["tokenid"] for token in full["blackstart@pve"]["tokens"]] == ["run"]
    assert root.access.groups.get() == [
        {"groupid": "admins", "users": "she@pve", "comment": "of the house"}, {"groupid": "lookers", "users": "she@pve"},
    ]  # fmt: skip

    root.access.acl.put(path="/vms", groups="admins", roles="PVEVMAdmin")
    root.access.acl.put(path="/", groups="lookers", roles="PVEAuditor")
    assert {"path": "/vms", "ugid": "admins", "type": "group", "roleid": "PVEVMAdmin", "propagate": 1} in root.access.acl.get()
    her = bench.api("she@pve", password="opensesame")
    held = her.access.permissions.get()
    assert "VM.Allocate" in held["/vms"] and "VM.Allocate" not in held["/nodes"] and held["/nodes"]["Sys.Audit"] == 1
    root.access.acl.put(path="/vms", users="she@pve", roles="PVETemplateUser")
    assert set(her.access.permissions.get(path="/vms")["/vms"]) == {"VM.Audit", "VM.Clone"}, "its own go before its groups'"
    with pytest.raises(ResourceException, match="group 'none' does not exist"):
        root.access.acl.put(path="/", groups="none", roles="PVEAuditor")

    root.access.users("she@pve").put(groups="admins")
    assert "/nodes" not in her.access.permissions.get()
    root.access.groups("admins").put(comment="")
    assert root.access.groups("admins").get() == {"members": ["she@pve"]}
    root.access.groups("admins").delete()
    assert "admins" not in {row["ugid"] for row in root.access.acl.get()}
    with pytest.raises(ResourceException, match="group 'admins' does not exist"):
        root.access.groups("admins").get()
    root.access.users("she@pve").delete()
    assert root.access.groups("lookers").get() == {"members": []}
    assert bench.door.unknown == []


def test_a_role_that_does_not_go_down_holds_at_its_path_alone(bench: Bench) -> None:
    root = bench.api("root@pam", password=PASSWORD)
    root.access.users.post(userid="she@pve", password="opensesame")
    made = root.access.users("she@pve").token("tk").post(privsep=0)
    her = bench.api("she@pve", token_name="tk", token_value=made["value"])
    root.access.acl.put(path="/nodes", users="she@pve", roles="PVEAuditor", propagate=0)
    assert set(her.access.permissions.get(path="/nodes")["/nodes"].values()) == {0}
    with pytest.raises(ResourceException, match=r"\(/nodes/pve-1, Sys.Audit\)"):
        her.nodes("pve-1").status.get()
    root.access.acl.put(path="/", users="she@pve", roles="PVEAuditor")
    assert her.nodes("pve-1").status.get()["cpuinfo"]["cpus"] == 16
    root.access.acl.put(path="/", users="she@pve", roles="PVEAuditor", delete=1)
    root.access.acl.put(path="/nodes", users="she@pve", roles="PVEAuditor", propagate=1)
    assert her.nodes("pve-1").status.get()["cpuinfo"]["cpus"] == 16


def test_who_is_disabled_or_past_its_end_is_let_in_no_more(bench: Bench) -> None:
    root, now = bench.api("root@pam", password=PASSWORD), int(bench.clock.now())
    root.access.users.post(userid="she@pve", password="opensesame", expire=now + 100)
    made = root.access.users("she@pve").token("tk").post(privsep=0, expire=now + 50)
    she = root.access.users("she@pve")

    def let_in() -> tuple[bool, bool]:
        header = {"Authorization": f"PVEAPIToken=she@pve!tk={made['value']}"}
        asked = bench.ask("GET", "/api2/json/version", headers=header)
        assert asked.status_code == 200 or (asked.status_code, asked.reason) == (401, "Authentication failed!")
        form = {"username": "she@pve", "password": "opensesame"}
        login = bench.ask("POST", "/api2/json/access/ticket", headers={"Authorization": ""}, data=form)
        return asked.status_code == 200, login.status_code == 200

    assert let_in() == (True, True)
    bench.clock.sleep(60)
    assert let_in() == (False, True)
    she.token("tk").put(expire=0)
    assert let_in() == (True, True)
    she.put(enable=0)
    assert let_in() == (False, False)
    she.put(enable=1)
    assert let_in() == (True, True)
    bench.clock.sleep(60)
    assert let_in() == (False, False)


def test_a_ticket_may_come_where_a_token_does_and_still_needs_its_other_half(bench: Bench) -> None:
    form = {"username": "root@pam", "password": PASSWORD}
    made = bench.ask("POST", "/api2/json/access/ticket", headers={"Authorization": ""}, data=form).json()["data"]
    ticket, other = f"PVEAuthCookie={made['ticket']}", {"CSRFPreventionToken": made["CSRFPreventionToken"]}
    quoted = f"PVEAuthCookie={quote(made['ticket'], safe='')}"

    def asked(method: str, **headers: str) -> tuple[int, str]:
        answer = bench.ask(method, "/api2/json/pools", headers=headers, data={"poolid": "x"} if method == "POST" else None)
        return answer.status_code, answer.reason

    assert asked("GET", Authorization=ticket) == asked("GET", Authorization=quoted) == (200, "OK")
    assert asked("GET", Authorization="", Cookie=f"lang=en; {ticket}; x=y") == (200, "OK")
    assert asked("POST", Authorization=ticket) == (401, "Permission denied - invalid csrf token")
    assert asked("POST", Authorization=ticket, **other) == (200, "OK")
    assert asked("GET", Authorization="PVEAuthCookie=PVE:root@pam:0::x") == (401, "permission denied - invalid PVE ticket")
    assert asked("GET", Authorization="") == asked("GET", Authorization="Basic x") == (401, "No ticket")
