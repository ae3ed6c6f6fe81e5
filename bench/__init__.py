"""How fast this runtime is, as ratios against rivals that run in the same process at the same time."""
