"""A picture of a bootstrap at work: the live view of a real run in the lab, drawn as an SVG when the releases are being installed.

Run it with `python -m console.demo.picture FILE.svg`. The house is built twice: what is left is told by an earlier run.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from console.demo.driving import Driver
from console.opened.opening import open_session
from console.session import Session
from console.verbs.cluster.bootstrap import bootstrap_of
from console.views.live import LiveView
from console.views.pace import pace_of
from console.views.page import simulated
from engine.events import Event, Sink, StepBegun
from engine.files.whole import write_whole
from lab.houses.nouns import HouseFolder
from lab.running.control import ask
from lab.running.starting import start, stop

HOUSE = "four-nodes"
SPEED = 10.0
WIDTH, HEIGHT = 84, 40
MOMENT = "helm.sync-release/"
_FONTS = re.compile(r"\s*@font-face \{\{.*?\}\}", re.DOTALL)


class Filmed(Session):
    """A session whose view is drawn into a picture, once."""

    picture: Path | None = None

    @contextmanager
    def view(self) -> Iterator[Sink]:
        console = Console(record=True, file=io.StringIO(), force_terminal=True, width=WIDTH, height=HEIGHT, highlight=False)
        console.print(Text(simulated(self.house.name).banner, "bold yellow"))
        live = LiveView(console, self.settings, partial(pace_of, self.house.state_dir / "runs"))
        seen: set[str] = set()

        def sink(event: Event) -> None:
            live(event)
            if isinstance(event, StepBegun) and event.step.startswith(MOMENT):
                seen.add(event.step)
                if len(seen) == 2 and self.picture is not None:
                    console.print(live.block())
                    # No font is fetched from anywhere: the reader's own has every sign that is drawn.
                    form = _FONTS.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code", "monospace")
                    write_whole(self.picture, console.export_svg(title="invoke cluster.bootstrap", code_format=form), mode=None)

        yield sink


def take(picture: Path) -> int:
    """Build the house, lose it, build it again, and draw it; answers the exit code of the last run."""
    with tempfile.TemporaryDirectory(prefix="blackstart-picture-") as place:
        folder = HouseFolder(Path(place) / HOUSE)
        try:
            start(HOUSE, "empty", SPEED, folder)
            Driver(folder.settings).run("cluster.bootstrap")
            ask(folder.control, {"do": "lose-everything"})
            opened = open_session("cluster.bootstrap", str(folder.settings), False)
            filmed = Filmed(opened.verb, opened.house, opened.open_doors, out=io.StringIO())
            filmed.picture = picture
            return bootstrap_of(filmed, "")
        finally:
            stop(HOUSE, folder)


if __name__ == "__main__":
    sys.exit(take(Path(sys.argv[1])))
