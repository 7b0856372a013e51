"""System checks of settings and connections."""
