"""DNS: which answer a server gives to a name."""
