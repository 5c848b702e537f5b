"""The demo of the commoner bad days: one scene for each part of a house that can be lost, the rest living on beside it."""
