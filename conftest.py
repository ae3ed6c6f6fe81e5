"""How Hypothesis runs here. `HYPOTHESIS_PROFILE` chooses; without it "ci" where `CI` is set, else "dev"."""

import os

from hypothesis import settings

# No deadline in either: a start waits for threads, and on two busy cores that takes as long as it takes.
settings.register_profile("dev", max_examples=50, deadline=None, print_blob=True)
# The same examples on every run, so that a change is what makes a check fail; no database, as a fresh clone has none.
settings.register_profile("ci", max_examples=200, deadline=None, print_blob=True, derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))
