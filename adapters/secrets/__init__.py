"""Secrets: references of the settings, resolved late and at one place."""
