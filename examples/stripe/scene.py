"""What the chapters of the story share."""

from dataclasses import dataclass, field

import stripe
from jaseci.hook import MemoryHook
from jaseci.svc import MetaService, ServiceInfo


@dataclass
class Scene:
    """One run of the story: it lives from `main()` to the end of the program."""

    stripe_url: str
    """Where the Stripe API answers."""

    meta: MetaService = field(default_factory=MetaService)
    """The process-wide handler of every service. `MetaService()` anywhere else means the same one."""

    hook: MemoryHook = field(init=False)
    """One view of the stored settings. Kept in memory here; nothing is installed."""

    customer: stripe.Customer = field(init=False)
    """The customer of chapter 3, who pays again later."""

    def __post_init__(self) -> None:
        self.hook = self.meta.build_hook()

    def own_services(self) -> list[ServiceInfo]:
        """How the story's services stand; the shipped ones are left out."""
        return [info for info in self.meta.services() if info.cls.__module__.startswith("shop.")]
