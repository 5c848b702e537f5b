"""Property-based fuzzing of everything that is read: no traceback, no exit 70, nothing over 5 s or 500 MB."""
