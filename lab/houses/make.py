"""Makes a house of the lab new, in its own folder: authority, secrets, repository, charts, settings. Starts nothing."""

from __future__ import annotations

import hashlib
import shutil

from house.settings.schema import SCHEMA_FILE, schema_text
from lab.houses.credentials import Credentials
from lab.houses.nouns import Block, HouseFolder, HouseShape
from lab.houses.repository import make_repository
from lab.houses.settings import image_url, settings_text
from lab.wire.charts import SOURCES, pack
from lab.wire.pki import LabCA
from lab.world.images import make_qcow2
from lab.world.pve.house import IMAGE_BYTES


def make_house(shape: HouseShape, folder: HouseFolder, block: Block) -> None:
    """Everything that a run in this house needs to know. What an earlier house left in the folder is removed first.

    PartFailed or ProgramMissing when a program refuses or is not there.
    """
    shutil.rmtree(folder.root, ignore_errors=True)
    folder.root.mkdir(mode=0o700, parents=True)
    ca = LabCA(folder.pki)
    credentials = Credentials.make()
    credentials.write(folder.secrets)
    make_repository(shape, folder, block, credentials)
    pack(SOURCES, folder.charts, block.charts)
    # The Proxmox door asks for the same keys when it opens.
    pins = {n.host: ca.server(f"pve-{n.host}", block.host(n), n.host).fingerprint for n in shape.nodes}
    url = image_url(block)
    sha256 = hashlib.sha256(make_qcow2(IMAGE_BYTES, url.encode())).hexdigest()
    folder.settings.write_text(settings_text(shape, block, pins, "" if shape.stock else sha256))
    (folder.root / SCHEMA_FILE).write_text(schema_text())
