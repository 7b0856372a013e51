"""A WhatsApp gateway for development and tests, which sends nothing to anybody."""

from waops.dev.gateway.server import BEHAVIOURS, Delivered, Gateway

__all__ = ["BEHAVIOURS", "Delivered", "Gateway"]
