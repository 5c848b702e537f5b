"""A home-ops repository as it is: one file for each thing that is read out of it."""
