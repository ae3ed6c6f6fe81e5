"""Settings change while the program runs: stored through the config API, taken up by a reset."""

import json
from typing import Any

import stripe
from jaseci.element.super_master import SuperMaster

from scene import Scene
from transcript import fact, promise, say

UNKNOWN_KEY = "not_a_key_of_this_account"
NEXT_KEY = "sk_test_TheOneOfNextMonth"


def tell(scene: Scene) -> None:
    """Another currency and another key. The server itself shows which key and currency are in force."""
    service = scene.meta.get_service("stripe")
    admin = scene.meta.build_super_master()
    show("before", stored(admin))

    say("config_set: a new currency, and a key with a mistake in it")
    answer = admin.config_set("STRIPE_CONFIG", stored(admin) | {"currency": "eur", "key": UNKNOWN_KEY})
    fact("answer", answer)
    show("after", stored(admin))
    promise("the answer masks the key", UNKNOWN_KEY not in str(answer) and "***" in str(answer))
    payment = service.run_payment(scene.customer, cents=100)
    promise("nothing that runs has changed yet: it still charges usd", payment.currency == "usd")

    say("config_refresh: the service is reset and reads its settings again")
    fact("answer", admin.config_refresh("STRIPE_CONFIG"))
    promise("it is the same instance, running", scene.meta.get_service("stripe") is service and service.is_running())
    promise("the server now refuses it: the new key is in force", is_refused(scene, service))

    say("config_set and config_refresh once more, with the right key")
    admin.config_set("STRIPE_CONFIG", stored(admin) | {"key": NEXT_KEY})
    admin.config_refresh("STRIPE_CONFIG")
    payment = service.run_payment(scene.customer, cents=1999)
    fact("payment intent", f"{payment.id}: {payment.amount / 100:.2f} {payment.currency}, {payment.status}")
    promise("the server accepts it again, and takes euros", payment.currency == "eur")


def stored(admin: SuperMaster) -> dict[str, Any]:
    """What the config API has under the name, as any process would read it."""
    settings: dict[str, Any] = json.loads(admin.config_get("STRIPE_CONFIG"))
    return settings


def show(label: str, settings: dict[str, Any]) -> None:
    """Print settings as one should: without the secret."""
    fact(label, settings | {"key": "***"})


def is_refused(scene: Scene, service: Any) -> bool:
    """Whether the server turns the service's key away."""
    try:
        service.run_payment(scene.customer, cents=100)
    except stripe.AuthenticationError as error:
        fact("HTTP status", f"{error.http_status} {error.user_message}")
        return True
    return False
