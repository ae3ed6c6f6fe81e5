"""An ASGI application whose services start before the first request, and stop after the last."""

from typing import Any

from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, MetaService
from jaseci.svc.asgi import Supervised


class Greetings(CommonService):
    """`app` would be a connection to a database."""

    def build_config(self, hook: MemoryHook) -> dict[str, Any]:
        return hook.service_glob("GREETINGS_CONFIG", {"enabled": True, "words": "Hello"})

    def run(self) -> None:
        self.app = {"words": self.config["words"]}

    def stop(self) -> None:
        super().stop()
        print("greetings stopped", flush=True)


class Letters(CommonService):
    """Leans on greetings: started after it, stopped before it."""

    requires = ("greetings",)

    def build_config(self, hook: MemoryHook) -> dict[str, Any]:
        return {"enabled": True}

    def run(self) -> None:
        words = MetaService().get_service("greetings").poke()["words"]
        self.app = f"{words}, {{}}!".format

    def stop(self) -> None:
        super().stop()
        print("letters stopped", flush=True)


MetaService().add_service_builder("letters", Letters)
MetaService().add_service_builder("greetings", Greetings)


async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`GET /Ada` is greeted. It knows nothing of lifespans."""
    assert scope["type"] == "http"
    letters = await MetaService().get_service("letters").ready(timeout=5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": letters(scope["path"].lstrip("/")).encode()})


app = Supervised(answer)
