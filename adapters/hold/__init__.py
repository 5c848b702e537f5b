"""The hold: result types, the admission policies, and the adapter for the record."""
