"""From a model's raw reply to files on disk: extract the code, splice it into its module, apply all or nothing."""
