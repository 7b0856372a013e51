"""What went wrong between the service, its customers and the desk, and what cures it."""
