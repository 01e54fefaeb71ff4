"""The rules by which a specification and its tasks are checked, without a model."""
