"""``JsOrcService``: the service around ``JsOrc``."""

from typing import Any

from jaseci.svc.common import CommonService
from jaseci.svc.errors import RuntimeClosed
from jaseci.svc.jsorc.config import JSORC_CONFIG
from jaseci.svc.jsorc.orchestrator import JsOrc


class JsOrcService(CommonService[JsOrc]):
    """Keeps the services that its config names alive. Its daemon ``jsorc`` looks at them every ``interval`` seconds."""

    def build_config(self, hook: Any) -> dict[str, Any]:
        """``JSORC_CONFIG``: ``interval`` in seconds, ``namespace``, ``keep_alive``."""
        config: dict[str, Any] = hook.service_glob("JSORC_CONFIG", JSORC_CONFIG)
        return config

    def run(self) -> None:
        """Makes ``app`` from the config. Raises ``ConfigError`` for one that cannot be used."""
        from jaseci.svc.meta import MetaService

        self.app = JsOrc.of_config(MetaService(), self.config)

    def post_run(self) -> None:
        """Begins at once, and spawns the daemon."""
        self.app.look()
        self.spawn_daemon(jsorc=self.interval_check)

    def interval_check(self) -> None:
        """The daemon: a round every ``interval`` seconds, until it is asked to stop."""
        orchestrator = self.app
        while not self.stop_requested.wait(orchestrator.interval):
            try:
                orchestrator.look()
            except RuntimeClosed:
                return

    def reset(self, hook: Any = None) -> None:
        """Services that the new config does not name are left to their own policies."""
        self._let_go()
        super().reset(hook)

    def stop(self) -> None:
        """All services are left to their own policies."""
        self._let_go()
        super().stop()

    def _let_go(self) -> None:
        orchestrator = self._app
        if isinstance(orchestrator, JsOrc):
            orchestrator.let_go()
