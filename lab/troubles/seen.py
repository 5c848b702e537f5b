"""How soon a trouble must be seen: the one number that every list of troubles starts from. Knows no trouble."""

from __future__ import annotations

WITHIN_S = 60.0
"""Seconds from the moment at which something breaks until `cluster.verify` names it, where its operator, its node or the thing
itself tells of it at once. Slower ones say so: those that are told by the age of the last word alone."""
