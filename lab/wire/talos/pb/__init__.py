"""Compiled from lab/wire/talos/proto; the command is in the .proto file."""
