"""The simulated house itself: state, clock, faults. Knows no wire protocol and no port."""
