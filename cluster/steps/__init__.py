"""Steps that both bootstrap and recovery put into their courses, one file per kind."""
