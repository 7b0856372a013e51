"""Code for development, demonstrations and measurements only: production imports none of it."""
