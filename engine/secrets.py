"""A secret value that cannot slip into text, and the register that redacts what was ever made one. Knows no store."""

from __future__ import annotations
