"""Text that a machine or a person reads: JSON, ages, lengths, numbers with nouns, spellings of a secret, digests."""
