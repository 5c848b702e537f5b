"""A house opened: its settings found and read, its doors wired, what a run takes and gives back."""
