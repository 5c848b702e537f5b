"""Backups as they are: looked at, judged, counted, and what has none."""
