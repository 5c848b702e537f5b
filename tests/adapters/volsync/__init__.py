"""Tests of what is asked of VolSync; all on one state of the API servers, with its kinds defined once."""
