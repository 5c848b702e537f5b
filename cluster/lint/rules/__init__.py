"""One short file a rule, one shape: RULE, whose `find` reads a Given and answers findings. `cluster/lint/lint.py` has the list."""
