"""What a store keeps of deleted and overwritten files, who could undo that, and a former state of it brought back."""
