"""Turns files into what the index keeps of them: chunks, definitions, references."""
