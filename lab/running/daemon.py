"""The process that holds one house of the lab: `python -m lab.running.daemon HOUSE FOLDER PREFIX SPEED SCENARIO`. Ends on SIGTERM.

Whoever starts it waits for `endpoints.json`, which is written when every door is open (lab/running/starting.py).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from lab.houses.nouns import SHAPES, Block, HouseFolder
from lab.parts.supervisor import ProcessId
from lab.running.control import Control
from lab.running.endpoints import write_endpoints
from lab.running.house import LabHouse
from lab.scenarios import play

_WAKE_S = 0.2


def main(arguments: list[str]) -> int:
    """Hold the house until told to end."""
    name, root, prefix, speed, scenario = arguments
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(threadName)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    folder = HouseFolder(Path(root))
    own = ProcessId.of(os.getpid())
    assert own is not None  # it is this very process
    folder.daemon.write_text(json.dumps({"pid": own.pid, "started": own.started}))
    house = LabHouse(SHAPES[name], folder, Block(prefix), float(speed))
    try:
        house.open()
        play(scenario, house)
        control = Control(house, folder.control).start()
        try:
            write_endpoints(house)
            # The signal may reach any thread, and its handler runs only when this one wakes up.
            while not ended.wait(_WAKE_S):
                pass
        finally:
            control.close()
    finally:
        house.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
