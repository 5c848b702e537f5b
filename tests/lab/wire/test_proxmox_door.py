"""The Proxmox door as strangers' clients see it: logins, envelopes, refusals, faults. Unmodified proxmoxer, and bare requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from proxmoxer import AuthenticationError, ProxmoxAPI, ResourceException

from lab.wire.pki import LabCA
from lab.wire.proxmox.door import LOGIN_DELAY_S, ProxmoxDoor
from lab.world.faults import Fault
from lab.world.proxmox import LabProxmox
from lab.world.pve_access import LabToken, LabUser, everything
from lab.world.pve_house import cluster_for, publish_image
from lab.world.world import World
from tests.contract.proxmox_doors import HOUSE, IMAGE, HandClock

SECRET = "1f0c-lab"
PASSWORD = "correct horse"
VM = {"vmid": 100, "memory": 2048, "scsi0": "local-lvm:8", "net0": "virtio,bridge=vmbr0"}


class Bench:
    """A cluster of four hosts with its door, and clients for it."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.pve: LabProxmox = cluster_for(HOUSE, World(self.clock), SECRET)
        self.sha256 = publish_image(self.pve, HOUSE.image.url)
        self.pve.access.users["root@pam"].password = PASSWORD
        self.ca = LabCA(folder)
        self.door = ProxmoxDoor(self.pve, self.ca, dict.fromkeys(self.pve.hosts, ("127.0.0.1", 0))).start()
        self.sessions: list[requests.Session] = []

    def url(self, host: int = 0) -> str:
        """Address of one host's endpoint."""
        return self.door.endpoints()[host].url

    def api(self, user: str = "blackstart@pve", **login: str) -> Any:
        """proxmoxer as it comes; with a token unless a password is given."""
        login = login or {"token_name": "run", "token_value": SECRET}
        port = int(self.url().rpartition(":")[2])
        api = ProxmoxAPI("127.0.0.1", port=port, user=user, verify_ssl=str(self.ca.ca_file), timeout=10, **login)
        self.sessions.append(api._store["session"])
        return api

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One bare request with the token."""
        headers = {"Authorization": f"PVEAPIToken=blackstart@pve!run={SECRET}"} | options.pop("headers", {})
        with requests.Session() as session:
            return session.request(
                method,
                self.url(options.pop("host", 0)) + path,
                headers=headers,
                verify=str(self.ca.ca_file),
                timeout=10,
                **options,
            )

    def wait(self, api: Any, upid: str) -> str:
        """The task's exit status."""
        node = upid.split(":")[1]
        while (status := api.nodes(node).tasks(upid).status.get())["status"] == "running":
            self.clock.sleep(1.0)
        return str(status["exitstatus"])

    def close(self) -> None:
        """End all."""
        for session in self.sessions:
            session.close()
        self.door.close()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pki")


@pytest.fixture
def bench(pki: Path) -> Iterator[Bench]:
    bench = Bench(pki)
    yield bench
    bench.close()


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
        [("GET", "/nodes/pve-1/lxc"), ("PATCH", "/nodes"), ("POST", "/nodes/pve-1/vzdump"), ("GET", "/cluster/ha")],
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
            ("GET", "/nodes/pve-1/tasks", {"since": "1"}),
            ("GET", "/nodes/pve-1/storage", {"format": "1"}),
            ("GET", "/nodes/pve-1/network", {"type": "eth"}),
            ("GET", "/cluster/resources", {"type": "sdn"}),
            ("GET", "/pools", {"poolid": "talos"}),
            ("POST", "/nodes/pve-1/qemu", {**VM, "pool": "talos"}),
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
        answer = bench.ask("GET", "/api2/json/nodes/pve-1/tasks", params={"since": "1", "limit": "all"})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["limit"])

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


