"""Drills that happen by themselves: units for systemd, and whether what they promise really came about."""
