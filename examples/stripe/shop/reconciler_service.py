"""A service with a daemon: it adds up, every so often, what Stripe says was paid."""

from collections import Counter
from typing import Any

import stripe
from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, MetaService, ServiceNotRunning

from .config import RECONCILER_CONFIG
from .totals import Totals


class ReconcilerService(CommonService):
    """`app` is the `Totals` that the daemon `polling` keeps up to date."""

    def run(self) -> None:
        # Leaning on another service is asking for it. It is started now if nobody did before, and as it started
        # first it is stopped last.
        MetaService().get_service("stripe").start()
        self.app = Totals()

    def post_run(self) -> None:
        self.spawn_daemon(polling=self.poll_for_ever)

    def build_config(self, hook: MemoryHook) -> dict[str, Any]:
        return hook.service_glob("RECONCILER_CONFIG", RECONCILER_CONFIG)

    def poll_for_ever(self) -> None:
        """The daemon. Inside it `stop_requested` is its own signal, so the pause ends the moment it is stopped."""
        interval = self.config["interval"]
        self.poll()
        while not self.stop_requested.wait(interval):
            self.poll()

    def poll(self) -> None:
        """One round. A round that Stripe does not answer is left out; the next one comes soon."""
        try:
            # poke() rather than app: it is never None, but says why if Stripe is not to be had right now.
            api = MetaService().get_service("stripe").poke()
            paid = [intent for intent in api.PaymentIntent.list(limit=100) if intent.status == "succeeded"]
        except (ServiceNotRunning, stripe.StripeError):
            return
        cents: Counter[str] = Counter()
        for intent in paid:
            cents[intent.currency] += intent.amount
        self.app.replace(len(paid), cents)
