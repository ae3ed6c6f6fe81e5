"""The service does its work: real requests, over HTTP, with the real `stripe` client."""

from scene import Scene
from transcript import fact, promise


def tell(scene: Scene) -> None:
    """Create a customer with a card on file, and charge it. What is shown is what the server answered."""
    service = scene.meta.get_service("stripe")
    scene.customer = service.add_user("Ada Lovelace", "ada@example.org")
    fact("customer", f"{scene.customer.id} ({scene.customer.name}, {scene.customer.email})")

    payment = service.run_payment(scene.customer, cents=4200)
    fact("payment intent", payment.id)
    fact("amount", f"{payment.amount / 100:.2f} {payment.currency}")
    fact("status", payment.status)
    fact("charge", payment.latest_charge.id)

    asked_again = service.app.PaymentIntent.retrieve(payment.id)
    promise("the server has it, confirmed", asked_again.status == "succeeded" and asked_again.amount == 4200)
    promise("in the configured currency", asked_again.currency == "usd")
