"""The service of the manual: the `stripe` library, configured in one place and started on first use."""

from typing import Any

import stripe
from jaseci.hook import MemoryHook
from jaseci.svc import CommonService

from .config import STRIPE_CONFIG


class StripeService(CommonService):
    """`app` is the `stripe` module itself, with the key and the address that the configuration says."""

    def run(self) -> None:
        self.app = stripe
        self.app.api_key = self.config.get("key")
        self.app.api_base = self.config.get("api_base")

    def build_config(self, hook: MemoryHook) -> dict[str, Any]:
        return hook.service_glob("STRIPE_CONFIG", STRIPE_CONFIG)

    # What the shop does with it. Each reads `self.app`, so whoever comes first starts the service.

    def add_user(self, name: str, email: str) -> stripe.Customer:
        """A customer with a card on file (Stripe's test card, which is always accepted)."""
        customer = self.app.Customer.create(name=name, email=email)
        card = self.app.PaymentMethod.create(
            type="card",
            card={"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"},
        )
        self.app.PaymentMethod.attach(card.id, customer=customer.id)
        return customer

    def run_payment(self, customer: stripe.Customer, cents: int) -> stripe.PaymentIntent:
        """Charge the card on file, in the currency that is configured at this moment."""
        cards = self.app.PaymentMethod.list(customer=customer.id, type="card")
        return self.app.PaymentIntent.create(
            amount=cents,
            currency=self.config["currency"],
            customer=customer.id,
            payment_method=cards.data[0].id,
            confirm=True,
        )
