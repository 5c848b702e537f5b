"""What is done to a backup repository itself: a dead owner's lock, what it was at a moment."""
