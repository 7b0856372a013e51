"""The desk's reports: escalations opened and resolved, how fast, and why."""
