"""Lines of the journal: what one says, how its sum covers the one before it, and a run's lines apart from the rest."""
