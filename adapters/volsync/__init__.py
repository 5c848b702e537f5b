"""Claims and VolSync: result types and the adapter."""
