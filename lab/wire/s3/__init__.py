"""The S3 door: an object store over TLS with the quirks of Storj's gateway."""
