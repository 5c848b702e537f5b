"""Tests of the adapters; those on real API servers share a pair."""
