"""Files of this machine: read with a bound, written whole, on the disk before anybody goes on, locked."""
