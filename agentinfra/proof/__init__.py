"""What makes a task DONE: test runs in the sandbox, their reports, locked files, and the red and green records."""
