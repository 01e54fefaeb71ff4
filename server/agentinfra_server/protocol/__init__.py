"""AgentInfra's own messages, version 1, beside the Language Server Protocol."""
