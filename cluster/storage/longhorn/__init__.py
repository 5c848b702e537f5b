"""Longhorn: what its objects say, weighed by what a restore onto it would meet."""
