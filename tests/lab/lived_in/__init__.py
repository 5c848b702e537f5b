"""Tests of one house that was built and restored, and is lived in: the last of them loses its data (test_lost_again)."""
