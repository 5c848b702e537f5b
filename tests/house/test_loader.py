"""The small house, loaded: everything that steps read comes out as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.model import DiskFate, FluxApp, House, NodeDisk, Release, Requirement, SecretRef, UnsupportedBackup
from house.values.databases import Database
from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository

GIB = 1024**3


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return load(write_repository(tmp_path_factory.mktemp("small")))


def test_who_it_is_and_where_it_keeps_its_state(house: House) -> None:
    assert (house.name, house.id, house.simulated) == ("small", "5f1d7c2a9e", True)
    assert house.state_dir == house.root / "state/small"
    assert house.settings_file == house.root / "blackstart.yaml"


def test_state_lies_in_the_checkout_when_the_file_does_not_say(tmp_path: Path) -> None:
    house = load(write_repository(tmp_path, SETTINGS.replace("  state: state/small\n", "")))
    assert house.state_dir == Path(__file__).parents[2] / "state" / "small"


def test_the_repository_may_lie_elsewhere(tmp_path: Path) -> None:
    write_repository(tmp_path / "home-ops")
    settings = tmp_path / "lab.yaml"
    text = SETTINGS.replace("repository: .", "repository: home-ops").replace("ca.pem", "home-ops/ca.pem")
    settings.write_text(text, encoding="utf-8")
    assert load(settings).root == tmp_path / "home-ops"


def test_proxmox_endpoints_keep_their_order_and_files_become_absolute(house: House) -> None:
    first, second = house.proxmox.endpoints
    assert (first.url, first.fingerprint, first.ca_file) == ("https://127.10.0.101:8006", "", str(house.root / "ca.pem"))
    assert second.fingerprint == ":".join(["AB"] * 32)
    assert house.proxmox.token_secret == SecretRef(("env:PROXMOX_TOKEN_SECRET", "op://home/proxmox/token"))
    assert house.age_key == SecretRef((f"file:{house.root}/age.key",))


def test_nodes_join_talconfig_with_their_place(house: House) -> None:
    cp, worker = house.nodes
    assert (cp.name, cp.address, cp.mac, cp.control_plane) == ("cp-1", "127.10.0.11", "bc:24:11:00:00:01", True)
    assert (cp.host, cp.vm_id, cp.cores, cp.memory, cp.bridge) == ("pve-1", 8001, 4, 8 * GIB, "vmbr0")
    assert (worker.host, worker.vm_id, worker.cores, worker.control_plane) == ("pve-4", 8004, 2, False)


def test_system_disks_are_made_and_data_disks_kept_unless_the_file_says_otherwise(house: House) -> None:
    cp, worker = house.nodes
    assert cp.disks == (
        NodeDisk("scsi0", "local-lvm", 20 * GIB, DiskFate.CREATE, system=True),
        NodeDisk("scsi1", "local-lvm", 50 * GIB, DiskFate.KEEP, system=False),
    )
    assert worker.disks == (NodeDisk("scsi0", "fast", 20 * GIB, DiskFate.CREATE, system=True),)


def test_the_image_follows_the_schematic_and_talconfigs_version(house: House) -> None:
    assert house.image.url == "https://factory.talos.dev/image/376567988ad3/v1.13.9/nocloud-amd64.qcow2"
    assert house.image.filename == "talos-v1.13.9-37656798-nocloud-amd64.qcow2"
    assert house.image.sha256 == ""


def test_two_image_urls_never_share_a_file_name(tmp_path: Path) -> None:
    names = set()
    for place in ("abc", "def"):
        url = f"https://127.10.0.21/image/{place}/v1.13.9/nocloud-amd64.qcow2"
        text = SETTINGS.replace('schematic: "376567988ad3"', f"url: {url}")
        names.add(load(write_repository(tmp_path, text)).image.filename)
    assert len(names) == 2


def test_the_cluster_is_talconfigs_with_its_variables_filled_in(house: House) -> None:
    cluster = house.cluster
    assert (cluster.talos_version, cluster.kubernetes_version) == ("v1.13.9", "v1.36.3")
    assert (cluster.endpoint, cluster.vip, cluster.api_port) == ("https://127.10.0.10:6443", "127.10.0.10", 6443)
    assert cluster.secrets_bundle == house.root / "talos/talsecret.sops.yaml"


def test_releases_keep_versions_as_written_and_needs_in_full(house: House) -> None:
    assert house.releases[0] == Release("kube-system", "cilium", "cilium/cilium", "1.10", (), atomic=True)
    assert [(r.key, r.needs, r.atomic) for r in house.releases[1:]] == [
        ("kube-system/coredns", ("kube-system/cilium",), True),
        ("flux-system/flux-operator", ("kube-system/coredns",), False),
        ("flux-system/flux-instance", ("flux-system/flux-operator",), True),
    ]
    assert house.namespaces == ("apps", "flux-system", "kube-system")


def test_flux_pulls_what_the_flux_instances_values_say(house: House) -> None:
    flux = house.flux
    assert (flux.url, flux.branch, flux.path) == ("https://127.10.0.22/home-ops.git", "main", "kubernetes/flux/cluster")
    assert flux.deploy_key is None


def test_the_settings_may_name_another_way_to_the_same_repository(tmp_path: Path) -> None:
    git = "git: {url: 'ssh://git@127.10.0.22/home-ops.git', branch: next, deploy_key: file:key}\nsops:"
    flux = load(write_repository(tmp_path, SETTINGS.replace("sops:\n", f"{git}\n", 1))).flux
    assert (flux.url, flux.branch) == ("ssh://git@127.10.0.22/home-ops.git", "next")
    assert flux.deploy_key == SecretRef((f"file:{tmp_path}/key",))


def test_flux_applications_carry_what_they_wait_for(house: House) -> None:
    apps = {app.key: app for app in house.flux_apps}
    assert list(apps) == ["flux-system/cluster-apps", "apps/notes", "apps/odd", "apps/photos", "apps/vault"]
    assert apps["apps/notes"] == FluxApp(
        namespace="apps",
        name="notes",
        target_namespace="apps",
        path="./kubernetes/apps/apps/notes/app",
        depends_on=("apps/photos", "volsync-system/volsync"),
        wait=True,
        parent="flux-system/cluster-apps",
    )
    assert apps["apps/photos"].suspended


def test_a_component_is_expanded_with_the_applications_variables(house: House) -> None:
    notes = house.claims[0]
    assert (notes.key, notes.source, notes.destination) == ("apps/notes-data", "notes-data", "notes-data-bootstrap")
    assert (notes.repository_secret, notes.mover_repository) == ("notes-volsync-secret", "/repository/notes")
    assert (notes.trigger, notes.uid, notes.gid) == ("restore-once", 1000, 1001)
    assert (notes.copy_method, notes.destination_app) == ("Snapshot", "apps/notes")
    assert notes.declared_in == "kubernetes/apps/apps/notes/ks.yaml:2"
    assert notes.open_as == "sftp:backup@127.10.0.40:/tank/notes"
    assert notes.requirement == Requirement(required=True, max_age=36 * 3600.0, min_bytes=1024**2)


def test_a_backup_written_out_in_an_application_is_found_with_inherited_variables(house: House) -> None:
    photos = house.claims[1]
    assert photos.key == "media/photos"
    assert photos.open_as == photos.mover_repository == "s3:https://127.10.0.30:9000/backups/photos"
    assert dict(photos.environment) == {
        "AWS_ACCESS_KEY_ID": SecretRef(("env:KEY_ID",)),
        "AWS_SECRET_ACCESS_KEY": SecretRef(("env:KEY",)),
    }
    assert photos.copy_method == "Direct"
    assert photos.git_restore_as_of == "2026-01-02T03:04:05Z"
    assert photos.requirement == Requirement(required=False, max_age=0.0, min_bytes=1024**2)
    assert photos.declared_in == "kubernetes/apps/apps/photos/app/backup.yaml:7"


def test_an_encrypted_repository_is_named_by_the_settings(house: House) -> None:
    vault = house.claims[2]
    assert (vault.mover_repository, vault.open_as) == ("/repository/vault", "sftp:backup@127.10.0.40:/tank/vault")
    assert vault.password == SecretRef(("env:VAULT_PASSWORD",))
    assert (vault.destination, vault.copy_method, vault.destination_app) == ("", "", "")


def test_an_encrypted_repository_that_nothing_names_says_why(tmp_path: Path) -> None:
    text = SETTINGS.replace("      repository: /repository/vault\n", "")
    vault = load(write_repository(tmp_path, text)).claims[2]
    assert (vault.mover_repository, vault.open_as) == ("", "")
    assert vault.repository_note == "it is encrypted in kubernetes/apps/apps/vault/app/backup.yaml: known only after decrypting"


def test_a_claim_that_no_rule_fits_says_so(tmp_path: Path) -> None:
    text = SETTINGS.replace('seen: "s3:*"', 'seen: "s3:https://elsewhere/*"')
    photos = load(write_repository(tmp_path, text)).claims[1]
    assert photos.open_as == ""
    assert photos.repository_note == "no rule of backups.open_as fits s3:https://127.10.0.30:9000/backups/photos"


def test_nothing_secret_of_a_plain_secret_is_kept(house: House) -> None:
    assert "not-read" not in repr(house)


def test_other_engines_and_databases_are_named(house: House) -> None:
    place = "kubernetes/apps/apps/odd/app/all.yaml"
    assert house.unsupported == (
        UnsupportedBackup("odd", "chat", "kopiur", f"{place}:7"),
        UnsupportedBackup("odd", "wiki", "kopia", f"{place}:2"),
    )
    assert house.databases == (Database("odd", "postgres", "apps/odd", archives=True, recovers=False, declared_in=f"{place}:11"),)


def test_what_could_not_be_followed_is_noted(house: House) -> None:
    assert house.notes == (
        "kubernetes/apps/apps/notes/app/kustomization.yaml:2: ./secret.sops.yaml is not there; add it, or take the entry out",
        "kubernetes/apps/apps/notes/ks.yaml:2: Kustomization apps/notes depends on volsync-system/volsync, which Git does not show"
        "; look whether something else makes it: else this waits for ever",
        "kubernetes/apps/apps/odd/app/all.yaml:16: lonely restores what nothing backs up; add its source",
        "kubernetes/apps/apps/vault/app/backup.yaml:8: apps/vault is backed up, but no ReplicationDestination restores it; add one",
    )


def test_a_selector_of_the_install_disk_is_said_not_to_be_followed(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    file = tmp_path / "talos/talconfig.yaml"
    file.write_text(file.read_text().replace("installDisk: /dev/sda", 'installDiskSelector: {size: "< 30GB"}', 1))
    assert [note for note in load(settings).notes if note.startswith("talos/talconfig.yaml:")] == [
        "talos/talconfig.yaml:9: installDiskSelector is not followed: the first disk is taken for the one that Talos is"
        " installed to; write installDisk, or look whether it is so"
    ]


def test_two_claims_in_one_repository_are_noted(tmp_path: Path) -> None:
    text = SETTINGS.replace("repository: /repository/vault", "repository: /repository/notes")
    notes = load(write_repository(tmp_path, text)).notes
    place = "kubernetes/apps/apps/vault/app/backup.yaml:8"
    assert notes[-1] == f"{place}: apps/vault and apps/notes-data back up to one repository; give each its own"


def test_what_a_kustomization_does_to_backups_is_followed(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    file = tmp_path / "kubernetes/components/volsync/kustomization.yaml"
    file.write_text(file.read_text() + "namePrefix: x-\n")
    notes = load(settings).claims[0]
    assert (notes.key, notes.source) == ("apps/notes-data", "x-notes-data")


R2 = """---
apiVersion: v1
kind: Secret
metadata: {name: photos-r2}
stringData: {RESTIC_REPOSITORY: "s3:https://127.10.0.31:9000/r2/photos", RESTIC_PASSWORD: not-read}
---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: photos-r2}
spec: {sourcePVC: photos, restic: {repository: photos-r2}}
"""
CLAIM = """---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: photos}
spec: {dataSourceRef: {kind: ReplicationDestination, apiGroup: volsync.backube, name: photos-dst}}
"""


@pytest.mark.parametrize("populated", [CLAIM, ""])
def test_of_two_sources_of_one_claim_the_restored_one_is_the_first_and_the_other_one_more_place(
    populated: str, tmp_path: Path
) -> None:
    settings = write_repository(tmp_path)
    folder = tmp_path / "kubernetes/apps/apps/photos/app"
    (folder / "a-r2.yaml").write_text(R2 + populated)  # read before the other
    house = load(settings)
    assert [claim.key for claim in house.claims] == ["apps/notes-data", "media/photos", "apps/vault"]
    first, other = house.claims[1].sources
    assert (first.open_as, first.origin) == ("s3:https://127.10.0.30:9000/backups/photos", "")
    assert (other.open_as, other.origin, other.source) == ("s3:https://127.10.0.31:9000/r2/photos", "photos-r2", "photos-r2")
    assert (other.key, other.source_key, other.git_secret) == ("media/photos", "media/photos@photos-r2", "photos-restic")
    assert other.environment == first.environment
    assert house.second_backups == ()


@pytest.mark.parametrize(
    ("what", "same"),
    [
        ("repository: photos-r2", "repository: photos-restic"),
        ("s3:https://127.10.0.31:9000/r2/photos", "s3:https://127.10.0.30:9000/backups/photos/"),
    ],
)
def test_a_second_source_into_the_same_repository_is_no_further_place(what: str, same: str, tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    place = "kubernetes/apps/apps/photos/app/a-r2.yaml"
    (tmp_path / place).write_text(R2.replace(what, same) + CLAIM)
    house = load(settings)
    assert len(house.claims[1].sources) == 1
    assert len(house.second_backups) == 1
    assert any("backs up media/photos a second time, into the same repository" in note for note in house.notes)


MORE = """    apps/vault:
      repository: /repository/vault
      sources:
        - secret: vault-s3
          repository: s3:https://127.10.0.30:9000/backups/vault
          password: env:VAULT_S3
