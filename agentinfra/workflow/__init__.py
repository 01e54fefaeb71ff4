"""Who works when: durable workflows, the event log and its projections, the run, the gate and the merge queue."""
