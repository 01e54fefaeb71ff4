"""The door for assistants that use tools over the Model Context Protocol; ``agentinfra mcp`` opens it."""
