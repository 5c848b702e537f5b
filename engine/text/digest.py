"""One way to make a short digest of what a step would do."""

from __future__ import annotations

import hashlib
import json


def digest(*parts: object) -> str:
    """16 hex digits over the parts' canonical JSON; anything that is not plain JSON goes in by its `repr`."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
