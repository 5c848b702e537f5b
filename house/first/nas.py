"""The NAS section that `config.init` writes: commented out, with what the repository is seen to mount. Decides nothing."""

from __future__ import annotations

from house.declared.nas_declared import mounted_servers
from house.flux.rendered import Rendered

_HEAD = """# Each NAS (TrueNAS 25.04 or newer) that backups or volumes lie on: cluster.verify looks at its pools, datasets, exports,
# snapshots and alerts, and no restore begins while what it reads from is not whole. SECURITY.md: how to make its key."""
_SAMPLE = """# nas:
#   nas:
#     url: wss://{host}
#     fingerprint: AA:BB:…  # System > Certificates; or ca_file
#     username: blackstart
#     api_key: env:NAS_API_KEY
#     also: []  # its other names and addresses, as manifests have them
#     vm: 105  # its VM on Proxmox, if it is one: started where its backups are needed, and never changed
#     vm_name: truenas  # that VM's name there
#     datasets: [tank/backup]  # that must be there
"""


def nas_text(rendered: Rendered) -> str:
    """The section, nothing of it in force."""
    found = mounted_servers(rendered)
    lines = [f"# Mounted of {server}: {', '.join(places)}." for server, places in found.items()]
    return "\n".join([_HEAD, *lines, _SAMPLE.format(host=next(iter(found), "nas.lan"))])
