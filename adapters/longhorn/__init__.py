"""Longhorn, asked through the cluster's API: its own objects and what runs of it."""
