"""The formats in which models and tools write changes; one parser a module, all giving the edits of ``patch``."""