"""


def test_the_settings_name_further_places_of_a_claim(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    settings.write_text(SETTINGS.replace("    apps/vault:\n      repository: /repository/vault\n", MORE))
    first, other = load(settings).claims[2].sources
    assert (first.open_as, other.open_as) == ("sftp:backup@127.10.0.40:/tank/vault", "s3:https://127.10.0.30:9000/backups/vault")
    assert (first.repository_secret, other.repository_secret) == ("vault-restic", "vault-s3")
    assert (first.password.sources, other.password.sources) == (("env:VAULT_PASSWORD",), ("env:VAULT_S3",))
    assert other.source == first.source, "what nothing in Git backs up to is followed by the claim's own source"
    assert [key for key, _ in other.environment] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]


@pytest.mark.parametrize("secret", ["vault-restic", "vault-s3"])
def test_a_place_that_a_claim_has_already_is_refused_by_its_line(secret: str, tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    twice = MORE + f"        - secret: {secret}\n          repository: /repository/vault-2\n"
    settings.write_text(SETTINGS.replace("    apps/vault:\n      repository: /repository/vault\n", twice))
    with pytest.raises(SettingsInvalid) as refused:
        load(settings)
    assert any(f"{secret} is what this claim has already" in line for line in refused.value.evidence)


def test_a_source_of_no_claim_is_named(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    file = tmp_path / "kubernetes/apps/apps/photos/app/odd.yaml"
    file.write_text(R2.replace("sourcePVC: photos, ", ""))
    place = "kubernetes/apps/apps/photos/app/odd.yaml"
    assert f"{place}:7: photos-r2 says no sourcePVC, and is not followed; name it" in load(settings).notes


def test_a_claim_restored_from_elsewhere_than_it_is_backed_up_to_is_named(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    file = tmp_path / "kubernetes/apps/apps/photos/app/backup.yaml"
    file.write_text(file.read_text().replace("{repository: photos-restic, rest", "{repository: other, rest") + CLAIM)
    place = "kubernetes/apps/apps/photos/app/backup.yaml:7"
    said = "media/photos is backed up to photos-restic, but photos-dst restores from another Secret; name one Secret in both"
    assert f"{place}: {said}" in load(settings).notes
