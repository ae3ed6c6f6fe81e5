"""What the reconciler knows: written by its daemon, read by everybody else."""

import threading
from collections import Counter
from collections.abc import Callable


class Totals:
    """Money taken, by currency, as of the last round. Safe to read from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.rounds = 0
        self.payments = 0
        self.cents: Counter[str] = Counter()

    def replace(self, payments: int, cents: "Counter[str]") -> None:
        """Take over what one round found."""
        with self._changed:
            self.rounds += 1
            self.payments, self.cents = payments, cents
            self._changed.notify_all()

    def wait_until(self, enough: Callable[["Totals"], bool], timeout: float) -> bool:
        """Wait, without polling, until `enough(self)`; False if `timeout` seconds pass first."""
        with self._changed:
            return self._changed.wait_for(lambda: enough(self), timeout)

    def __str__(self) -> str:
        sums = ", ".join(f"{cents / 100:.2f} {currency}" for currency, cents in sorted(self.cents.items()))
        return f"{self.payments} payments: {sums or 'nothing yet'}"
