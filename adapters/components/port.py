"""The port of what runs in the cluster: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.components.results import AgeKey, AppliedLook, Ask, Program, Seen


class ComponentsView(Protocol):
    """Programs, their operators' objects, and what Flux applied, read-only."""

    def programs(self) -> tuple[Program, ...]:
        """Every Deployment, StatefulSet and DaemonSet, by namespace and name."""

    def objects(self, ask: Ask) -> tuple[Seen, ...] | None:
        """Every object of the kind, by namespace and name; None where the API serves none of its versions."""

    def applied(self) -> AppliedLook: ...
    def age_keys(self) -> tuple[AgeKey, ...]:
        """Every Secret that a Kustomization of the cluster decrypts with. No key leaves the adapter."""