class TestVmsOnTheWire:
    def test_a_config_says_again_what_was_given(self, bench: Bench) -> None:
        api = bench.api()
        disk = "file=local-lvm:8,ssd=on,discard=on,iothread=1"
        upid = api.nodes("pve-1").qemu.post(
            vmid=100,
            name="a",
            tags="b;A,b",
            scsi0=disk,
            efidisk0="local-lvm:0,efitype=4m",
            ide2="none,media=cdrom",
            net0="model=virtio,bridge=vmbr0,firewall=0,macaddr=bc:24:11:00:00:01",
            memory="512",
            onboot=1,
        )
        assert bench.wait(api, upid) == "OK"
        config = api.nodes("pve-1").qemu(100).config.get()
        assert config.pop("digest")
        # What a real host writes besides: a client that compares whole configurations would find drift for ever.
        made_up = {name: str(config.pop(name)) for name in ("smbios1", "vmgenid", "meta")}
        assert made_up["smbios1"].startswith("uuid=")
        assert made_up["meta"].startswith("creation-qemu=")
        assert config == {
            "boot": "order=scsi0;ide2;net0",
            "name": "a",
            "tags": "a;b",
            "memory": "512",
            "onboot": 1,
            "efidisk0": "local-lvm:vm-100-disk-0,efitype=4m,size=4M",
            "scsi0": "local-lvm:vm-100-disk-1,discard=on,iothread=1,size=8G,ssd=1",
            "ide2": "none,media=cdrom",
            "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=0",
        }

    def test_a_card_without_an_address_gets_one(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(**VM))
        assert api.nodes("pve-1").qemu(100).config.get()["net0"].startswith("virtio=BC:24:11:")

    @pytest.mark.parametrize(
        ("slot", "value", "status", "text"),
        [
            ("scsi1", "local-lvm:8,import-from=" + IMAGE, 400, "requires special syntax"),
            ("scsi1", "local-lvm:0,import-from=local:iso/talos.iso", 400, "has wrong type 'iso'"),
            ("scsi1", "local-lvm:0,import-from=/root/talos.raw", 500, "Only root can pass arbitrary filesystem paths"),
            ("ide2", "local:iso/talos.iso", 400, "explicit 'media=cdrom' is required"),
            ("scsi1", "local:8", 500, "does not support content-type 'images'"),
            ("scsi1", "nowhere:8", 500, "storage 'nowhere' does not exist"),
        ],
    )
    def test_disks_that_pve_refuses(self, bench: Bench, slot: str, value: str, status: int, text: str) -> None:
        with pytest.raises(ResourceException, match=text) as caught:
            bench.api().nodes("pve-1").qemu.post(**{**VM, slot: value})
        assert caught.value.status_code == status
        assert bench.pve.vms == {}

    def test_a_config_changes_only_under_the_right_digest(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(**VM))
        vm = api.nodes("pve-1").qemu(100)
        digest = vm.config.get()["digest"]
        assert vm.config.put(description="mine", digest=digest) is None
        with pytest.raises(ResourceException, match="checksum mismatch"):
            vm.config.put(description="yours", digest=digest)
        with pytest.raises(ResourceException, match="checksum mismatch"):
            vm.resize.put(disk="scsi0", size="20G", digest=digest)
        vm.config.put(delete="description")
        assert "description" not in vm.config.get()

    def test_ovmf_without_its_disk_starts_with_warnings(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(bios="ovmf", **VM))
        upid = api.nodes("pve-1").qemu(100).status.start.post()
        assert bench.wait(api, upid) == "WARNINGS: 1"
        lines = api.nodes("pve-1").tasks(upid).log.get()
        assert lines[0] == {"n": 1, "t": "WARN: no efidisk configured! Using temporary efivars disk."}

    def test_the_agent_has_three_ways_to_say_no(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(**VM))
        ping = api.nodes("pve-1").qemu(100).agent.ping
        for text in ("No QEMU guest agent configured", "VM 100 is not running", "QEMU guest agent is not running"):
            with pytest.raises(ResourceException, match=text):
                ping.post()
            if text.startswith("No"):
                api.nodes("pve-1").qemu(100).config.put(agent=1)
            elif text.startswith("VM"):
                bench.wait(api, api.nodes("pve-1").qemu(100).status.start.post())

    def test_ids_are_not_reserved(self, bench: Bench) -> None:
        api = bench.api()
        assert [int(api.cluster.nextid.get()) for _ in range(2)] == [100, 100]
        api.nodes("pve-1").qemu.post(**VM)
        assert int(api.cluster.nextid.get()) == 101
        with pytest.raises(ResourceException) as caught:
            api.cluster.nextid.get(vmid=100)
        assert caught.value.errors == {"vmid": "VM 100 already exists"}

    def test_two_workers_on_one_vm_wait_for_each_other(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, api.nodes("pve-1").qemu.post(**VM))
        vm = api.nodes("pve-1").qemu(100)
        first, second = vm.status.start.post(), vm.status.stop.post()
        assert [bench.wait(api, upid) for upid in (second, first)] == ["OK", "OK"]
        bench.pve.delays.start_s = 60.0
        vm.status.start.post()
        assert (
            bench.wait(api, vm.status.stop.post())
            == "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"
        )

    def test_a_task_can_be_stopped_and_only_its_owner_sees_it(self, bench: Bench) -> None:
        api = bench.api()
        upid = api.nodes("pve-1").qemu.post(**VM)
        bench.pve.access.add_token(LabToken("other@pve!t", "s", rights={"/": frozenset({"VM.Audit"})}))
        other = bench.api("other@pve", token_name="t", token_value="s")
        assert other.nodes("pve-1").tasks.get(source="all") == []
        with pytest.raises(ResourceException, match=r"\(/nodes/pve-1, Sys.Audit\)"):
            other.nodes("pve-1").tasks(upid).status.get()
        (row,) = api.nodes("pve-1").tasks.get(source="active")
        assert (row["upid"], row["user"], row["tokenid"], row["status"]) == (upid, "blackstart@pve", "run", "RUNNING")
        assert api.nodes("pve-1").tasks(upid).delete() is None
        assert bench.wait(api, upid) == "received interrupt"


