"""Restore points: which there are of a claim, which of them one may go back to, and what that gives up."""
