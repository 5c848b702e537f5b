"""The settings file of a house of the lab: what a person would write for it. Holds no secret, only references to files."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from house.settings.schema import EDITOR_LINE
from lab.houses.credentials import FILES, TOKEN_ID
from lab.houses.nouns import NAS_PORT, NAS_SSH_PORT, NAS_VM, PROXMOX_PORT, Block, HouseShape
from lab.wire.sftp.sshd import login

# Any will do: the lab's factory serves what was published at the path.
SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
TALOS_VERSION = "v1.13.9"
DISK = "20GiB"


def image_url(block: Block) -> str:
    """Where the image of this house's nodes is published."""
    return f"{block.factory}/image/{SCHEMATIC}/{TALOS_VERSION}/nocloud-amd64.qcow2"


def settings_text(shape: HouseShape, block: Block, fingerprints: Mapping[str, str], sha256: str) -> str:
    """The text. `fingerprints`: of each Proxmox host's certificate, by host; `sha256`: of the image, "" for none."""
    hosts = {node.host: block.host(node) for node in shape.nodes}
    return _TEXT.format(
        editor=EDITOR_LINE,
        name=shape.name,
        id=secrets.token_hex(8),
        endpoints="".join(
            f"    - url: https://{address}:{PROXMOX_PORT}\n      fingerprint: {fingerprints[host]}\n"
            for host, address in hosts.items()
        ),
        token_id=TOKEN_ID,
        hosts=", ".join(hosts),
        disk=DISK,
        nodes="".join(f"  {n.name}: {{host: {n.host}, vm_id: {n.vm_id}}}\n" for n in shape.nodes),
        factory=block.factory,
        schematic=SCHEMATIC,
        sha256=f"  sha256: {sha256}\n" if sha256 else "",
        backups=block.backups,
        registries=block.registries,
        databases=_DATABASES.format(**{field: f"file:secrets/{file}" for field, file in FILES.items()}) if shape.database else "",
        nas=_nas(block) if shape.nas else "",
        **{field: f"file:secrets/{file}" for field, file in FILES.items()},
    )


def _nas(block: Block) -> str:
    return _NAS.format(nas=block.nas, port=NAS_PORT, vm=NAS_VM, key=FILES["nas_key"], user=login(), ssh=NAS_SSH_PORT)


_NAS = """
nas:
  nas:
    url: wss://{nas}:{port}
    ca_file: pki/ca.crt
    username: blackstart
    api_key: file:secrets/{key}
    vm: {vm}
    datasets: [tank/backup]
    exports: [/mnt/tank/backup, //media]
    ssh: ssh://{user}@{nas}:{ssh}
    ssh_known_hosts: nas-ssh/known_hosts
    ssh_key: nas-ssh/user
"""
_DATABASES = """\
  databases:
    database/pg:
      environment:
        AWS_ACCESS_KEY_ID: {store_key_id}
        AWS_SECRET_ACCESS_KEY: {store_key}
      ca_file: pki/ca.crt
      probe:
        - {{database: app, sql: "SELECT string_agg(row, ' ' ORDER BY n) FROM notes", expect: "first second third"}}
"""
_TEXT = """{editor}
# Settings of the simulated house {name}, made by lab.up. A real house's differ in nothing but what they say.
house:
  name: {name}
  id: "{id}"
  simulated: true
  repository: home-ops
  state: state

proxmox:
  endpoints:
{endpoints}  token:
    id: {token_id}
    secret: {proxmox_token}
  hosts: [{hosts}]

node_defaults:
  storage: local-lvm
  bridge: vmbr0
  cores: 2
  memory: 4GiB
  disks:
    - size: {disk}

nodes:
{nodes}
image:
  factory: {factory}
  schematic: {schematic}
{sha256}  ca_file: pki/ca.crt
  storage: local

sops:
  age_key: {age_key}

backups:
  password: {restic_password}
  open_as:
    - seen: "{backups}/{{app}}"
      environment:
        AWS_ACCESS_KEY_ID: {store_key_id}
        AWS_SECRET_ACCESS_KEY: {store_key}
      ca_file: pki/ca.crt
{databases}  not_followed:
    "HelmRelease volsync-system/snapshot-controller": it keeps nothing
    "HelmRelease volsync-system/volsync": it keeps nothing
  defaults:
    # A new house has no backup yet. Once `dr.audit --lock` has seen one, its absence stops a run all the same.
    data: may-be-empty
    max_age: 36h
{nas}
rehearsal:
  registries:
    # One server stands for every registry: the lab asks nobody outside of this machine.
    "*": {{url: {registries}, ca_file: pki/ca.crt}}

limits:
  parallel: 8
  proxmox_parallel: 4
  boot: 3m
  api: 3m
  release: 3m
  flux: 5m
  restore: 5m
"""
