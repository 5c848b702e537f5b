"""Helmfiles of the bootstrap: releases, what they inherit, and what they cannot do without."""
