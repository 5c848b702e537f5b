"""Houses that are no part of this repository: tests of them are skipped where they are not beside it."""

NO_HOUSE = "no real house is here"
