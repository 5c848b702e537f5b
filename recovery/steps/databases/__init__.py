"""A database accepted, pinned, made again and proven, or saved."""
