"""A small shop on jaseci-svc, told in nine chapters. Run it: `python examples/stripe/main.py`.

Started a second time beside the same Redis while the first one is at work, it visits the shop that is open.
"""

import logging
import signal
import sys

from chapters import CHAPTERS
from local_stripe import LocalStripe, LocalStripeError
from scene import Scene
from shared import OccupiedError, SharedSettings
from transcript import BrokenPromiseError, chapter, say
from visiting import visit


def main() -> int:
    """Tell the story. 0 if every promise in it held."""
    logging.basicConfig(stream=sys.stdout, format="     log: %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _leave)
    try:
        shared = SharedSettings()
        shared.tell()
        if shared.has_open_shop():
            visit(shared)
        else:
            keep_shop(shared)
    except (LocalStripeError, BrokenPromiseError, OccupiedError) as failure:
        print(f"\nFAILED: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def keep_shop(shared: SharedSettings) -> None:
    """Open the shop, tell its story, and close it; or visit it, if another process was faster."""
    with LocalStripe() as server:
        say(f"A Stripe API answers at {server.url} (localstripe, process {server.pid}).")
        if shared.open_shop(server.url):
            tell_all(Scene(server.url, shared))
            say("")
            say("Every promise held.")
            return
    visit(shared)


def tell_all(scene: Scene) -> None:
    """Every chapter in turn. However that ends, the settings are taken away and the services stop before their server."""
    try:
        for number, (title, tell) in enumerate(CHAPTERS, start=1):
            chapter(number, title)
            tell(scene)
    finally:
        scene.shared.close_shop()
        scene.meta.shutdown(timeout=10)


def _leave(signum: int, *_: object) -> None:
    """SIGTERM unwinds like Ctrl-C does, so that everything that was started is ended."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main())
