"""A service whose server is not there: the one that fails."""

import socket
from typing import Any

from jaseci.hook import MemoryHook
from jaseci.svc import CommonService

from .config import LEDGER_CONFIG


class LedgerService(CommonService):
    """`app` would be a connection to the bookkeeping server."""

    def run(self) -> None:
        # No try and no except: an exception is how a service says that it cannot run, and why.
        address = self.config["host"], self.config["port"]
        self.app = socket.create_connection(address, timeout=self.config["timeout"])

    def build_config(self, hook: MemoryHook) -> dict[str, Any]:
        return hook.service_glob("LEDGER_CONFIG", LEDGER_CONFIG)
