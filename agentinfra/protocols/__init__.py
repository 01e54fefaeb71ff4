"""How AgentInfra speaks with other programs."""
