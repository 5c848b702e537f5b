"""Tests of one house that is built once for all of them: none of them may leave it otherwise, but the last (test_without_us)."""
