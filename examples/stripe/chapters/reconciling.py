"""Work in the background: a daemon of the reconciler asks Stripe every so often and keeps totals."""

from scene import Scene
from shop.totals import Totals
from transcript import clock, fact, promise, table

PATIENCE = 10.0
"""Seconds that the daemon may take to see what the server has. It usually needs a tenth of one."""


def tell(scene: Scene) -> None:
    """Watch the daemon catch up with a payment that is made while it works."""
    reconciler = scene.meta.get_service("reconciler", scene.hook).start()
    totals: Totals = reconciler.poke()
    totals.wait_until(lambda found: found.rounds >= 1, PATIENCE)
    fact("after a round", totals)

    service = scene.meta.get_service("stripe")
    payments = totals.payments
    service.run_payment(scene.customer, cents=501)
    promise("the daemon saw a new payment by itself", totals.wait_until(lambda t: t.payments == payments + 1, PATIENCE))
    fact("after a payment", totals)

    paid = service.app.PaymentIntent.list(limit=100).data
    euros = sum(payment.amount for payment in paid if payment.currency == "eur")
    promise("its totals are the server's", totals.payments == len(paid) and totals.cents["eur"] == euros)

    table(
        ("daemon", "alive", "since", "last error"),
        [(daemon.name, daemon.alive, clock(daemon.since), daemon.last_error or "-") for daemon in reconciler.daemons()],
    )
    promise("service.daemons() shows it alive", [d.name for d in reconciler.daemons() if d.alive] == ["polling"])
