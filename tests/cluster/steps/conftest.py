"""Fixtures: the modelled house before and after its bootstrap."""

from __future__ import annotations

from tests.bootstrap.conftest import bare, built

__all__ = ["bare", "built"]
