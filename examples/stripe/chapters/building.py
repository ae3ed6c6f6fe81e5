"""Two ways to get a service: one of your own that you throw away, or the one that everybody shares."""

import threading
from concurrent.futures import ThreadPoolExecutor

from history import starts_of
from scene import Scene
from shop import StripeService
from transcript import fact, promise, say

THREADS = 16


def tell(scene: Scene) -> None:
    """Build a disposable one, then let sixteen threads ask for the shared one at once."""
    use_disposable(scene)
    race_for_the_shared(scene)


def use_disposable(scene: Scene) -> None:
    """`build_service(name, False, hook)`: a new instance each time, kept by nobody."""
    say("Disposable: build_service('stripe', False, hook)")
    disposable = scene.meta.build_service("stripe", False, scene.hook)
    fact("state when built", disposable.state.name)
    promise("it has the stored settings", disposable.config["api_base"] == scene.stripe_url)
    promise("reading .app started it", disposable.app is not None and disposable.is_running())
    disposable.stop()
    promise("stop() ended it", disposable.is_ready())


def race_for_the_shared(scene: Scene) -> None:
    """`get_service(name, hook)`: built and started once, whoever asks first and however many ask at once."""
    say(f"Reusable: {THREADS} threads call get_service('stripe', hook).app at the same moment")
    together = threading.Barrier(THREADS)
    started_before = starts_of("stripe", scene.meta)

    def ask(number: int) -> StripeService:
        together.wait()
        service = scene.meta.get_service("stripe", scene.hook)
        if service.app is None:
            raise AssertionError(f"thread {number} saw a service without its app")
        return service

    with ThreadPoolExecutor(THREADS) as pool:
        try:
            seen = list(pool.map(ask, range(THREADS)))
        finally:
            together.abort()  # should Ctrl-C come in between, nobody waits for threads that never will
    promise("all of them got one instance", len(set(map(id, seen))) == 1)
    promise("and it ran once", starts_of("stripe", scene.meta) - started_before == 1)

    first = scene.meta.get_service("stripe", scene.hook)
    second = scene.meta.get_service("stripe", scene.hook)
    third = scene.meta.get_service("stripe", scene.hook)
    promise("get_service gives that instance ever after", first is second is third is seen[0])
    fact("state", first.state.name)
