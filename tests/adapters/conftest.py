"""Fixtures of the adapters' tests."""

from __future__ import annotations

from tests.contract.conftest import real_api

__all__ = ["real_api"]
