"""Measure what the plan and our functions gain, on databases made for it and dropped afterwards."""
