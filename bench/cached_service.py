"""What does a service cost that is kept already, against a singleton of dependency-injector?"""

from collections.abc import Iterator

from dependency_injector import providers
from jaseci.svc import CommonService, MetaService

from bench.harness import Answer, Snippet, compare, registered


class Stripe(CommonService):
    """A service to be kept."""


class Shop(MetaService):
    """An application's own registry: a Python subclass has no short cut to its construction."""


def answers() -> Iterator[Answer]:
    meta = MetaService()
    rival = Snippet("singleton()", {"singleton": providers.Singleton(Stripe)})
    with registered(meta, stripe=Stripe):
        meta.get_service("stripe")
        yield compare(
            "meta.get_service(name), kept", Snippet("meta.get_service('stripe')", {"meta": meta}), rival, 0.65
        )
        yield compare(
            "MetaService().get_service(name)",
            Snippet("MetaService().get_service('stripe')", {"MetaService": MetaService}),
            rival,
            0.8,
        )
        yield compare(
            "... of a Python subclass of MetaService",
            Snippet("Shop().get_service('stripe')", {"Shop": Shop}),
            rival,
            None,
        )
