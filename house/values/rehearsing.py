"""What the settings say of rehearsals: which probes the restored data of a claim must stand, and what is expected of a recovery.

Values only; asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Preset(Enum):
    """What a probe does; the value is what the settings call it."""

    FILES = "files"
    SQLITE = "sqlite"
    POSTGRES = "postgres"
    HOME_ASSISTANT = "home-assistant"
    HTTP = "http"
    COMMAND = "command"


PYTHON = "docker.io/library/python:3.13-alpine"
IMAGES: Mapping[Preset, str] = {Preset.SQLITE: PYTHON, Preset.HOME_ASSISTANT: PYTHON}
"""The image that a preset runs in where the settings name none. `files` runs in the movers' own, which is in the house already;
postgres and a command have none: what reads the data must be of the very version that wrote them."""
WRITES = frozenset({Preset.SQLITE, Preset.HOME_ASSISTANT, Preset.POSTGRES, Preset.HTTP, Preset.COMMAND})
"""Those that may write to the restored copy: databases replay their logs, as they would at home."""
PROBE_S = 1800.0


@dataclass(frozen=True)
class ClaimProbe:
    """One probe of a claim's restored data. `image` "" is the movers' own; `paths` lie within the volume, () for wherever they are
    found; `command` is that of Preset.COMMAND, or what starts the application of Preset.HTTP in place of its image's own; `limit_s`
    is how long it may take, in seconds. Of Preset.HTTP alone: the application's `port`, the `page` that is asked for there, where
    it has its data (`at`), and its `environment`."""

    preset: Preset
    image: str = ""
    paths: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    limit_s: float = PROBE_S
    port: int = 0
    page: str = "/"
    at: str = "/data"
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What it is called in evidence: its preset, and what it is about where that was named."""
        about = (f":{self.port}{self.page}",) if self.port else self.command or self.paths
        return f"{self.preset.value} {' '.join(about)}"[:80] if about else self.preset.value


@dataclass(frozen=True)
class Objective:
    """What is expected of a recovery, in seconds, 0.0 where nothing is: `rto` until it is back, `rpo` the age of what comes back.

    `fails`: one that is missed is a FAIL, else a warning.
    """

    rto: float = 0.0
    rpo: float = 0.0
    fails: bool = False


@dataclass(frozen=True)
class Prices:
    """What a GB (10^9 bytes) that leaves a store costs, in `currency`: `per_gb` None where nobody has said. `stores` are those that
    differ, by how the address begins that a mover sees."""

    per_gb: float | None = None
    currency: str = ""
    stores: Mapping[str, float] = field(default_factory=dict)

    def of(self, repository: str) -> float | None:
        """That of the store of this repository, None where it is not known. The longest beginning that fits counts."""
        fitting = [beginning for beginning in self.stores if repository.startswith(beginning)]
        if fitting:
            return self.stores[max(fitting, key=len)]
        # Of an address that Git does not show nobody knows whether it is one of those that differ.
        return self.per_gb if repository or not self.stores else None


@dataclass(frozen=True)
class Objectives:
    """`whole.rto` is of a recovery of every required claim, `whole.rpo` of each claim that names none; `claims` by their key.
    `prices` are those of what a recovery fetches."""

    whole: Objective = Objective()
    claims: Mapping[str, Objective] = field(default_factory=dict)
    prices: Prices = Prices()

    def of(self, key: str) -> Objective:
        """What is expected of this claim."""
        return self.claims.get(key, Objective(rpo=self.whole.rpo, fails=self.whole.fails))


@dataclass(frozen=True)
class Mirror:
    """What machines pull images from in place of a registry: its URL, and the file of its authority ("" for a public one)."""

    url: str
    ca_file: str = ""


@dataclass(frozen=True)
class Rehearsal:
    """`probes` by claim key, in their order; `objectives` are what is expected of a recovery. `registries`: what is asked for
    images in place of a registry (its host, `*` for every other)."""

    probes: Mapping[str, tuple[ClaimProbe, ...]] = field(default_factory=dict)
    objectives: Objectives = Objectives()
    registries: tuple[tuple[str, Mirror], ...] = ()

    def probes_of(self, key: str) -> tuple[ClaimProbe, ...]:
        """Those of this claim, () where the settings name none."""
        return self.probes.get(key, ())


NO_REHEARSAL = Rehearsal()
"""Where the settings say nothing."""
