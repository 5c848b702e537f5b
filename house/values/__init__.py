"""Parts of a house as frozen values, by what they speak of. Nouns only: nothing here reads a file."""
