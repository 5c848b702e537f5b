"""Everything outside us: ports.py holds the signatures, one package per system holds its result types and its adapter."""
