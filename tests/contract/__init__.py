"""Tests that every door of a port passes, the lab's and the real one; an API server is started once for all of them."""
