"""Trials of storage classes: a fresh write, and a snapshot that is restored and compared, made of objects of our own."""
