"""What the server offers, a feature a file; each registers itself on a server."""
