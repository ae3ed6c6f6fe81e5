"""Interfaces for applications that have none of their own."""
