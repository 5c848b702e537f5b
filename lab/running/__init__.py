"""A house of the lab that runs: its process, its doors' addresses, and who does something to it from outside."""
