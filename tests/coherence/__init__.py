"""The coherence checker: processes that read and write one Redis while it is broken, and a verdict on what they saw."""
