"""Settings joined with what the repository declares beside them. Asks nobody."""
