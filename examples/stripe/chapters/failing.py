"""A service that cannot start says why, to whoever asks and in the log, and disturbs nobody else."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from jaseci.svc import CommonService, ServiceNotRunning

from scene import Scene
from shop.config import LEDGER_CONFIG
from transcript import fact, promise


def tell(scene: Scene) -> None:
    """Start the ledger against a port where nobody listens."""
    with refusing_port() as port:
        scene.hook.save_glob("LEDGER_CONFIG", json.dumps(LEDGER_CONFIG | {"port": port}))
        scene.hook.commit()
        ledger = scene.meta.get_service("ledger", scene.hook)
        ledger.start()  # does not raise: the outcome is the state

    fact("state", ledger.state.name)
    fact("error", repr(ledger.error))
    promise("it has failed", ledger.has_failed() and ledger.app is None)
    promise("its reason is the exception itself", isinstance(ledger.error, ConnectionRefusedError))

    message = reason_from_poke(ledger)
    fact("poke()", message)
    promise("poke() names service, state and cause", all(word in message for word in ("ledger", "FAILED", "refused")))
    promise("nobody else is disturbed", scene.meta.get_service("stripe").is_running())


def reason_from_poke(service: CommonService) -> str:
    """What `poke()` says of a service that does not run; "" if it does."""
    try:
        service.poke()
    except ServiceNotRunning as error:
        return str(error)
    return ""


@contextmanager
def refusing_port() -> Iterator[int]:
    """A loopback port that certainly refuses connections: taken, but not listened on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
