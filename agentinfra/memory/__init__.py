"""What is known of a workspace: its files, found by words and by meaning, and what was learnt in it."""
