"""AgentInfra: a hierarchy of LLM agents that turns an idea into working, tested code in a git repository."""

__version__ = "0.1.0"