class TestImagesOnTheWire:
    def download(self, bench: Bench, **changes: Any) -> Any:
        values = {"content": "import", "filename": "talos.qcow2", "url": HOUSE.image.url} | changes
        return bench.api().nodes("pve-1").storage("local")("download-url").post(**values)

    def test_a_file_is_not_overwritten_without_a_checksum(self, bench: Bench) -> None:
        api = bench.api()
        assert bench.wait(api, self.download(bench)) == "OK"
        assert bench.wait(api, self.download(bench)).startswith("refusing to override existing file")
        assert bench.wait(api, self.download(bench, checksum="00" * 32, **{"checksum-algorithm": "sha256"})).startswith(
            "checksum mismatch: got"
        )

    def test_a_volume_is_found_by_any_spelling_and_deleted(self, bench: Bench) -> None:
        api = bench.api()
        bench.wait(api, self.download(bench))
        base = "/api2/json/nodes/pve-1/storage/local/content/"
        names = ("local:import/talos.qcow2", "local%3Aimport%2Ftalos.qcow2", "import/talos.qcow2")
        sizes = {bench.ask("GET", base + name).json()["data"]["size"] for name in names}
        assert len(sizes) == 1
        upid = bench.ask("DELETE", base + "local:import%2Ftalos.qcow2").json()["data"]
        assert bench.wait(api, upid) == "OK"
        assert api.nodes("pve-1").storage("local").content.get() == []

    def test_metadata_of_a_url(self, bench: Bench) -> None:
        ask = bench.api().nodes("pve-1")("query-url-metadata")
        assert ask.get(url=HOUSE.image.url)["filename"] == "nocloud-amd64.qcow2"
        with pytest.raises(ResourceException, match="invalid server response: '404 Not Found'"):
            ask.get(url=HOUSE.image.url + "x")


class TestFaultsOnTheWire:
    @pytest.mark.parametrize(("fault", "made"), [(Fault.DIE_BEFORE, False), (Fault.DIE_AFTER, True)])
    def test_a_death_calls_the_hook_and_says_nothing(self, bench: Bench, fault: Fault, made: bool) -> None:
        killed: list[str] = []
        bench.pve.world.on_death = killed.append
        bench.pve.world.faults.arm("proxmox.create_vm/100#1", fault)
        with pytest.raises(requests.exceptions.ConnectionError):
            bench.api().nodes("pve-1").qemu.post(**VM)
        assert killed == ["proxmox.create_vm/100"]
        assert (100 in bench.pve.vms) is made

    def test_two_server_errors_then_it_works(self, bench: Bench) -> None:
        bench.pve.world.faults.arm("proxmox.create_vm/*", Fault.ERROR_TWICE)
        api = bench.api()
        for _ in range(2):
            with pytest.raises(ResourceException) as caught:
                api.nodes("pve-1").qemu.post(**VM)
            assert (caught.value.status_code, caught.value.content) == (596, "Connection timed out")
            assert bench.pve.vms == {}
        assert bench.wait(api, api.nodes("pve-1").qemu.post(**VM)) == "OK"
