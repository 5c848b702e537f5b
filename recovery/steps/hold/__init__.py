"""The hold of a claim: laid on, taken again, lifted, and ended by the first backup of the real data."""
