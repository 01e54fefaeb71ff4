"""Where generated code runs: one backend a file, all behind :class:`agentinfra.core.interfaces.Sandbox`."""
