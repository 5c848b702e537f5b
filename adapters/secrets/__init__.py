"""Secrets: how references become values."""
