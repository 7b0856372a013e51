"""How the desk does: cases opened and resolved, how fast, and what for."""
