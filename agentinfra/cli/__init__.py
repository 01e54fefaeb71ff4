"""The terminal face: one module a group of verbs, and the views and questions that they share."""
