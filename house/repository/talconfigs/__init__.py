"""What a repository says of its machines: talconfig as talhelper reads it, patches, addresses, schematics."""
