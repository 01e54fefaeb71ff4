"""The Agent Client Protocol: the same runs for editors that talk to agents, such as Zed."""
