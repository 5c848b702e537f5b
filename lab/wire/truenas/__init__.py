"""TrueNAS' JSON-RPC over TLS websockets, in the forms of 25.04, 25.10 and 26: the frames, the limits, and one box's answers."""
