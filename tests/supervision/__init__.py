"""Supervision: order, policies, health, watchdogs, and the decisions beneath them."""
