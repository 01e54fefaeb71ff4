"""Values, protocols and errors that every other layer speaks; imports nothing above it."""
