"""The steps of a drill, one file a kind."""
