"""gunicorn's configuration: each worker supervises services of its own, and stops them when it ends."""

from typing import Any

from jaseci.svc import MetaService

workers = 4
# The application is loaded once, before the fork. Without it this file stays as it is.
preload_app = True
# Seconds that a worker has from the signal to its end; more than the timeout below.
graceful_timeout = 30


def post_worker_init(worker: Any) -> None:
    """In the worker, with the application loaded: starts the services and keeps them."""
    MetaService().supervise(timeout=20)
    worker.log.info("services started")


def worker_exit(server: Any, worker: Any) -> None:
    """In the worker, after its last request."""
    MetaService().shutdown(timeout=20)
