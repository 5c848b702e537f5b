"""Finds and builds the programs that a run drives and the lab runs. Standard library only; knows no house and no engine."""
