"""The desk: the queue, an escalation's page, and what staff do on them."""
