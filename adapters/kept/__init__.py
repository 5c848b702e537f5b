"""Volumes of claims that were replaced: kept as they are until a person has one back or lets it go."""
