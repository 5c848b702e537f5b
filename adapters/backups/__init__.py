"""Backups: repositories looked at from here, read-only."""
