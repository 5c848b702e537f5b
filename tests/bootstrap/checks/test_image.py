"""The Talos image before the first VM: who vouches for it, and where it has to lie."""

from __future__ import annotations

from dataclasses import replace

from engine.probe import Condition
from tests.hands import only, see
from tests.scenario.running import Running


class TestImage:
    ID = "preflight.image"

    def unpinned(self, bare: Running) -> None:
        bare.house = replace(bare.house, image=replace(bare.house.image, sha256=""))

    def test_another_checksum_is_drift_that_shows_both(self, bare: Running) -> None:
        bare.house = replace(bare.house, image=replace(bare.house.image, sha256="0" * 64))
        seen = see(bare, bare.bootstrap, self.ID)
        assert seen.condition is Condition.DRIFTED
        assert seen.evidence[1] == f"pinned {'0' * 64}"

    def test_a_pin_is_enough_where_the_factory_publishes_no_checksum(self, bare: Running) -> None:
        assert see(bare, bare.bootstrap, self.ID).detail.endswith("vouches for it, the factory agrees")
        bare.home.proxmox.images.checksums = False
        seen = see(bare, bare.bootstrap, self.ID)
        assert (seen.condition, seen.detail) == (Condition.SATISFIED, "it is there; image.sha256 in the settings vouches for it")

    def test_without_a_pin_the_factory_vouches_and_it_says_so(self, bare: Running) -> None:
        self.unpinned(bare)
        assert "the factory itself vouches for it" in see(bare, bare.bootstrap, self.ID).detail

    def test_with_neither_it_names_the_line_to_add(self, bare: Running) -> None:
        self.unpinned(bare)
        bare.home.proxmox.images.checksums = False
        seen = see(bare, bare.bootstrap, self.ID)
        assert (seen.condition, seen.detail) == (
            Condition.MISSING, "the factory publishes no checksum, and none is pinned in the settings",
        )  # fmt: skip
        assert seen.evidence == ("blackstart.yaml, under image: the line `sha256: HEX` is missing",)
        assert seen.hint.endswith(f"curl -fsSL {bare.house.image.url} | sha256sum")
        assert [line.id for line in bare.apply(bare.bootstrap).root_causes] == [self.ID]
        assert not bare.home.proxmox.vms

    def test_a_factory_of_ones_own_is_asked_with_its_ca(self, bare: Running) -> None:
        from bootstrap.course import course

        own = replace(bare.house, image=replace(bare.house.image, ca_file="/house/factory ca.pem"))
        (check,) = [one for one in course(own, {}).checks if one.id == self.ID]
        assert check.by_hand().startswith("curl -fsSL --cacert '/house/factory ca.pem' -r 0-0 -o /dev/null ")

    def test_an_image_that_nobody_publishes(self, bare: Running) -> None:
        bare.house = replace(bare.house, image=replace(bare.house.image, url="https://127.10.0.21:8443/image/none.qcow2"))
        seen = see(bare, bare.bootstrap, self.ID)
        assert (seen.condition, seen.evidence) == (Condition.MISSING, ("404 Not Found",))

    def test_a_factory_that_is_down_is_unknown_until_every_host_has_the_image(self, bare: Running) -> None:
        bare.home.proxmox.images.down = True
        assert see(bare, bare.bootstrap, self.ID).condition is Condition.UNKNOWN
        bare.home.proxmox.images.down = False
        assert bare.apply(only(bare.bootstrap, "preflight.", "proxmox.lift", "proxmox.fetch-image")).converged
        bare.home.proxmox.images.down = True
        assert see(bare, bare.bootstrap, self.ID).detail.startswith("no host needs it any more")

    def test_a_house_whose_vms_are_all_there_needs_none(self, with_vms: Running) -> None:
        for host in with_vms.home.proxmox.hosts:
            storage = with_vms.home.proxmox.storages.find(host, "local")
            assert storage is not None
            storage.volumes.clear()
        with_vms.home.proxmox.images.down = True
        assert see(with_vms, with_vms.bootstrap, self.ID).condition is Condition.SATISFIED
        assert see(with_vms, with_vms.bootstrap, "proxmox.fetch-image/pve-1").condition is Condition.SATISFIED
