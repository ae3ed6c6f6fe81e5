"""A service class becomes known under a name. Nothing is built or started yet."""

import json

from jaseci.svc import MetaService

from scene import Scene
from shop import LedgerService, ReconcilerService, StripeService
from shop.config import STRIPE_CONFIG
from transcript import fact, promise, say


def tell(scene: Scene) -> None:
    """Register three services, and store the one setting that differs from their defaults."""
    MetaService().add_service_builder("stripe", StripeService)
    MetaService().add_service_builder("reconciler", ReconcilerService)
    MetaService().add_service_builder("ledger", LedgerService)
    services = scene.own_services()
    fact("registered", ", ".join(service.name for service in services))
    promise("nothing is built by that", all(service.since is None for service in services))

    # A setting that is stored wins over the default that comes with the code.
    deployed = STRIPE_CONFIG | {"api_base": scene.stripe_url}
    scene.hook.save_glob("STRIPE_CONFIG", json.dumps(deployed))
    scene.hook.commit()
    say("The default configuration names the real Stripe; the stored one names the local one:")
    fact("api_base, default", STRIPE_CONFIG["api_base"])
    fact("api_base, stored", deployed["api_base"])
