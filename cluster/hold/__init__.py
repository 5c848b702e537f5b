"""The hold: what is held, where each claim stands, what keeps its application still."""
