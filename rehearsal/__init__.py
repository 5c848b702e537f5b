"""Rehearsals: recovery that is practised on a schedule, beside the living house, with a verdict."""
