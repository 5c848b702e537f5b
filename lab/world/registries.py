"""Registries of container images: what each lacks, refuses and counts. Knows no protocol."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.registries.results import Allowance


@dataclass
class LabRegistries:
    """Every image is there but those of `missing`; `refused` are given to nobody without credentials (both as manifests have them).

    `silent` are registries that do not answer, `limited` those that let nobody pull any more, `allowances` how many more pulls a
    registry says that it allows.
    """

    missing: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    limited: set[str] = field(default_factory=set)
    allowances: dict[str, Allowance] = field(default_factory=dict)
