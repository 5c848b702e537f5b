"""The cluster inside: its API's objects, its storage, and what the operators in it do. State and time; no port, no program."""
