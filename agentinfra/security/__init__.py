"""What protects the person: sandboxes for generated code, and cleaning of what models write before it is shown."""
