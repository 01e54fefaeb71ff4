"""Who works when: runs and their tasks on a durable engine, and the events that tell of them.

- :mod:`~agentinfra.workflow.durable` keeps workflows in a SQLite file through DBOS, and
  :mod:`~agentinfra.workflow.memory_engine` in a dictionary; :mod:`~agentinfra.workflow.execution` is what they share.
- :mod:`~agentinfra.workflow.event_log` is the only truth about runs, :mod:`~agentinfra.workflow.run_state` its sum.
- :mod:`~agentinfra.workflow.workflow_builder` describes jobs as data, :mod:`~agentinfra.workflow.workflow_runner`
  runs them.
"""
