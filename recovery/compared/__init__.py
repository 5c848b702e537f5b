"""What came back held against what was backed up: content, attributes, and who can open it."""
