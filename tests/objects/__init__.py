"""Services as Python objects: collected, without leaks, pickled, inherited from."""
