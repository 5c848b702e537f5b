"""Rules that hold across files, and where in its file a breach of one stands."""
