"""Specifications that were written for other tools, read into this one's."""
