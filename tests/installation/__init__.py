"""The wheel: what is in it, and what pip makes of it."""
