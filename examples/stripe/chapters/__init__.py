"""The story, one file and one `tell(scene)` a chapter, in the order in which they are told."""

from collections.abc import Callable

from scene import Scene

from . import building, failing, looking, paying, reconciling, reconfiguring, registering, sharing, stopping

CHAPTERS: tuple[tuple[str, Callable[[Scene], None]], ...] = (
    ("Register the services", registering.tell),
    ("Build them: disposable, reusable, raced for", building.tell),
    ("Use one: a customer and a payment", paying.tell),
    ("Reconfigure it while it runs", reconfiguring.tell),
    ("Share its settings with a second process", sharing.tell),
    ("A daemon in the background", reconciling.tell),
    ("A service that fails, and why", failing.tell),
    ("What runs, and how it came to that", looking.tell),
    ("Stop everything, in order", stopping.tell),
)
