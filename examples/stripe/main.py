"""A small shop on jaseci-svc, told in eight chapters. Run it: `python examples/stripe/main.py`."""

import logging
import signal
import sys

from chapters import CHAPTERS
from local_stripe import LocalStripe, LocalStripeError
from scene import Scene
from transcript import BrokenPromiseError, chapter, say


def main() -> int:
    """Tell the story. 0 if every promise in it held."""
    logging.basicConfig(stream=sys.stdout, format="     log: %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _leave)
    try:
        with LocalStripe() as server:
            say(f"A Stripe API answers at {server.url} (localstripe, process {server.pid}).")
            tell_all(Scene(stripe_url=server.url))
    except (LocalStripeError, BrokenPromiseError) as failure:
        print(f"\nFAILED: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    say("")
    say("Every promise held.")
    return 0


def tell_all(scene: Scene) -> None:
    """Every chapter in turn. However that ends, the services stop before their server does."""
    try:
        for number, (title, tell) in enumerate(CHAPTERS, start=1):
            chapter(number, title)
            tell(scene)
    finally:
        scene.meta.shutdown(timeout=10)


def _leave(signum: int, *_: object) -> None:
    """SIGTERM unwinds like Ctrl-C does, so that everything that was started is ended."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main())
