"""A WhatsApp gateway for development and tests that sends nothing to anyone."""

from waops.dev.gateway.server import BEHAVIOURS, Delivered, Gateway

__all__ = ["BEHAVIOURS", "Delivered", "Gateway"]
